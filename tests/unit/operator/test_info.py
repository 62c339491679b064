"""The series about deployments, and those that must be there from the start."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from prometheus_client import REGISTRY

from slipway.telemetry import info, metrics

MANIFEST = {"metadata": {"namespace": "growth", "name": "churn"}, "spec": {"model": "churn", "version": "3"}}


def model(importance: str | None) -> dict[str, Any]:
    spec: dict[str, Any] = {"task": "BinaryClassification", "owner": {"team": "growth"}}
    return {"spec": spec | ({"importance": importance} if importance else {})}


def series(importance: str) -> float | None:
    labels = {"namespace": "growth", "deployment": "churn", "model": "churn", "version": "3", "serving": "2"}
    return REGISTRY.get_sample_value(
        "slipway_deployment_info", labels | {"task": "BinaryClassification", "team": "growth", "importance": importance}
    )


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    yield
    info.forget("growth", "churn")


def test_how_much_hangs_on_a_model_follows_the_model() -> None:
    info.update(MANIFEST, {"version": "2"}, model("High"))
    assert series("High") == 1
    info.update(MANIFEST, {"version": "2"}, model(None))
    assert (series("High"), series("")) == (None, 1)
    info.forget("growth", "churn")
    assert series("") is None


def test_ledger_failures_begin_at_zero() -> None:
    """Prometheus sees no increase in a series that begins at 1."""
    (family,) = metrics.LEDGER_FAILURES.collect()
    reasons = {sample.labels["reason"] for sample in family.samples if sample.name.endswith("_total")}
    assert reasons >= {"anchor", "append", "behind", "bug", "forked", "open"}
