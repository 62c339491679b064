"""A GitOps controller behind the gate, on a real apiserver: docs/gitops.md, line by line."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest
import yaml

from tests.cluster.tools import binary
from tests.integration.gate.gated import Gated
from tests.integration.journal.team import SECONDS
from tests.integration.people import Answer, Person
from tests.integration.samples import await_gone, deployment, version
from tests.kube import Manifest
from tests.unit.docs.pages import ROOT, blocks
from tests.unit.gitops.argocd import health
from tests.wait import until

ARGO = "system:serviceaccount:argocd:argocd-application-controller"


def kstatus(manifest: Manifest) -> str:
    """By the library that Flux waits with."""
    done = subprocess.run([binary("kstatus")], input=json.dumps(manifest), capture_output=True, text=True, check=True, timeout=60)
    return str(json.loads(done.stdout)["status"])


def seen(gated: Gated) -> tuple[str, str]:
    """By Argo CD, and by Flux."""
    manifest = gated.get("ModelDeployment")
    return health(manifest)[0], kstatus(manifest)


def await_seen(gated: Gated, argo: str, flux: str) -> None:
    until(lambda: seen(gated) == (argo, flux), SECONDS, f"Argo CD to say {argo}, and Flux {flux}")


def commit(gated: Gated, author: str = "", **spec: Any) -> None:
    manifest = deployment(gated.namespace, **spec)
    if author:
        manifest["metadata"]["annotations"] = {"slipway.dev/author": author}
    gated.apply(ARGO, manifest)


def documented(gated: Gated) -> list[Manifest]:
    """The objects of the page, of this test's namespace and stage."""
    text = (ROOT / "docs/gitops.md").read_text().replace("growth", gated.namespace).replace("[production]", f"[{gated.namespace}]")
    return [yaml.safe_load(body) for _, body in blocks(text, "yaml")]


def prune(gated: Gated, kind: str = "modeldeployments", name: str = "churn") -> Answer:
    return Person(gated.plane, ARGO).send("DELETE", f"/apis/slipway.dev/v1alpha1/namespaces/{gated.namespace}/{kind}/{name}")


def test_what_argo_cd_and_flux_see(gated: Gated) -> None:
    gated.require()
    gated.register("alice", "3", "4", "5")
    gated.deploy("alice")
    gated.await_waiting()
    await_seen(gated, "Suspended", "InProgress")
    gated.approve("bob")
    gated.await_serving("3")
    await_seen(gated, "Healthy", "Current")
    gated.deploy("alice", version="4")
    waiting = gated.await_waiting()
    await_seen(gated, "Suspended", "Current")
    assert gated.say("bob", "Reject").landed
    await_seen(gated, "Degraded", "Current")
    gated.deploy("alice", version="5")
    gated.await_waiting(past=waiting)
    await_seen(gated, "Suspended", "Current")
    gated.deploy("alice", version="3")
    await_seen(gated, "Healthy", "Current")


def test_the_first_revision_is_rejected(gated: Gated) -> None:
    gated.require()
    gated.register("alice", "3")
    gated.deploy("alice")
    gated.await_waiting()
    assert gated.say("bob", "Reject").landed
    await_seen(gated, "Degraded", "Failed")


@pytest.mark.parametrize(("kind", "name"), [("Model", "churn"), ("ModelVersion", "churn-3")])
def test_models_and_versions_are_healthy(gated: Gated, kind: str, name: str) -> None:
    gated.register("alice", "3")

    def both() -> tuple[str, str]:
        manifest = gated.get(kind, name)
        return health(manifest)[0], kstatus(manifest)

    until(lambda: both() == ("Healthy", "Current"), SECONDS, f"{kind} {name} to be registered")


def test_behind_a_controller_is_somebody_unknown(gated: Gated) -> None:
    gated.require()
    gated.register("alice", "3")
    commit(gated, author="carol")
    gated.await_waiting()
    assert gated.status()["approval"]["required"] == 2, "nobody trusts what it says of the author"
    gated.approve("bob")
    gated.approve("carol")
    gated.await_serving("3")


def test_the_page_as_it_stands(gated: Gated) -> None:
    policy, asked, unpruned = documented(gated)
    policy["metadata"]["name"] = gated.namespace
    gated.kube.apply(policy)
    gated.register("mo", "4")
    gated.apply(ARGO, asked)
    gated.await_waiting()
    approval = gated.status()["approval"]
    assert (approval["required"], approval["authors"], approval["requestedBy"]) == (1, ["alice@example.com"], ["mo", ARGO])

    assert "cannot approve" in gated.await_answer(gated.approve("alice@example.com"), "Void")
    gated.approve("bob")
    gated.await_serving("4")
    gated.apply(ARGO, unpruned)
    gated.await_serving("4")


def test_a_second_commit_hides_no_author(gated: Gated) -> None:
    gated.require(trustedAuthors=[ARGO])
    gated.register("mo", "3", "4")
    commit(gated, author="alice")
    first = gated.await_waiting()
    commit(gated, author="carol", version="4")
    gated.await_waiting(past=first)

    assert gated.status()["approval"]["authors"] == ["alice", "carol"]
    gated.await_answer(gated.approve("alice"), "Void")
    gated.approve("bob")
    gated.await_serving("4")


def test_an_edit_while_the_version_is_missing_is_not_forgotten(gated: Gated) -> None:
    gated.require()
    gated.serve_approved()
    gated.deploy("mallory", version="9")
    gated.await_reason("VersionMissing")
    gated.deploy("carol", version="4")
    gated.await_waiting()
    until(lambda: gated.status()["version"] and "carol" in gated.status()["approval"]["requestedBy"], SECONDS, "carol's change to wait")

    assert gated.status()["approval"]["requestedBy"] == ["alice", "carol", "mallory"]
    gated.await_answer(gated.approve("mallory"), "Void")


def test_rollback_of_what_serves_asks_again_and_of_what_waits_asks_nobody(gated: Gated) -> None:
    gated.require(require={"approvals": 2})
    gated.serve_approved_by_two()
    commit(gated, version="4")
    gated.await_waiting()
    commit(gated, version="3")
    await_seen(gated, "Healthy", "Current")
    assert gated.status()["approval"]["state"] == "Approved"
    commit(gated, version="4")
    waiting = gated.await_waiting()
    for who in ("bob", "dave"):
        gated.approve(who)
    gated.await_serving("4")
    commit(gated, version="3")
    gated.await_waiting(past=waiting)


def test_prune_wants_retirement_first(gated: Gated) -> None:
    gated.require(require={"approvals": 2})
    gated.apply(ARGO, version(gated.namespace))
    gated.serve_approved_by_two()
    assert "set spec.retire: true" in prune(gated).message
    until(lambda: gated.get("ModelVersion", "churn-3")["status"].get("deployments") == 1, SECONDS, "the version to be known to serve")
    assert "serve" in prune(gated, "modelversions", "churn-3").message
    commit(gated, retire=True)
    gated.await_waiting()
    for who in ("bob", "dave"):
        gated.approve(who)
    gated.await_reason("Retired")
    assert seen(gated) == ("Healthy", "Current")
    assert prune(gated).landed
    await_gone(gated.kube, "ModelDeployment", gated.namespace)
