"""What a report draws: calibration, confusion, residuals."""

from __future__ import annotations

import numpy as np

from slipway.monitor.performance.measure import counted, scored
from slipway.monitor.performance.numbers import FloatArray, Undefined
from slipway.monitor.performance.probability import Scored, claims, equal_bins
from slipway.monitor.performance.sample import Labelled, Numeric
from slipway.monitor.performance.segments import OTHER
from slipway.monitor.result import CalibrationBin, Histogram, PerformanceReport

MAX_CLASSES = 20
RESIDUAL_BINS = 20


def drawn(sample: Labelled | Numeric, note: str = "") -> PerformanceReport:
    """The part of a report that is about these rows."""
    if isinstance(sample, Numeric):
        return PerformanceReport(rows=sample.rows, residuals=residuals(sample.predicted - sample.truth), note=note)
    classes, matrix = confusion(list(sample.classes.names), counted(sample))
    try:
        bins = calibration(scored(sample))
    except Undefined:
        bins = []
    return PerformanceReport(rows=sample.rows, calibration=bins, classes=classes, confusion=matrix, note=note)


def calibration(rows: Scored) -> list[CalibrationBin]:
    """At most 10 bins with as many rows each; of the positive class, or of more than two the class that was answered."""
    confidence, happened = claims(rows)
    return [
        CalibrationBin(mean_probability=float(confidence[here].mean()), share_positive=float(happened[here].mean()), rows=len(here))
        for here in equal_bins(confidence)
    ]


def confusion(names: list[str], matrix: FloatArray) -> tuple[list[str], list[list[int]]]:
    """At most 20 classes: of more, the 19 most frequent in truth and answers, in their order, and the rest together."""
    if len(names) > MAX_CLASSES:
        frequent = np.sort(np.argsort(-(matrix.sum(axis=0) + matrix.sum(axis=1)), kind="stable")[: MAX_CLASSES - 1])
        place = np.full(len(names), MAX_CLASSES - 1)
        place[frequent] = np.arange(MAX_CLASSES - 1)
        merge = np.eye(MAX_CLASSES)[place]
        names, matrix = [*(names[number] for number in frequent), OTHER], merge.T @ matrix @ merge
    return names, [[round(float(count)) for count in row] for row in matrix]


def residuals(values: FloatArray) -> Histogram | None:
    """20 bins of equal width from the 1st to the 99th percentile; the first and the last take what lies beyond."""
    if not len(values):
        return None
    low, high = (float(value) for value in np.quantile(values, (0.01, 0.99)))
    if not high > low:
        low, high = low - max(0.5, abs(low) / 2), high + max(0.5, abs(high) / 2)
    edges = np.linspace(low, high, RESIDUAL_BINS + 1)
    counts = np.bincount(np.searchsorted(edges[1:-1], values, side="right"), minlength=RESIDUAL_BINS)
    return Histogram(edges=[float(edge) for edge in edges], counts=[int(count) for count in counts])
