"""Approvals are worth what the admission policies make them worth: taken away, weakened, or brought back, the operator sees it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.control_plane import ControlPlane
from tests.integration.conftest import start_operator
from tests.integration.gate.conftest import PREFIX
from tests.integration.gate.gated import Gated, await_guard, governing_env, install_records
from tests.integration.identity import chart
from tests.integration.journal.team import SECONDS
from tests.integration.ledger_store import LedgerStore
from tests.integration.operator import OperatorProcess
from tests.integration.platform import platform
from tests.kube import Kube, Manifest
from tests.wait import until

BINDING = "ValidatingAdmissionPolicyBinding"
NAME = "slipway-approvals"


@pytest.fixture(scope="module")
def plane() -> Iterator[ControlPlane]:
    """One of its own: what is taken away here is there for everybody else."""
    with platform("guard", policies=True) as control:
        install_records(Kube(control.kubeconfig))
        yield control


@pytest.fixture(scope="module")
def governor(plane: ControlPlane, store: LedgerStore, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OperatorProcess]:
    with governing(plane, store, tmp_path_factory.mktemp("operator")) as process:
        yield process


@contextmanager
def governing(plane: ControlPlane, store: LedgerStore, folder: Path) -> Iterator[OperatorProcess]:
    env = governing_env() | store.settings(f"{PREFIX}-guard") | {"SLIPWAY_GUARD_SECONDS": "1"}
    process = start_operator(plane, Kube(plane.kubeconfig), folder, "slipway-operator-0", **env)
    try:
        await_guard(Kube(plane.kubeconfig))
        yield process
        assert process.stop() == 0
    finally:
        process.end()


@pytest.fixture
def waiting(gated: Gated) -> Gated:
    """Version 3 serves, version 4 waits."""
    await_guard(gated.kube)
    gated.require()
    gated.serve_approved()
    gated.deploy("alice", version="4")
    gated.await_waiting()
    return gated


def test_a_binding_that_is_gone(waiting: Gated, governor: OperatorProcess) -> None:
    """Approved in the meantime, by anybody: found at the latest before the gate opens."""
    waiting.kube.delete(BINDING, None, NAME)
    until(lambda: forge(waiting), SECONDS, "the policy to be out of effect")
    waiting.await_reason("PoliciesNotInEffect", kind="Approved")
    assert in_effect(governor) == 0
    restore(waiting.kube, BINDING)
    until(lambda: in_effect(governor) == 1, SECONDS, "the policies to be in effect")
    await_guard(waiting.kube)
    assert governor.metrics()["slipway_governs"] == 1

    (forged,) = (found["metadata"]["name"] for found in approvals(waiting) if found["spec"]["approver"] == "somebody-else")
    assert "before the admission policies held" in waiting.await_answer(forged, "Void")
    assert waiting.get("Deployment")["metadata"]["labels"]["slipway.dev/version"] == "3"
    waiting.approve("bob")
    waiting.await_serving("4")


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        (BINDING, {"spec": {"validationActions": ["Audit"]}}),
        (BINDING, {"spec": {"matchResources": {"namespaceSelector": {"matchLabels": {"no": "where"}}}}}),
        ("ValidatingAdmissionPolicy", {"spec": {"failurePolicy": "Ignore"}}),
    ],
    ids=["audit", "narrowed", "ignore"],
)
def test_one_that_is_weakened(waiting: Gated, governor: OperatorProcess, kind: str, change: dict[str, Any]) -> None:
    waiting.approve("bob", revision="v1:" + "0" * 64)
    waiting.kube.patch(kind, "", "slipway-owned", change)
    waiting.approve("bob")

    found = waiting.await_reason("PoliciesNotInEffect", kind="Approved")
    assert "slipway-owned" in found["message"]
    assert waiting.get("Deployment")["metadata"]["labels"]["slipway.dev/version"] == "3"
    restore(waiting.kube, "ValidatingAdmissionPolicy", BINDING)
    until(lambda: in_effect(governor) == 1, SECONDS, "the policies to be in effect")


def test_changed_while_no_operator_looked(store: LedgerStore, waiting: Gated, governor: OperatorProcess) -> None:
    """Taken away and brought back: the effect is there, but the policies are others."""
    governor.stop()
    waiting.kube.delete(BINDING, None, NAME)
    until(lambda: forge(waiting), SECONDS, "the policy to be out of effect")
    restore(waiting.kube, BINDING)
    until(lambda: not forge(waiting), SECONDS, "the policy to be in effect")
    before = governor_since(waiting.kube)
    governor.start()
    until(lambda: governor_since(waiting.kube) != before, SECONDS, "the change to be noticed")
    await_guard(waiting.kube)

    forged = [found["metadata"]["name"] for found in approvals(waiting) if found["spec"]["approver"] == "somebody-else"]
    assert all("before the admission policies held" in waiting.await_answer(name, "Void") for name in forged)
    assert waiting.get("Deployment")["metadata"]["labels"]["slipway.dev/version"] == "3"
    lost = [entry for entry in store.entries(f"{PREFIX}-guard") if entry.transition == "PoliciesLost"]
    assert len(lost) >= 2


def forge(gated: Gated) -> bool:
    """Whether anybody may approve in somebody else's name."""
    return gated.say("mallory", approver="somebody-else", groups=("system:masters",)).landed


def approvals(gated: Gated) -> list[Manifest]:
    return gated.kube.list("ModelApproval", gated.namespace)


def in_effect(governor: OperatorProcess) -> float:
    return governor.metrics()["slipway_policies_in_effect"]


def governor_since(kube: Kube) -> str:
    return str((kube.get("ConfigMap", "slipway-system", "slipway-guard") or {})["data"]["validFrom"])


def restore(kube: Kube, *kinds: str) -> None:
    """As the chart has them."""
    for manifest in chart():
        if manifest["kind"] in kinds and manifest["metadata"]["labels"].get("slipway.dev/guard"):
            found = kube.get(manifest["kind"], None, manifest["metadata"]["name"])
            if found is None:
                kube.create(manifest)
            elif found["spec"] != manifest["spec"]:
                meta = found["metadata"]
                kube.call(
                    "PUT", path_of(manifest), manifest | {"metadata": manifest["metadata"] | {"resourceVersion": meta["resourceVersion"]}}
                )


def path_of(manifest: Manifest) -> str:
    plural = {"ValidatingAdmissionPolicy": "validatingadmissionpolicies", BINDING: "validatingadmissionpolicybindings"}[manifest["kind"]]
    return f"/apis/admissionregistration.k8s.io/v1/{plural}/{manifest['metadata']['name']}"
