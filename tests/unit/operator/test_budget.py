"""Budgets: so many at once, then one at a time; and Events that stay within theirs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from slipway.api.conditions import EventReason
from slipway.cluster.client import Cluster
from slipway.cluster.http import Request
from slipway.plan.types import EventDraft
from slipway.reconcile.budget import Budget
from slipway.reconcile.event_budget import BURST, SECONDS, Recorder
from slipway.telemetry import metrics

OBJECT = {
    "apiVersion": "slipway.dev/v1alpha1",
    "kind": "ModelDeployment",
    "metadata": {"name": "churn", "namespace": "n", "uid": "u", "resourceVersion": "1"},
}


def test_a_burst_then_one_at_a_time() -> None:
    budget = Budget(3, 10)
    assert [budget.wait("a", 0) for _ in range(4)] == [0, 0, 0, 10]
    assert budget.wait("b", 0) == 0, "keys are apart"
    assert budget.wait("a", 4) == pytest.approx(6)
    assert budget.wait("a", 10) == 0
    assert budget.wait("a", 10) == 10
    assert [budget.wait("a", 1000) for _ in range(4)] == [0, 0, 0, 10], "it never holds more than the burst"


def test_full_buckets_are_not_remembered() -> None:
    budget = Budget(3, 10)
    for number in range(5000):
        budget.wait(number, float(number))
    assert len(budget) < 2000


async def test_events_of_one_reason_about_one_object_are_rationed() -> None:
    recorded: list[str] = []
    now = 0.0

    async def apiserver(request: Request) -> Any:
        recorded.append(request.body["reason"])
        return request.body

    dropped = metrics.EVENTS_DROPPED.labels("ChildRepaired")
    before = dropped._value.get()
    recorder = Recorder(Cluster(apiserver), lambda: datetime(2026, 11, 23, tzinfo=UTC), lambda: now)
    repaired = EventDraft(EventReason.CHILD_REPAIRED, "Service churn was changed", warning=True)
    for _ in range(BURST + 5):
        await recorder.record(OBJECT, (repaired,))
    assert len(recorded) == BURST
    assert dropped._value.get() - before == 5
    await recorder.record(OBJECT, (EventDraft(EventReason.SERVING, "version 3 answers"),))
    assert recorded[-1] == "Serving", "another reason has its own budget"
    now = SECONDS
    for _ in range(2):
        await recorder.record(OBJECT, (repaired,))
    assert recorded[BURST + 1 :] == ["ChildRepaired"]
