"""The apiserver is asked again for exactly the rights that the word needed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from slipway.cluster.client import Cluster
from slipway.cluster.http import Request
from slipway.cluster.store import Store
from slipway.plan.gate.types import Word
from slipway.reconcile.governing import Governing
from slipway.reconcile.journal import Journal
from slipway.reconcile.provenance import Provenance
from tests.integration.samples import deployment

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
