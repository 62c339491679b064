"""Drift over time, calibration, and the matrix of confusions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from slipway.api.v1alpha1.model_monitor import CheckStatus
from slipway.monitor.report.shapes import WIDTH, Chart, Dot, Line, Word, number, percent
from slipway.monitor.result import CalibrationBin, PerformanceReport, Point

SERIES = 12
"""Checks whose past is drawn."""
PLOT, SIDE, LEFT = 80.0, 260.0, 30.0
CLASSES = 12
"""Classes that are drawn."""


@dataclass(frozen=True)
class Cell:
    """Of a confusion matrix; `share` is of its row."""

    count: int
    share: float
    right: bool


@dataclass(frozen=True)
class Matrix:
    """Rows are what was true, columns what was predicted."""

    names: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    left_out: int


def histories(points: Sequence[Point], checks: Sequence[CheckStatus]) -> list[Chart]:
    """The worst checks that have a past of at least two runs, each with its threshold."""
    charts = []
    for check in checks:
        key = "/".join((check.check, check.measure, check.column))
        values = [(place, point.values[key]) for place, point in enumerate(points) if key in point.values]
        if not check.segment and len(values) >= 2:
            charts.append(_history(check, values, points))
        if len(charts) == SERIES:
            break
    return charts


def _history(check: CheckStatus, values: Sequence[tuple[int, float]], points: Sequence[Point]) -> Chart:
    threshold = check.threshold
    known = [value for _, value in values] + ([threshold] if threshold is not None else [])
    low, high = min(0.0, *known), max(known)
    scale = PLOT / ((high - low) or 1.0)
    step = (WIDTH - 8) / max(1, len(points) - 1)

    def at(place: float, value: float) -> tuple[float, float]:
        return 4 + place * step, 6 + PLOT - (value - low) * scale

    lines = [Line([at(place, value) for place, value in values], "window")]
    if threshold is not None:
        lines.append(Line([at(0, threshold), at(len(points) - 1, threshold)], "threshold"))
    dots = [Dot(*at(place, value), 2.2, "window", f"{points[place].at}: {number(value)}") for place, value in values]
    words = [
        Word(4, PLOT + 22, points[0].at[:10], "start"),
        Word(WIDTH - 4, PLOT + 22, f"{points[-1].at[:10]}: {number(values[-1][1])}", "end"),
    ]
    name = " ".join(part for part in (check.check, check.measure, check.column) if part)
    return Chart(name, PLOT + 28, lines=lines, dots=dots, words=words)


def calibration(bins: Sequence[CalibrationBin]) -> Chart | None:
    """What share was positive, against the probability that was answered."""
    if not bins:
        return None

    def at(x: float, y: float) -> tuple[float, float]:
        return LEFT + SIDE * x, 6 + SIDE * (1 - y)

    most = max(one.rows for one in bins) or 1
    points = [at(one.mean_probability, one.share_positive) for one in bins]
    dots = [Dot(x, y, 2 + 5 * math.sqrt(one.rows / most), "window", _told(one)) for (x, y), one in zip(points, bins, strict=True)]
    words = [Word(*at(0, -0.07), "0", "start"), Word(*at(1, -0.07), "1", "end"), Word(*at(0.5, -0.07), "probability")]
    words += [Word(LEFT - 5, at(0, share)[1] + 4, str(share), "end") for share in (0, 1)]
    lines = [Line([at(0, 0), at(1, 1)], "threshold"), Line(points, "window")]
    return Chart("calibration", SIDE + 32, lines=lines, dots=dots, words=words)


def _told(one: CalibrationBin) -> str:
    return f"{percent(one.share_positive)} of {one.rows:,} rows at {percent(one.mean_probability)}"


def matrix(report: PerformanceReport) -> Matrix | None:
    """The confusion matrix of the first classes; None where there is none."""
    if not report.confusion:
        return None
    shown = min(CLASSES, len(report.classes))
    rows = []
    for true, counts in enumerate(report.confusion[:shown]):
        total = sum(counts) or 1
        rows.append([Cell(count, count / total, true == predicted) for predicted, count in enumerate(counts[:shown])])
    return Matrix(report.classes[:shown], rows, len(report.classes) - shown)
