"""What Argo CD shows of statuses as the plans write them."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from slipway.plan.registry import plan_version
from tests.kube import Manifest
from tests.unit.docs.pages import ROOT
from tests.unit.gitops.argocd import health
from tests.unit.operator.gate.test_gate import served
from tests.unit.operator.gate.world import NOW, SERVING, World, policy

GOLDEN = {path.name.removesuffix(".out.yaml"): path for path in sorted((ROOT / "tests/golden").glob("*.out.yaml"))}


def golden(case: str) -> Manifest:
    status = yaml.safe_load(GOLDEN[case].read_text())["status"]
    return {"metadata": {"generation": status["observedGeneration"]}, "status": status}


@pytest.mark.parametrize("case", GOLDEN)
def test_every_golden_status(case: str) -> None:
    manifest = golden(case)
    conditions = {found["type"]: found["status"] for found in manifest["status"]["conditions"]}
    expected = "Degraded" if conditions.get("Stalled") == "True" else "Healthy" if conditions["Ready"] == "True" else "Progressing"
    assert health(manifest)[0] == expected


@pytest.mark.parametrize(
    ("case", "expected"),
    [("serving", "Healthy"), ("scaled-to-zero", "Healthy"), ("upgrading", "Progressing"), ("digest-mismatch-while-old-serves", "Degraded")],
)
def test_some_by_name(case: str, expected: str) -> None:
    status, message = health(golden(case))
    assert (status, bool(message)) == (expected, True)


def test_the_first_revision_waits() -> None:
    world = World()
    world.reconcile()
    status, message = health(world.deployment)
    assert status == "Suspended"
    assert message.startswith("waits for approval: needs 1 approval")


def test_a_change_waits_while_the_old_revision_serves() -> None:
    world = served()
    assert health(world.deployment)[0] == "Healthy"
    world.edit("alice", version="4")
    assert health(world.deployment) == ("Progressing", "Slipway's operator has not seen this change yet")
    world.reconcile()
    assert health(world.deployment)[0] == "Suspended"
    world.approve("bob")
    world.reconcile()
    assert health(world.deployment)[0] == "Healthy"


@pytest.mark.parametrize("before", [World, served], ids=["first", "while the old revision serves"])
def test_a_rejected_one(before: Any) -> None:
    world = before()
    world.edit("alice", version="4")
    world.reconcile()
    world.approve("bob", decision="Reject", reason="too risky")
    world.reconcile()
    status, message = health(world.deployment)
    assert status == "Degraded"
    assert "too risky" in message


def test_a_retired_one() -> None:
    world = served()
    world.edit("alice", retire=True)
    world.reconcile()
    world.approve("bob")
    world.reconcile()
    world.reconcile()
    assert world.status["phase"] == "Retired"
    assert health(world.deployment)[0] == "Healthy"


def test_while_the_admission_policies_do_not_hold() -> None:
    world = World(guard="the admission policies have not been looked at yet")
    world.reconcile()
    assert health(world.deployment)[0] == "Progressing"


def test_approvals() -> None:
    world = World(policies=[policy(require={"approvals": 2})])
    world.reconcile()
    said = [world.approve(who) for who in ("bob", "alice")]
    assert health(said[0])[0] == "Progressing"
    world.reconcile()
    assert [health(word)[0] for word in said] == ["Healthy", "Degraded"]


def test_models_and_versions() -> None:
    world = World()
    assert health(world.model)[0] == "Healthy"
    number = world.versions["3"]
    number["status"] = dict(plan_version(number, world.model, [], SERVING, NOW).status)
    assert health(number)[0] == "Healthy"


@pytest.mark.parametrize("status", [None, {}, {"observedGeneration": -1, "conditions": []}])
def test_nothing_to_read_yet(status: Any) -> None:
    assert health({"metadata": {"generation": 1}} | ({} if status is None else {"status": status}))[0] == "Progressing"
