"""A result with everything in it that a report draws, and with words that would break a careless page."""

from __future__ import annotations

from typing import Any

import numpy as np

from slipway.api.v1alpha1.model_monitor import CheckStatus, Truths
from slipway.monitor.result import (
    BaselineUsed,
    CalibrationBin,
    ColumnReport,
    Histogram,
    PerformanceReport,
    Point,
    Result,
    SegmentReport,
)
from tests.unit.monitor.results import check, result

EVIL = '<script>alert(1)</script>"><img src=x onerror=alert(2)>{{7*7}}'
LONG = "a_feature_whose_name_goes_on_and_on_without_any_place_to_break_it_" * 3


def full(columns: int = 60) -> Result:
    """Sixty columns, ten runs, performance, an estimate, and segments."""
    names = [EVIL[:120], LONG[:180], *(f"column_{number}" for number in range(2, columns))]
    checks = [check("Healthy", column=name, value=0.01 * place, threshold=0.1, p_value=0.5, rows=900) for place, name in enumerate(names)]
    checks[0] = check("Critical", column=names[0], value=0.4, threshold=0.2, p_value=1e-9, rows=900, message=EVIL)
    checks[1] = check("Warning", column=names[1], value=0.15, threshold=0.1, p_value=1e-4, rows=900)
    checks += [
        check("Critical", "Performance", measure="auc", column="", value=0.61, lower=0.55, upper=0.66, threshold=0.7, message="auc 0.61"),
        check("Error", "ServiceHealth", measure="errorRate", column="", value=None, message="OSError: gone"),
        check("NoData", "EstimatedPerformance", measure="auc", column="", value=None, message="not calibrated"),
    ]
    found = result(
        *checks,
        columns=[_column(place, name) for place, name in enumerate(names)],
        baseline=BaselineUsed(kind="Version", rows=20_000, source="s3://models/churn/3.baseline.parquet", note=EVIL),
        performance=_performance(),
        estimate=PerformanceReport(estimated=True, rows=400, note="refused: calibration is not shown"),
        segments=[_segment(name) for name in (f"plan={EVIL}"[:320], "plan=basic")],
        history=_history(checks),
    )
    counts = {"Critical": 2, "Error": 1, "Warning": 1, "NoData": 1, "Healthy": columns - 2}
    truths = Truths(matched=1200, waiting=300, unmatched=20, late=7)
    return found.model_copy(
        update={"run": found.run.model_copy(update={"truths": truths, "worst_segment": "plan=basic", "counts": counts, "message": EVIL})}
    )


def _column(place: int, name: str) -> ColumnReport:
    random = np.random.default_rng(place)
    if place % 3:
        edges = sorted(random.normal(40, 12, 11).tolist())
        sides = [Histogram(edges=edges, counts=random.integers(50, 150, 10).tolist()) for _ in range(2)]
        more: Any = {"minimum": edges[0], "maximum": edges[-1], "mean": 41.5, "baseline_mean": 40.0, "out_of_range": 3}
        return ColumnReport(name=name, role="Feature", type="Number", rows=1000, missing=10, baseline=sides[0], window=sides[1], **more)
    categories = [EVIL[:60], *(f"category {number}" for number in range(20)), "other"]
    sides = [Histogram(categories=categories, has_rest=True, counts=random.integers(1, 90, 22).tolist()) for _ in range(2)]
    return ColumnReport(
        name=name,
        role="Output" if place == 3 else "Feature",
        type="Category",
        rows=1000,
        missing=0,
        unseen=4,
        baseline=sides[0],
        window=sides[1],
    )


def _performance() -> PerformanceReport:
    bins = [
        CalibrationBin(mean_probability=0.05 + 0.1 * place, share_positive=min(1, 0.04 + 0.11 * place), rows=40 * (place + 1))
        for place in range(10)
    ]
    classes = [f"class {number}" for number in range(14)]
    confusion = [[200 if true == predicted else 3 * predicted for predicted in range(14)] for true in range(14)]
    residuals = Histogram(edges=[-3.0, -1.0, 0.0, 1.0, 3.0], counts=[5, 40, 44, 6])
    return PerformanceReport(rows=1200, calibration=bins, classes=classes, confusion=confusion, residuals=residuals)


def _segment(name: str) -> SegmentReport:
    auc = CheckStatus(
        check="Performance", measure="auc", segment=name, value=0.5, lower=0.4, upper=0.6, threshold=0.7, rows=300, verdict="Critical"
    )
    return SegmentReport(segment=name, rows=300, checks=[auc])


def _history(checks: list[CheckStatus]) -> list[Point]:
    keys = {"/".join((one.check, one.measure, one.column)): one.value for one in checks if one.value is not None}
    return [
        Point(at=f"2026-11-{19 + day}T10:00:07Z", verdict="Healthy", values={key: value * day / 10 for key, value in keys.items()})
        for day in range(1, 11)
    ]
