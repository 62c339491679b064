"""`monitor list`, `show` and `run`."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

import pytest

from slipway.cli.cluster import Json
from slipway.cli.monitors.listing import render as render_list
from slipway.cli.monitors.rows import rows
from slipway.cli.monitors.run import is_of
from slipway.cli.monitors.show import render as render_one
from slipway.cli.output import console
from tests.unit.cli.governance.samples import EVIL

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


def check(verdict: str, **more: Any) -> Json:
    return {"check": "Drift", "measure": "psi", "column": "age", "value": 0.31, "threshold": 0.2, "rows": 576, "verdict": verdict} | more


def monitor(name: str, verdict: str | None = "Healthy", **run: Any) -> Json:
    found = {
        "id": "r1",
        "finishedAt": "2026-11-29T11:58:00.5Z",
        "windowFrom": "2026-11-28T11:57:00Z",
        "windowTo": "2026-11-29T11:57:00Z",
        "rows": 576,
        "version": "1",
        "verdict": verdict,
        "checks": [check("Healthy"), check(verdict or "Healthy", column="wind")],
    } | run
    healthy = {"type": "Healthy", "status": "False", "reason": "Critical", "message": f"{name} is {verdict}"}
    status = {"verdict": verdict, "lastRun": "2026-11-29T11:58:00Z", "run": found, "conditions": [healthy]} if verdict else {}
    return {"metadata": {"name": name, "namespace": "growth"}, "spec": {"deployment": "rain"}, "status": status}


def printed(renderable: Any) -> str:
    stream = io.StringIO()
    console(stream).print(renderable)
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines())


def test_the_worst_first_and_one_that_never_ran_before_the_healthy() -> None:
    verdicts = ["Healthy", None, "NoData", "Warning", "Error", "Critical"]
    found = rows([monitor(f"m{number}", verdict) for number, verdict in enumerate(verdicts)])
    assert [row["verdict"] for row in found] == ["Critical", "Error", "Warning", "NoData", "", "Healthy"]


def test_the_table_names_the_worst_check() -> None:
    said = printed(render_list(rows([monitor("rain", "Critical"), monitor("new", None)]), NOW)).splitlines()
    assert said[0].split() == ["NAMESPACE", "NAME", "DEPLOYMENT", "VERDICT", "LAST", "RUN", "VERSION", "ROWS", "WORST", "MESSAGE"]
    assert "Drift of wind psi 0.31" in said[1]
    assert "rain is Critical" in said[1]
    assert "not looked at yet" in said[2]


def test_one_monitor_check_by_check() -> None:
    one = check("Critical", check="Performance", measure="auc", column="", segment="plan=basic", lower=0.61, upper=0.69, pValue=None)
    truths = {"matched": 300, "waiting": 4, "unmatched": 2, "late": 1}
    found = monitor("rain", "Critical", checks=[check("Healthy"), one], truths=truths, report="s3://log/report.html")
    said = printed(render_one(found))
    assert said.index("Performance auc, plan=basic") < said.index("Drift of age psi")
    for part in ("0.31 (0.61–0.69)", "300 matched, 4 waiting, 2 unmatched, 1 late", "Report: s3://log/report.html", "576 rows"):
        assert part in said


def test_nothing_from_the_cluster_is_interpreted() -> None:
    found = monitor("rain", "Critical", checks=[check("Critical", column=EVIL, message=EVIL)], worstSegment=EVIL)
    said = printed(render_one(found)) + printed(render_list(rows([found]), NOW))
    assert "\x1b" not in said
    assert "[bold]b[/]" in said


@pytest.mark.parametrize(
    ("asked", "last", "expected"),
    [
        ("2026-11-29T11:57:00Z", "2026-11-29T11:58:00Z", True),
        ("2026-11-29T11:57:01Z", "2026-11-29T11:58:00Z", False),  # a run that had begun before
        ("2026-11-29T11:57:00Z", "2026-11-29T11:43:00Z", False),  # the operator has not drawn its conclusions
    ],
)
def test_a_run_answers_who_asked_before_its_window_ended(asked: str, last: str, expected: bool) -> None:
    found = monitor("rain")
    found["status"]["lastRun"] = last
    assert is_of(found, datetime.fromisoformat(asked)) is expected


def test_one_that_never_ran_answers_nobody() -> None:
    assert not is_of(monitor("rain", None), NOW)
