"""Checks of the features' values."""

from __future__ import annotations

from typing import Any

import pytest

from slipway.api.v1alpha1.model_monitor import CheckStatus, DataQuality
from slipway.monitor.stats.quality import quality_checks
from tests.unit.monitor.stats.counted import kinds, profile_of, window_of

BASELINE = {"in_age": [20.0, 30.0, 40.0] * 100, "in_plan": ["basic", "pro", "pro"] * 100}
ALL = DataQuality(max_missing=0.1, max_out_of_range=0.1, max_unseen_categories=0.1)
NAMES = {"in_age": "age", "in_plan": "plan"}


def _checks(window: dict[str, Any], spec: DataQuality = ALL, baseline: Any = BASELINE) -> dict[tuple[str, str], CheckStatus]:
    counted = window_of(window, profile_of(baseline), kinds(baseline))
    return {(check.column, check.measure): check for check in quality_checks(counted, spec, NAMES)}


def test_what_is_checked_depends_on_the_kind() -> None:
    assert set(_checks(BASELINE)) == {("age", "missing"), ("age", "outOfRange"), ("plan", "missing"), ("plan", "unseenCategories")}
    assert {check.verdict for check in _checks(BASELINE).values()} == {"Healthy"}


def test_only_what_the_spec_limits() -> None:
    assert set(_checks(BASELINE, DataQuality(max_missing=0))) == {("age", "missing"), ("plan", "missing")}


@pytest.mark.parametrize(("missing", "verdict"), [(10, "Healthy"), (11, "Critical")])
def test_missing_above_its_share(missing: int, verdict: str) -> None:
    check = _checks({"in_age": [None, float("nan")] * (missing // 2) + [None] * (missing % 2) + [30.0] * (100 - missing)})["age", "missing"]
    assert (check.value, check.rows, check.verdict, check.threshold) == (missing / 100, 100, verdict, 0.1)


def test_out_of_range_is_a_share_of_the_values_that_are_there() -> None:
    check = _checks({"in_age": [19.9, 40.1, float("inf"), float("-inf")] + [30.0] * 46 + [None] * 50})["age", "outOfRange"]
    assert (check.value, check.rows, check.verdict) == (4 / 50, 50, "Healthy")


def test_unseen_categories() -> None:
    check = _checks({"in_plan": ["new"] * 20 + ["pro"] * 80})["plan", "unseenCategories"]
    assert (check.value, check.verdict, check.message) == (0.2, "Critical", "20 of 100 values of plan")


def test_a_column_that_is_not_there_is_missing() -> None:
    found = _checks({"in_age": [30.0] * 100})
    assert (found["plan", "missing"].value, found["plan", "missing"].verdict) == (1.0, "Critical")
    assert found["plan", "unseenCategories"].verdict == "NoData"


def test_too_few_rows_are_no_data() -> None:
    assert {check.verdict for check in _checks({"in_age": [30.0] * 99, "in_plan": ["pro"] * 99}).values()} == {"NoData"}


def test_too_many_categories_to_know_a_new_one() -> None:
    baseline = {"in_age": [30.0] * 3000, "in_plan": [str(index) for index in range(3000)]}
    assert _checks({"in_plan": ["new"] * 100}, baseline=baseline)["plan", "unseenCategories"].verdict == "NoData"


def test_a_column_that_broke_is_an_error() -> None:
    found = _checks({"in_age": ["old"] * 100, "in_plan": ["pro"] * 100})
    assert {key: check.verdict for key, check in found.items()} == {
        ("age", "missing"): "Error",
        ("age", "outOfRange"): "Error",
        ("plan", "missing"): "Healthy",
        ("plan", "unseenCategories"): "Healthy",
    }
