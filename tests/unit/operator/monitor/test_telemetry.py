"""The series of a monitor: one verdict at a time, and nothing of one that is gone."""

from __future__ import annotations

from typing import Any

from prometheus_client import REGISTRY

from slipway.telemetry import monitors

MANIFEST = {"metadata": {"namespace": "growth", "name": "q"}, "spec": {"deployment": "churn"}}
MODEL = {"metadata": {"name": "churn"}, "spec": {"importance": "High", "owner": {"team": "ds"}}}


def series() -> dict[str, list[tuple[dict[str, str], float]]]:
    found: dict[str, list[tuple[dict[str, str], float]]] = {}
    for family in REGISTRY.collect():
        for sample in family.samples:
            if sample.name.startswith("slipway_monitor") and sample.labels.get("name") == "q":
                found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found


def status(verdict: str, *checks: dict[str, Any]) -> dict[str, Any]:
    run = {"finishedAt": "2026-11-23T11:40:12Z", "checks": list(checks), "truths": {"matched": 7, "waiting": 2}}
    return {"verdict": verdict, "run": run}


def check(column: str, value: float | None, segment: str = "") -> dict[str, Any]:
    return {"check": "Drift", "measure": "psi", "column": column, "value": value, "segment": segment, "verdict": "Warning"}


def test_series_come_change_and_go() -> None:
    monitors.update(MANIFEST, status("Warning", check("age", 0.3), check("plan", None), check("age", 0.9, "plan=basic")), MODEL)
    found = series()
    assert {labels["verdict"]: value for labels, value in found["slipway_monitor_verdict"]} == {
        "Healthy": 0,
        "Warning": 1,
        "Critical": 0,
        "NoData": 0,
        "Error": 0,
    }
    assert {(labels["team"], labels["importance"], labels["model"]) for labels, _ in found["slipway_monitor_verdict"]} == {
        ("ds", "High", "churn")
    }
    assert [(labels["column"], value) for labels, value in found["slipway_monitor_check"]] == [("age", 0.3)]
    assert found["slipway_monitor_truth_matched_rows"][0][1] == 7
    assert found["slipway_monitor_last_run_timestamp_seconds"][0][1] == 1795434012
    monitors.update(MANIFEST, status("Healthy", check("tenure", 0.1)), MODEL)
    assert [(labels["column"], value) for labels, value in series()["slipway_monitor_check"]] == [("tenure", 0.1)]
    assert sum(value for _, value in series()["slipway_monitor_verdict"]) == 1
    monitors.forget("growth", "q")
    assert not series()


def test_a_suspended_monitor_is_not_late() -> None:
    monitors.update(MANIFEST | {"spec": {"deployment": "churn", "suspend": True}}, status("Healthy"), MODEL)
    assert set(series()) == {"slipway_monitor_verdict"}
    monitors.forget("growth", "q")
