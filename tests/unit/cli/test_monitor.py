"""`kubectl slipway monitor`: what is shown, and when a run that was asked for has ended."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

from slipway.cli.cluster import Json
from slipway.cli.monitoring.listing import render, rows
from slipway.cli.monitoring.run import ended, trouble
from slipway.cli.monitoring.show import render as show
from slipway.cli.output import console

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
CHECK = {"check": "Drift", "measure": "psi", "column": "age", "value": 0.3149, "threshold": 0.2, "rows": 9000, "verdict": "Critical"}


def monitor(name: str, verdict: str | None, reason: str = "CheckCritical", *checks: Json, **status: Any) -> Json:
    run = {
        "id": "job-1",
        "finishedAt": "2026-11-23T11:00:00Z",
        "windowFrom": "2026-11-22T11:00:00Z",
        "windowTo": "2026-11-23T11:00:00Z",
        "rows": 9000,
        "version": "3",
        "checks": list(checks),
        "truths": {"matched": 800, "waiting": 7, "unmatched": 1},
        "report": "s3://predictions/growth/churn/monitors/q/job-1/report.html",
    }
    healthy = {"type": "Healthy", "status": "False", "reason": reason, "message": f"{name} says so"}
    ran = {"verdict": verdict, "lastRun": run["finishedAt"], "run": run} if verdict else {}
    return {
        "metadata": {"name": name, "namespace": "growth"},
        "spec": {"deployment": "churn"},
        "status": {"conditions": [healthy], **ran, **status},
    }


def shown(what: Any) -> list[str]:
    stream = io.StringIO()
    console(stream).print(what)
    return [line.rstrip() for line in stream.getvalue().splitlines()]


def test_the_worst_first() -> None:
    found = [monitor("fine", "Healthy", "AllChecksHealthy", CHECK | {"value": 0.01}), monitor("new", None, "NotRunYet")]
    found += [monitor("late", "Error", "RunsOverdue", CHECK), monitor("bad", "Critical", "CheckCritical", CHECK)]
    assert shown(render(rows(found), NOW)) == [
        "NAMESPACE  NAME  DEPLOYMENT  VERDICT   LAST RUN  ROWS  WORST CHECK",
        "growth     bad   churn       Critical  60m ago   9000  Drift psi of age: 0.3149, threshold 0.2",
        "growth     late  churn       Error     60m ago   9000  late says so",
        "growth     new   churn       -         -         0     new says so",
        "growth     fine  churn       Healthy   60m ago   9000  Drift psi of age: 0.01, threshold 0.2",
    ]


def test_one_monitor_with_its_checks_and_what_to_do() -> None:
    lines = shown(show(monitor("bad", "Critical", "CheckCritical", CHECK), NOW))
    assert lines[0] == "ModelMonitor bad of ModelDeployment churn: Critical"
    assert "truth    800 rows matched (0 late), 7 waiting, 1 unmatched" in lines
    assert "         kubectl slipway monitor report bad --to report.html" in lines
    assert any(line.startswith("Critical") and "0.3149" in line for line in lines)
    assert "CheckCritical: bad says so" in lines


def test_a_run_has_ended_when_the_result_is_of_its_job() -> None:
    before = monitor("q", "Healthy", "AllChecksHealthy", onDemand="job-0")
    assert not ended(before, before)
    assert not ended(before, monitor("q", "Healthy", "AllChecksHealthy", onDemand="job-2")), "the run before"
    assert ended(before, monitor("q", "Healthy", "AllChecksHealthy", onDemand="job-1"))


def test_why_no_run_can_start() -> None:
    found = monitor("q", None)
    assert not trouble(found, found)
    found["status"]["conditions"].append({"type": "Stalled", "status": "True", "reason": "DeploymentMissing", "message": "none"})
    assert trouble(found, found) == "DeploymentMissing: none"


def test_why_the_run_that_was_asked_for_gives_nothing() -> None:
    before = monitor("q", "Healthy", "AllChecksHealthy", onDemand="job-1")
    failed = monitor("q", "Error", "RunsFailed", onDemand="job-2")
    assert not trouble(before, failed), "another run, which failed before"
    failed["status"]["conditions"][0]["message"] = "the run that was asked for ended without a result: the log of Job job-2 says why"
    assert trouble(before, failed) == failed["status"]["conditions"][0]["message"]
    assert not trouble(failed, failed), "not asked for now"
