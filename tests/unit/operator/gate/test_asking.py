"""The apiserver is asked again for exactly the rights that the word needed."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from slipway.cluster.client import Cluster
from slipway.cluster.http import Request, Unavailable
from slipway.cluster.resources import APPROVAL_POLICY, MODEL, MODEL_APPROVAL, MODEL_DEPLOYMENT, MODEL_VERSION, NAMESPACE
from slipway.cluster.store import Store
from slipway.plan.gate.types import Word
from slipway.plan.types import Plan
from slipway.reconcile.governing import Governing
from slipway.reconcile.guard import Guard
from slipway.reconcile.journal import Journal
from slipway.reconcile.provenance import Provenance
from slipway.reconcile.queue import ObjectKey
from slipway.reconcile.reconciler import Reconciler
from tests.integration.samples import deployment
from tests.unit.operator.gate.world import NOW, SERVING, World

ROBOT = "system:serviceaccount:ci:gate"


def word(approver: str, decision: str = "Approve") -> Word:
    role = "risk" if decision == "Approve" else None
    return Word("w", "uid", "v1:", role, decision, approver, ("people",), "", datetime(2026, 11, 25, tzinfo=UTC))


@pytest.mark.parametrize(
    ("who", "decision", "granted", "may"),
    [
        ("bob", "Approve", {"approve approvalroles/risk"}, True),
        ("bob", "Approve", {"approve approvalroles/platform", "automate approvalroles/risk"}, False),
        (ROBOT, "Approve", {"approve approvalroles/risk"}, False),
        (ROBOT, "Approve", {"approve approvalroles/risk", "automate approvalroles/risk"}, True),
        ("bob", "Override", {"override modeldeployments/churn"}, True),
        ("bob", "Override", {"approve approvalroles/risk"}, False),
    ],
)
async def test_rights(who: str, decision: str, granted: set[str], may: bool) -> None:
    async def apiserver(request: Request) -> Any:
        spec = request.body["spec"]
        asked = spec["resourceAttributes"]
        assert (spec["user"], spec["groups"], asked["namespace"], asked["group"]) == (who, ["people"], "n", "slipway.dev")
        return {"status": {"allowed": f"{asked['verb']} {asked['resource']}/{asked['name']}" in granted}}

    governing = Governing(Store(), Cluster(apiserver), Provenance(Journal()), None)
    assert await governing.ask(deployment("n"), [word(who, decision)]) == {"uid": may}


class Holding:
    """A guard that sees the admission policies hold."""

    trouble = ""
    valid_from = None

    async def look(self, since: datetime) -> None:
        pass


async def test_an_override_whose_author_lost_the_right_to_it_keeps_no_approval_from_opening_the_gate() -> None:
    world, store = World(), Store()
    created: list[str | None] = []
    world.reconcile()
    world.approve("eve", decision="Override")
    world.approve("bob")

    async def apiserver(request: Request) -> Any:
        if request.path.endswith("/subjectaccessreviews"):
            return {"status": {"allowed": request.body["spec"]["user"] == "bob"}}
        if request.method == "GET":
            return world.deployment
        created.append((request.body or {}).get("kind"))
        spec = world.deployment["spec"] | {"deployment": "churn"}
        return {
            "spec": spec,
            **request.body,
            "metadata": {**world.deployment["metadata"], **request.body["metadata"], "resourceVersion": "100"},
        }

    namespace = {"metadata": {"name": "n", "resourceVersion": "1", "labels": {"slipway.dev/stage": "production"}}}
    store.put(NAMESPACE, namespace)
    store.put(APPROVAL_POLICY, {**world.policies[0], "metadata": {"name": "production", "resourceVersion": "1"}})
    for resource, found in ((MODEL, world.model), (MODEL_VERSION, world.versions["3"]), (MODEL_DEPLOYMENT, world.deployment)):
        store.put(resource, found)
    for approval in world.approvals:
        store.put(MODEL_APPROVAL, approval)
    told = cast(Guard, Holding())
    reconciler = Reconciler(store, lambda *_: None, Cluster(apiserver), SERVING, Journal(), lambda: NOW, lambda: 0.0, told)
    await reconciler.reconcile(ObjectKey("ModelDeployment", "n", "churn"))

    assert "ControllerRevision" in created


@pytest.mark.parametrize(("labels", "found"), [({"slipway.dev/stage": "production"}, True), ({}, False)])
async def test_a_namespaces_watch_may_lag(labels: dict[str, str], found: bool) -> None:
    async def apiserver(request: Request) -> Any:
        assert (request.method, request.path) == ("GET", "/api/v1/namespaces/n")
        return {"metadata": {"name": "n", "uid": "n", "resourceVersion": "7", "labels": labels}}

    guard: Any = SimpleNamespace(trouble="", valid_from=None)
    governing = Governing(Store(), Cluster(apiserver), Provenance(Journal()), guard)
    manifest = deployment("n")
    manifest["metadata"]["uid"] = "d"
    assert await governing.look(manifest) is None
    assert await governing.find_stage(manifest) is found
    governance = await governing.look(manifest)
    assert (governance.stage if governance else None) == ("production" if found else None)


async def test_an_answer_that_is_lost_is_given_later() -> None:
    async def apiserver(request: Request) -> Any:
        raise Unavailable(503, "ServiceUnavailable", "try again")

    store = Store()
    meta = {"name": "a", "namespace": "n", "uid": "a", "resourceVersion": "1"}
    store.put(MODEL_APPROVAL, {"metadata": meta, "spec": {"deployment": "churn"}})
    governing = Governing(store, Cluster(apiserver), Provenance(Journal()), None)
    assert await governing.answer(deployment("n"), Plan(answers={"a": {"observedGeneration": 1}}))
    assert await governing.answer(deployment("n"), Plan()) is None
