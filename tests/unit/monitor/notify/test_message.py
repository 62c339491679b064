"""What an owner reads."""

from __future__ import annotations

from slipway.monitor.notify.due import Due
from slipway.monitor.notify.message import SHOWN, lines, subject
from tests.unit.monitor.results import check, result


def test_what_how_bad_and_where_to_look() -> None:
    checks = (check("Warning", column="plan"), check("Critical"))
    found = result(*checks)
    due = Due("chat", (), "Critical", checks)
    assert subject(found, due) == "Critical: growth/churn (monitor daily)"
    assert lines(found, due) == [
        "Model churn, version 3, 12,345 rows from 2026-11-28T10:00:00Z to 2026-11-29T10:00:00Z.",
        "- Critical: Drift psi of age: psi 0.31 ≥ 0.2",
        "- Warning: Drift psi of plan: psi 0.31 ≥ 0.2",
        "Report: kubectl slipway monitor report daily -n growth --run daily-29402 --to report.html",
    ]


def test_of_many_the_first() -> None:
    checks = tuple(check("Warning", column=f"c{number}") for number in range(SHOWN + 3))
    assert lines(result(*checks), Due("chat", (), "Warning", checks))[-2] == "- and 3 more"
