"""Checks of the model's age."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from slipway.api.v1alpha1.model_monitor import Staleness
from slipway.monitor.stats.staleness import staleness_check

NOW = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.mark.parametrize(("days", "verdict"), [(0, "Healthy"), (30, "Healthy"), (30.5, "Warning")])
def test_a_warning_beyond_the_age(days: float, verdict: str) -> None:
    check = staleness_check(Staleness(max_age_days=30), NOW - timedelta(days=days), None, NOW)
    assert (check.value, check.verdict, check.threshold) == (days, verdict, 30.0)


def test_training_counts_before_creation() -> None:
    check = staleness_check(Staleness(max_age_days=30), NOW - timedelta(days=40), NOW, NOW)
    assert (check.verdict, check.message) == ("Warning", "trained 40.0 days ago")


def test_creation_counts_where_training_is_not_known() -> None:
    assert staleness_check(Staleness(max_age_days=30), None, NOW, NOW).message == "created 0.0 days ago"


def test_neither_known_is_no_data() -> None:
    assert staleness_check(Staleness(max_age_days=30), None, None, NOW).verdict == "NoData"


def test_a_clock_that_is_behind_makes_no_negative_age() -> None:
    assert staleness_check(Staleness(max_age_days=30), NOW + timedelta(hours=1), None, NOW).value == 0
