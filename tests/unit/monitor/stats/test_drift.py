"""Checks of drift."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from slipway.api.v1alpha1.model_monitor import CheckStatus, Drift, PredictionDrift
from slipway.monitor.stats.drift import drift_checks
from tests.unit.monitor.stats.counted import kinds, normal, profile_of, window_of

BASELINE = {"in_age": normal(1, 5000), "in_plan": ["basic", "pro"] * 2500}


def _checks(window: dict[str, Any], spec: Drift | None = None, baseline: dict[str, Any] = BASELINE) -> dict[str, CheckStatus]:
    profile = profile_of(baseline)
    counted = window_of(window, profile, kinds(baseline))
    names = {name: name.removeprefix("in_") for name in baseline}
    return {check.column: check for check in drift_checks(profile, counted, spec or Drift(), "Drift", names)}


def test_the_same_is_healthy() -> None:
    found = _checks({"in_age": normal(2, 2000), "in_plan": ["basic", "pro"] * 1000})
    assert {column: (check.verdict, check.measure, check.rows) for column, check in found.items()} == {
        "age": ("Healthy", "psi", 2000),
        "plan": ("Healthy", "psi", 2000),
    }


def test_a_shift_is_critical_and_the_other_column_healthy() -> None:
    found = _checks({"in_age": normal(2, 2000, 1), "in_plan": ["basic", "pro"] * 1000})
    age = found["age"]
    assert (age.verdict, age.threshold, found["plan"].verdict) == ("Critical", 0.2, "Healthy")
    assert age.value is not None
    assert age.value > 0.2
    assert age.p_value is not None
    assert age.p_value < 0.01
    assert age.message.startswith("age drifted: psi ")


def test_between_the_thresholds_is_a_warning() -> None:
    assert _checks({"in_age": normal(2, 5000, 0.38)})["age"].verdict == "Warning"


def test_thresholds_are_inclusive() -> None:
    window = {"in_age": normal(2, 5000, 0.38)}
    value = _checks(window)["age"].value
    assert value is not None
    assert _checks(window, Drift(warning=value, critical=value))["age"].verdict == "Critical"


def test_what_chance_explains_is_no_drift() -> None:
    """A value beyond the threshold in a small window."""
    (check,) = _checks({"in_age": normal(21, 60)}, Drift(min_rows=30, warning=0.01, critical=0.02), {"in_age": BASELINE["in_age"]}).values()
    assert check.value is not None
    assert (check.value > 0.02, check.verdict) == (True, "Healthy")
    assert "chance explains" in check.message


def test_p_values_are_corrected_for_all_columns() -> None:
    rng = np.random.default_rng(3)
    many = {f"in_{index}": rng.normal(size=2000) for index in range(20)}
    alone = _checks({"in_0": rng.normal(0.09, size=2000)}, baseline={"in_0": many["in_0"]})["0"].p_value
    rng = np.random.default_rng(3)
    [rng.normal(size=2000) for _ in range(20)]
    among = _checks({"in_0": rng.normal(0.09, size=2000)} | {name: rng.normal(size=2000) for name in list(many)[1:]}, baseline=many)["0"]
    assert alone is not None
    assert among.p_value is not None
    assert among.p_value > alone


def test_excluded_columns_have_no_check() -> None:
    assert set(_checks({"in_age": normal(2, 2000)}, Drift(exclude=["plan"]))) == {"age"}


@pytest.mark.parametrize(
    ("numeric", "shown"), [("PSI", "psi"), ("JensenShannon", "jensenShannon"), ("KolmogorovSmirnov", "ks"), ("Wasserstein", "wasserstein")]
)
def test_measures_of_numbers(numeric: Any, shown: str) -> None:
    check = _checks({"in_age": normal(2, 2000, 2)}, Drift(numeric=numeric))["age"]
    assert (check.measure, check.verdict) == (shown, "Critical")


@pytest.mark.parametrize(("categorical", "shown"), [("PSI", "psi"), ("JensenShannon", "jensenShannon"), ("ChiSquare", "cramersV")])
def test_measures_of_texts(categorical: Any, shown: str) -> None:
    check = _checks({"in_plan": ["basic"] * 900 + ["new"] * 900}, Drift(categorical=categorical))["plan"]
    assert (check.measure, check.verdict) == (shown, "Critical")


def test_too_few_rows_are_no_data() -> None:
    check = _checks({"in_age": normal(2, 499)})["age"]
    assert (check.verdict, check.value, check.rows, check.message) == ("NoData", None, 499, "499 values in the window, 500 are needed")


def test_missing_columns_are_no_data() -> None:
    check = _checks({"in_age": normal(2, 2000)})["plan"]
    assert (check.verdict, check.message) == ("NoData", "the window has no such column")


def test_no_baseline_is_no_data() -> None:
    counted = window_of({"in_age": normal(2, 2000)}, None)
    (check,) = drift_checks(None, counted, PredictionDrift(), "PredictionDrift", {"in_age": "age"})
    assert (check.check, check.verdict, check.measure) == ("PredictionDrift", "NoData", "psi")


def test_a_small_baseline_is_no_data() -> None:
    assert _checks({"in_age": normal(2, 2000)}, baseline={"in_age": normal(1, 29)})["age"].verdict == "NoData"


def test_a_column_that_broke_is_an_error_and_others_are_checked() -> None:
    found = _checks({"in_age": ["old"] * 2000, "in_plan": ["basic", "pro"] * 1000})
    assert (found["age"].verdict, found["plan"].verdict) == ("Error", "Healthy")
    assert "ArrowInvalid" in found["age"].message


@pytest.mark.parametrize("measure", ["PSI", "JensenShannon", "KolmogorovSmirnov", "Wasserstein"])
def test_a_constant_drifts_once_it_is_another_value(measure: Any) -> None:
    baseline = {"in_age": np.full(1000, 7.0)}
    spec = Drift(numeric=measure)
    assert _checks({"in_age": np.full(1000, 7.0)}, spec, baseline)["age"].value == 0
    assert _checks({"in_age": np.full(1000, 9.0)}, spec, baseline)["age"].verdict == "Critical"


def test_missing_and_infinite_values_are_left_out() -> None:
    values = normal(2, 2000)
    with_bad = [*values, *([None, float("nan"), float("inf"), float("-inf")] * 500)]
    assert _checks({"in_age": with_bad})["age"].value == _checks({"in_age": values})["age"].value
