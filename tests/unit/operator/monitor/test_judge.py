"""What is thought of a deployment with several monitors."""

from __future__ import annotations

from typing import Any

from slipway.api.v1alpha1.model_monitor import WORST_FIRST
from slipway.plan.monitor.judge import worst_health


def monitor(name: str, verdict: str | None, status: str = "False", reason: str = "CheckWarning") -> dict[str, Any]:
    condition = {"type": "Healthy", "status": status, "reason": reason, "message": f"of {name}"}
    return {"metadata": {"name": name}, "status": {"conditions": [condition]} | ({"verdict": verdict} if verdict else {})}


def test_the_worst_speaks_for_all() -> None:
    all_of_them = [monitor(f"m-{verdict}", verdict) for verdict in reversed(WORST_FIRST)]
    while all_of_them:
        found = worst_health(all_of_them)
        assert found is not None
        assert found[2] == f"{all_of_them[-1]['metadata']['name']}: of {all_of_them[-1]['metadata']['name']}"
        all_of_them.pop()


def test_unknown_stays_unknown() -> None:
    found = worst_health([monitor("quiet", None, "Unknown", "NotRunYet")])
    assert found is not None
    assert found[0] is None


def test_without_a_monitor_there_is_no_condition() -> None:
    assert worst_health([]) is None
    assert worst_health([{"metadata": {"name": "new"}, "status": {"observedGeneration": -1}}]) is None
