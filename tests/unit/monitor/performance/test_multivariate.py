"""A classifier sees what no single column shows, and nothing where nothing is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from slipway.api.v1alpha1.model_monitor import Thresholds
from slipway.monitor.performance.multivariate import domain_check

LIMITS = Thresholds(warning=0.55, critical=0.65)


def rows(count: int, seed: int, correlation: float = 0.0, **more: Any) -> pa.Table:
    """Two columns whose distributions are the same for every correlation, a category and missing values."""
    rng = np.random.default_rng(seed)
    first, noise = rng.normal(0, 1, count), rng.normal(0, 1, count)
    second = correlation * first + np.sqrt(1 - correlation**2) * noise
    second[rng.random(count) < 0.1] = np.nan
    plan = pa.array(np.where(rng.random(count) < 0.3, "basic", "pro"), mask=rng.random(count) < 0.1)
    return pa.table({"in_first": first, "in_second": second, "in_plan": plan, "in_flag": pa.array(rng.random(count) < 0.5), **more})


@pytest.mark.parametrize("seed", range(5))
def test_no_shift(seed: int) -> None:
    check = domain_check(rows(3_000, 2 * seed), rows(2_000, 2 * seed + 1), LIMITS, seed)
    assert check.value == pytest.approx(0.5, abs=0.04)
    assert (check.verdict, check.threshold, check.rows) == ("Healthy", 0.55, 2_000)
    assert check.p_value is not None
    assert check.p_value > 0.001


def test_a_correlation_that_no_column_shows() -> None:
    check = domain_check(rows(4_000, 0, 0.8), rows(4_000, 1, -0.8), LIMITS, 0)
    assert (check.verdict, check.threshold) == ("Critical", 0.65)
    assert check.p_value is not None
    assert check.p_value < 1e-6


def test_of_many_rows_some_are_drawn_and_the_seed_decides() -> None:
    baseline, window = rows(30_000, 0), rows(12_000, 1, 0.3)
    first, second = (domain_check(baseline, window, LIMITS, 7) for _ in range(2))
    assert first == second
    assert first.rows == 12_000


@pytest.mark.parametrize(
    ("baseline", "window", "reason"),
    [
        (rows(100, 0), rows(1_000, 1), "the baseline has 100 rows, 300 are needed"),
        (rows(1_000, 0), rows(0, 1), "the window has 0 rows, 300 are needed"),
        (rows(400, 0), pa.table({"in_other": [1.0] * 400}), "no column of numbers or texts in common"),
        (pa.table({"in_x": [[1]] * 400}), pa.table({"in_x": [[2]] * 400}), "no column of numbers or texts in common"),
    ],
)
def test_without_rows_or_columns_there_is_no_data(baseline: pa.Table, window: pa.Table, reason: str) -> None:
    check = domain_check(baseline, window, LIMITS, 0)
    assert check.verdict == "NoData"
    assert reason in check.message


def test_weird_columns_harm_nothing() -> None:
    count = 500
    weird: dict[str, Any] = {
        "in_infinite": [float("inf"), -1.0] * (count // 2),
        "in_constant": [1] * count,
        "in_empty": pa.nulls(count, pa.float64()),
        "in_nothing": pa.nulls(count),
        "in_no_text": pa.nulls(count, pa.string()),
        "in_id": [f"id-{number}" for number in range(count)],
        "in_list": [[1]] * count,
        "in_huge": [2**63 - 1] * count,
    }
    other = rows(count, 1, **weird).set_column(0, "in_first", pa.array(["text"] * count))
    check = domain_check(rows(count, 0, **weird), other, LIMITS, 0)
    assert check.verdict == "Healthy"
    assert "left out: in_first, in_nothing, in_no_text, in_list" in check.message
    assert check.value == pytest.approx(0.5, abs=0.1)


def test_thresholds_may_be_left_out() -> None:
    assert domain_check(rows(500, 0, 0.9), rows(500, 1, -0.9), Thresholds(), 0).verdict == "Healthy"
