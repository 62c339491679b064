"""Monitors spread over the hour, and a schedule's longest pause is never underestimated."""

from __future__ import annotations

import uuid
from collections import Counter
from datetime import timedelta

import pytest

from slipway.plan.monitor.schedule import longest_pause, spread

UIDS = [str(uuid.UUID(int=number)) for number in range(1000)]


def test_a_thousand_hourly_monitors_do_not_start_together() -> None:
    minutes = Counter(int(spread(None, uid).split(" ")[0]) for uid in UIDS)
    assert set(minutes) == set(range(60))
    assert max(minutes.values()) < 3 * len(UIDS) / 60


def test_a_thousand_that_run_every_quarter_begin_at_each_of_its_minutes() -> None:
    first = Counter(spread("*/15 6-18 * * MON-FRI", uid) for uid in UIDS)
    assert set(first) == {f"{minute}-59/15 6-18 * * MON-FRI" for minute in range(15)}
    assert max(first.values()) < 2 * len(UIDS) / 15


def test_the_schedule_of_one_monitor_stays() -> None:
    assert spread(None, "u") == spread(None, "u")


@pytest.mark.parametrize("named", ["0 * * * *", "5,35 1 * * *", "* * * * *", "*/1 * * * *", "10-40/5 * * * *"])
def test_whoever_names_minutes_gets_these(named: str) -> None:
    assert spread(named, "u") == named


@pytest.mark.parametrize(
    ("schedule", "pause"),
    [
        ("7 * * * *", timedelta(hours=1)),
        ("3-59/15 * * * *", timedelta(hours=1)),
        ("0 6-18 * * *", timedelta(days=1)),
        ("0 6 * * MON-FRI", timedelta(days=7)),
        ("0 6 1 * *", timedelta(days=31)),
        ("0 6 1 JAN *", timedelta(days=366)),
    ],
)
def test_the_longest_pause(schedule: str, pause: timedelta) -> None:
    assert longest_pause(schedule) == pause
