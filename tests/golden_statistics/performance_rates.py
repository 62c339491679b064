"""Prints how often performance checks ring: the tables of docs/monitors/performance.md.

PYTHONPATH=.:operator python tests/golden_statistics/performance_rates.py
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa

from slipway.api.v1alpha1.model import Task
from slipway.api.v1alpha1.model_monitor import Metric, MetricThresholds, Thresholds
from slipway.monitor.performance.evaluate import evaluate, read
from slipway.monitor.performance.measure import measure
from slipway.monitor.performance.multivariate import domain_check
from slipway.monitor.performance.verdict import Judge
from tests.unit.monitor.performance.tables import binary, binary_table, regression, regression_table, spec
from tests.unit.monitor.performance.test_multivariate import rows as features

WINDOWS = 1000
SIZES = (300, 1_000, 5_000)
WORSE = (0.0, 0.02, 0.05, 0.1)
"""How far the true value is on the bad side of the threshold, as a share of the threshold."""


def a_binary(rows: int, seed: int) -> pa.Table:
    return binary_table(*binary(rows, seed))


def a_regression(rows: int, seed: int) -> pa.Table:
    return regression_table(*regression(rows, seed))


CASES: dict[Metric, tuple[Task, Callable[[int, int], pa.Table], int]] = {
    "accuracy": ("BinaryClassification", a_binary, 1),
    "f1": ("BinaryClassification", a_binary, 1),
    "auc": ("BinaryClassification", a_binary, 1),
    "logLoss": ("BinaryClassification", a_binary, -1),
    "mae": ("Regression", a_regression, -1),
    "rmse": ("Regression", a_regression, -1),
}


def rates(metric: Metric, size: int) -> list[float]:
    """The share of windows that ring, for each of WORSE."""
    task, make, better = CASES[metric]
    true = evaluate(make(1_000_000, 10**6), task, spec(metric)).checks[0].value or 0.0
    limits = [true / (1 - better * worse) for worse in WORSE]
    rang = np.zeros(len(WORSE))
    for seed in range(WINDOWS):
        estimate = measure(metric, read(make(size, seed), task, None))
        rang += [Judge().judged(MetricThresholds(name=metric, warning=at), estimate).verdict != "Healthy" for at in limits]
    return [float(count / WINDOWS) for count in rang]


def performance() -> None:
    print("| metric | rows | " + " | ".join(f"{worse:.0%} worse" if worse else "just at it" for worse in WORSE) + " |")
    print("|---|---|" + "---|" * len(WORSE))
    for metric in CASES:
        for size in SIZES:
            print(f"| {metric} | {size:,} | " + " | ".join(f"{rate:.1%}" for rate in rates(metric, size)) + " |", flush=True)


def domain() -> None:
    limits = Thresholds(warning=0.55)
    print("| rows of each | no shift | correlation 0 → 0.3 | 0 → 0.6 |\n|---|---|---|---|")
    for size in (500, 2_000):
        rang = [
            sum(
                domain_check(features(size, 2 * seed), features(size, 2 * seed + 1, correlation), limits, seed).verdict != "Healthy"
                for seed in range(WINDOWS)
            )
            / WINDOWS
            for correlation in (0.0, 0.3, 0.6)
        ]
        print(f"| {size:,} | " + " | ".join(f"{rate:.1%}" for rate in rang) + " |", flush=True)


if __name__ == "__main__":
    performance()
    domain()
