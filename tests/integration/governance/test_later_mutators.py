"""Another mutating policy, before ours or after it, cannot write in somebody else's name."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

from slipway.api.requested_by import ANNOTATION
from tests.integration.governance.place import Place, approval, landed, refused
from tests.integration.people import Answer, Person
from tests.integration.samples import deployment
from tests.kube import Kube, Manifest
from tests.wait import until

FORGED = '{"generation":1,"by":["bob"]}'
REWRITES = {
    "stamp": ("modeldeployments", "/metadata/annotations", f"{{'{ANNOTATION}': '{FORGED}'}}"),
    "approver": ("modelapprovals", "/spec/approver", "'bob'"),
    "spec": ("modeldeployments", "/spec/replicas", "7"),
}
NAMES = ("aa-before", "zz-after")
ADMISSION = "admissionregistration.k8s.io/v1"


def rewriter(name: str, what: str) -> list[Manifest]:
    """A policy and its binding that rewrite what carries a label."""
    plural, path, value = REWRITES[what]
    rule = {"apiGroups": ["slipway.dev"], "apiVersions": ["*"], "resources": [plural], "operations": ["CREATE", "UPDATE"]}
    patch = {"patchType": "JSONPatch", "jsonPatch": {"expression": f"[JSONPatch{{op: 'add', path: '{path}', value: {value}}}]"}}
    spec = {
        "failurePolicy": "Fail",
        "reinvocationPolicy": "Never",
        "matchConstraints": {"objectSelector": {"matchLabels": {"rewritten": what, "by": name}}, "resourceRules": [rule]},
        "mutations": [patch],
    }
    metadata = {"name": f"{name}-{what}"}
    return [
        {"apiVersion": ADMISSION, "kind": "MutatingAdmissionPolicy", "metadata": metadata, "spec": spec},
        {"apiVersion": ADMISSION, "kind": "MutatingAdmissionPolicyBinding", "metadata": metadata, "spec": {"policyName": metadata["name"]}},
    ]


@pytest.fixture(scope="module", autouse=True)
def rewriters(kube: Kube, serving: Place) -> Iterator[None]:
    made = [manifest for name in NAMES for what in REWRITES for manifest in rewriter(name, what)]
    for manifest in made:
        kube.apply(manifest)
    yield
    for manifest in reversed(made):
        kube.delete(manifest["kind"], None, manifest["metadata"]["name"])


def send(place: Place, name: str, what: str) -> Answer:
    """By alice, in a dry run."""
    plural, _, _ = REWRITES[what]
    manifest = approval() if what == "approver" else deployment(place.namespace, "rewritten")
    manifest["metadata"]["labels"] = {"rewritten": what, "by": name}
    return Person(place.plane, "alice").send("POST", place.mine(plural, "") + "?dryRun=All", manifest)


def is_refused(place: Place, name: str, what: str) -> bool:
    return not send(place, name, what).landed


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("what", "said"), [("stamp", "must not be changed by hand: leave it out"), ("approver", "spec.approver must be you, alice")]
)
def test_it_is_refused(serving: Place, name: str, what: str, said: str) -> None:
    until(partial(is_refused, serving, name, what), 60, "the other policy to be in effect")
    refused(send(serving, name, what), said)


@pytest.mark.parametrize("name", NAMES)
def test_one_that_changes_the_spec_is_no_forgery(serving: Place, name: str) -> None:
    def rewritten() -> bool:
        return bool(landed(send(serving, name, "spec"))["spec"]["replicas"] == 7)

    until(rewritten, 60, "the other policy to be in effect")
    found = landed(send(serving, name, "spec"))
    assert found["metadata"]["annotations"][ANNOTATION] == '{"generation":1,"by":["alice"]}'
