"""A result from its pieces."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

from slipway.api.v1alpha1.model_monitor import MAX_CHECKS, ModelMonitorSpec
from slipway.monitor.assemble import Found, When, failed_run, point_of, result_of
from slipway.monitor.log.span import Span
from slipway.monitor.objects import Objects, plain
from slipway.monitor.result import BaselineUsed, Point, Result
from slipway.monitor.store.reports import KEPT, with_history
from tests.unit.monitor.results import check

NOW = datetime(2026, 11, 29, 10, tzinfo=UTC)
WHEN = When(Span.before(NOW, timedelta(days=1)), NOW, NOW + timedelta(seconds=3.25))
SPEC = {"deployment": "churn", "staleness": {"maxAgeDays": 90}}
MONITOR: dict[str, Any] = {
    "metadata": {"name": "daily", "namespace": "growth", "uid": "u", "generation": 4},
    "spec": SPEC,
    "status": {"run": {"notified": "Warning 2026-11-28T10:00:00Z"}},
}
OBJECTS = Objects(
    MONITOR,
    {"spec": {"model": "churn", "version": "3"}},
    {"spec": {"task": "Regression", "owner": {"team": "growth"}, "importance": "High"}},
    {},
    ModelMonitorSpec.model_validate(SPEC),
)


def made(*checks: Any) -> Result:
    return result_of(OBJECTS, Found(checks, BaselineUsed(kind="None"), 12, "3"), "run-1", "s3://log/report.html", WHEN)


def test_the_worst_come_first() -> None:
    checks = [
        check("Healthy"),
        check("Warning", value=0.11, threshold=0.1),
        check("NoData"),
        check("Critical", value=0.3, threshold=0.2),
        check("Error"),
        check("Critical", value=0.9, threshold=0.2),
    ]
    found = made(*checks)
    assert [(one.verdict, one.value) for one in found.checks][:4] == [
        ("Critical", 0.9),
        ("Critical", 0.3),
        ("Error", 0.31),
        ("Warning", 0.11),
    ]
    assert found.run.counts == {"Critical": 2, "Error": 1, "Warning": 1, "NoData": 1, "Healthy": 1}
    assert found.run.message == "Critical: Drift psi age: psi 0.31 ≥ 0.2 (2 of 6 checks)"


def test_the_status_has_the_worst_fifty() -> None:
    found = made(*(check("Healthy", column=str(place)) for place in range(80)), check("Warning"))
    assert (len(found.run.checks), len(found.checks), found.run.checks[0].verdict) == (MAX_CHECKS, 81, "Warning")
    assert sum(found.run.counts.values()) == 81


def test_what_json_does_not_know_is_not_known() -> None:
    (one,) = made(check("Healthy", value=math.nan, upper=math.inf, lower=0.5)).checks
    assert (one.value, one.upper, one.lower) == (None, None, 0.5)


def test_who_and_when() -> None:
    found = made(check("Healthy"))
    assert found.monitored.model_dump(exclude_defaults=True) == {
        "namespace": "growth",
        "name": "daily",
        "uid": "u",
        "deployment": "churn",
        "model": "churn",
        "version": "3",
        "team": "growth",
        "importance": "High",
    }
    run = found.run
    assert (run.window_from, run.window_to, run.finished_at) == ("2026-11-28T10:00:00Z", "2026-11-29T10:00:00Z", "2026-11-29T10:00:03.250Z")
    assert (run.seconds, run.generation, run.rows, run.notified) == (3.25, 4, 12, "Warning 2026-11-28T10:00:00Z")


def test_nothing_is_known() -> None:
    assert made(check("NoData"), check("NoData")).run.verdict == "NoData"
    assert made(check("NoData")).run.message == "0 of 1 checks are healthy, the others have no data"


def test_a_run_that_failed() -> None:
    run = failed_run(MONITOR, "run-1", "OSError: gone" * 1000, WHEN)
    assert (run.verdict, run.notified, len(run.message)) == ("Error", "Warning 2026-11-28T10:00:00Z", 1024)
    assert all(value is not None for value in plain(run).values())


def test_the_history_is_bounded() -> None:
    found = made(check("Healthy", value=0.05), check("Critical", "Performance", measure="auc", column="", segment="plan=a"))
    now = point_of(found)
    assert now.values == {"Drift/psi/age": 0.05}
    earlier = [Point(at=str(place), verdict="Healthy", values={}) for place in range(300)]
    history = with_history(found, earlier, now).history
    assert (len(history), history[-1], history[-2].at) == (KEPT, now, "299")
