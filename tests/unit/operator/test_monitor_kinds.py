"""The worst verdict of each kind of check of a monitor, as alerts read it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from prometheus_client import REGISTRY

from slipway.telemetry import monitors

MANIFEST = {"metadata": {"namespace": "growth", "name": "daily"}, "spec": {"deployment": "churn"}}
MODEL = {"metadata": {"name": "churn"}, "spec": {"importance": "High", "owner": {"team": "growth"}}}


def told(*checks: tuple[str, str]) -> None:
    found = [{"check": check, "measure": "psi", "verdict": verdict} for check, verdict in checks]
    run: dict[str, Any] = {"finishedAt": "2026-05-01T00:00:00Z", "checks": found}
    monitors.update(MANIFEST, {"verdict": "Healthy", "run": run}, MODEL)


def value(check: str, verdict: str) -> float | None:
    labels = {"namespace": "growth", "name": "daily", "deployment": "churn", "importance": "High", "team": "growth"}
    return REGISTRY.get_sample_value("slipway_monitor_kind_verdict", labels | {"check": check, "verdict": verdict})


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    yield
    monitors.forget("growth", "daily")


def test_the_worst_of_a_kind() -> None:
    told(("Drift", "Warning"), ("Drift", "Healthy"), ("Performance", "Critical"), ("DataQuality", "Healthy"))
    assert (value("Drift", "Warning"), value("Drift", "Healthy")) == (1, 0)
    assert (value("Performance", "Critical"), value("DataQuality", "Healthy")) == (1, 1)
    assert value("Staleness", "Healthy") is None


def test_no_data_is_neither_good_nor_bad() -> None:
    told(("Drift", "NoData"), ("Drift", "Healthy"), ("Performance", "NoData"))
    assert (value("Drift", "Healthy"), value("Drift", "NoData"), value("Performance", "NoData")) == (1, 0, 1)


def test_it_follows_the_run_and_goes_with_the_monitor() -> None:
    told(("Drift", "Critical"))
    told(("Performance", "Healthy"))
    assert value("Drift", "Critical") is None
    monitors.forget("growth", "daily")
    assert value("Performance", "Healthy") is None
