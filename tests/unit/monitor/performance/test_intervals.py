"""Intervals hold what they promise: over seeded simulations, the true value lies in 95 % of them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest, norm, rankdata  # type: ignore[import-untyped,unused-ignore]
from sklearn import metrics as reference

from slipway.api.v1alpha1.model import Task
from slipway.api.v1alpha1.model_monitor import Metric
from slipway.monitor.performance.evaluate import evaluate
from slipway.monitor.performance.numbers import average_ranks, wilson, z_of
from slipway.monitor.performance.probability import delong
from tests.unit.monitor.performance.tables import binary, binary_table, multiclass, multiclass_table, regression, regression_table, spec

RUNS, ROWS, SLACK = 300, 500, 0.04
"""Of 300 runs, 95 % ± 4 %: three standard deviations of chance, and a little for approximations."""
BINARY: tuple[Metric, ...] = ("accuracy", "precision", "recall", "f1", "auc", "logLoss", "brier")
NUMBERS: tuple[Metric, ...] = ("mae", "rmse", "r2")


def coverage(task: Task, metrics: tuple[Metric, ...], truth: dict[str, float]) -> dict[str, float]:
    """The share of intervals that hold the true value."""
    hits: dict[str, int] = dict.fromkeys(metrics, 0)
    for seed in range(RUNS):
        for check in evaluate(_table(task, ROWS, seed), task, spec(*metrics)).checks:
            assert check.lower is not None
            assert check.upper is not None
            hits[check.measure] += check.lower <= truth[check.measure] <= check.upper
    return {name: count / RUNS for name, count in hits.items()}


def truly(task: Task, metrics: tuple[Metric, ...]) -> dict[str, float]:
    """The true values, from 300,000 other rows."""
    checks = evaluate(_table(task, 300_000, 1_000_003), task, spec(*metrics)).checks
    return {check.measure: float(check.value or 0) for check in checks}


def _table(task: Task, rows: int, seed: int) -> object:
    if task == "BinaryClassification":
        return binary_table(*binary(rows, seed, steep=2))
    if task == "MulticlassClassification":
        return multiclass_table(*multiclass(rows, seed))
    return regression_table(*regression(rows, seed))


@pytest.mark.parametrize(
    ("task", "metrics"), [("BinaryClassification", BINARY), ("MulticlassClassification", BINARY), ("Regression", NUMBERS)]
)
def test_coverage(task: Task, metrics: tuple[Metric, ...]) -> None:
    found = coverage(task, metrics, truly(task, metrics))
    assert found == pytest.approx(dict.fromkeys(metrics, 0.95), abs=SLACK)


def test_coverage_of_the_calibration_error_is_at_least_that() -> None:
    """It errs on the wide side, and reports no miscalibration of a model that has none."""
    metrics: tuple[Metric, ...] = ("calibrationError",)
    assert coverage("BinaryClassification", metrics, truly("BinaryClassification", metrics))["calibrationError"] >= 0.91
    lower = [evaluate(binary_table(*binary(ROWS, seed)), "BinaryClassification", spec(*metrics)).checks[0].lower for seed in range(RUNS)]
    assert sum(value != 0 for value in lower) / RUNS <= 0.05


def test_delong_is_the_sum_over_all_pairs() -> None:
    truth, score = binary(300, 1)
    score = score.round(1)
    ones, zeros = score[truth == 1], score[truth == 0]
    wins = (ones[:, None] > zeros) + 0.5 * (ones[:, None] == zeros)
    variance = wins.mean(axis=1).var(ddof=1) / len(ones) + wins.mean(axis=0).var(ddof=1) / len(zeros)
    area, influence = delong(score, truth == 1)
    assert area == pytest.approx(reference.roc_auc_score(truth, score), abs=1e-12)
    assert float(np.sum(influence**2)) == pytest.approx(variance, rel=1e-9)


def test_ranks_are_scipys() -> None:
    values = np.random.default_rng(0).integers(0, 20, 200).astype(float)
    assert average_ranks(values) == pytest.approx(rankdata(values))


def test_wilson_is_scipys() -> None:
    interval = binomtest(17, 50).proportion_ci(0.95, method="wilson")
    assert wilson(17, 50, z_of(0.95)) == pytest.approx((interval.low, interval.high), abs=1e-12)
    assert z_of(0.95) == pytest.approx(norm.ppf(0.975))
