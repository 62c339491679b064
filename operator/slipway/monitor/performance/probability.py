"""Metrics of probabilities: auc, logLoss, brier, calibrationError. Shapes: probabilities [rows, classes], truth and predicted [rows]."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from slipway.monitor.performance.numbers import Estimate, FloatArray, IntArray, Undefined, around, average_ranks, mean_error

MIN_PER_CLASS = 10
"""AUC needs so many rows of a class and of the others: DeLong's variance is of little worth below."""
BINS = 10
DRAWS = 2000
SEED = 20_240


@dataclass(frozen=True)
class Scored:
    """Rows with usable probabilities."""

    probabilities: FloatArray
    truth: IntArray
    predicted: IntArray
    positive: int | None

    @property
    def rows(self) -> int:
        return len(self.truth)


def auc(scored: Scored) -> Estimate:
    """Area under the ROC curve with DeLong's interval; of more than two classes, the mean of each class against the others."""
    classes = range(scored.probabilities.shape[1]) if scored.positive is None else [scored.positive]
    areas, influences, skipped = [], np.zeros(scored.rows), 0
    for number in classes:
        positive = scored.truth == number
        if min(np.count_nonzero(positive), np.count_nonzero(~positive)) < MIN_PER_CLASS:
            skipped += 1
            continue
        area, influence = delong(scored.probabilities[:, number], positive)
        areas.append(area)
        influences += influence
    if not areas:
        raise Undefined(_too_one_sided(scored.truth))
    value, error = float(np.mean(areas)), float(np.sqrt(np.sum(influences**2))) / len(areas)
    note = f"without {skipped} classes of fewer than {MIN_PER_CLASS} rows" if skipped else ""
    return Estimate(value, scored.rows, around(value, error, 0.0, 1.0), note)


def _too_one_sided(truth: IntArray) -> str:
    if len(np.unique(truth)) < 2:
        return "the truth has one class only"
    return f"it needs {MIN_PER_CLASS} rows of a class and of the others"


def delong(scores: FloatArray, positive: np.typing.NDArray[np.bool_]) -> tuple[float, FloatArray]:
    """AUC, and what each row adds to its error: the squares sum up to DeLong's variance (1988), by ranks (Sun and Xu 2014)."""
    ranks = average_ranks(scores)
    ones, zeros = int(np.count_nonzero(positive)), int(np.count_nonzero(~positive))
    above = (ranks[positive] - average_ranks(scores[positive])) / zeros
    below = 1 - (ranks[~positive] - average_ranks(scores[~positive])) / ones
    area = float(above.mean())
    influence = np.zeros(len(scores))
    influence[positive] = (above - area) / math.sqrt(ones * (ones - 1))
    influence[~positive] = (below - area) / math.sqrt(zeros * (zeros - 1))
    return area, influence


def log_loss(scored: Scored) -> Estimate:
    """Mean of -log of the true class's probability; a probability of 0 counts as the smallest that is told from 0 (2.2e-16)."""
    own = scored.probabilities[np.arange(scored.rows), scored.truth]
    tiny = np.finfo(np.float64).eps
    return _mean(-np.log(np.clip(own, tiny, 1 - tiny)))


def brier(scored: Scored) -> Estimate:
    """Mean squared distance of the probability from 1 or 0: of the positive class; of more than two, summed over classes (0 to 2)."""
    if scored.positive is not None:
        return _mean((scored.probabilities[:, scored.positive] - (scored.truth == scored.positive)) ** 2)
    wrong = scored.probabilities.copy()
    wrong[np.arange(scored.rows), scored.truth] -= 1
    return _mean(np.sum(wrong**2, axis=1))


def calibration_error(scored: Scored) -> Estimate:
    """Expected calibration error over 10 equal-frequency bins, weighted by rows.

    Chance alone makes it greater than it is, the more so the fewer the rows: of a perfect model it is not 0. What it exceeds the true one
    by is at most the error that a perfect model would have in its place, so a high quantile of that is taken off for the lower end. The
    upper end takes nothing off for chance. So the interval errs on the wide side. Both by 2,000 seeded draws of each bin's gap.
    """
    confidence, happened = claims(scored)
    bins = [happened[rows] - confidence[rows] for rows in equal_bins(confidence)]
    weights = np.array([len(gap) / len(confidence) for gap in bins])
    gaps, errors = np.array([gap.mean() for gap in bins]), np.array([mean_error(gap) for gap in bins])
    value = float(np.abs(gaps) @ weights)
    noise = np.random.default_rng(SEED).normal(0, errors, size=(DRAWS, len(bins)))
    perfect, drawn = np.abs(noise) @ weights, np.abs(gaps + noise) @ weights

    def between(z: float) -> tuple[float, float]:
        share = 1 - math.erfc(z / math.sqrt(2)) / 2
        low, high = value - np.quantile(perfect, share), value + np.quantile(drawn, share) - drawn.mean()
        return max(0.0, float(low)), min(1.0, float(high))

    return Estimate(value, scored.rows, between)


def claims(scored: Scored) -> tuple[FloatArray, FloatArray]:
    """What was claimed, and whether it came true: the positive class; of more than two, the class that was answered."""
    if scored.positive is not None:
        return scored.probabilities[:, scored.positive], (scored.truth == scored.positive).astype(np.float64)
    return scored.probabilities[np.arange(scored.rows), scored.predicted], (scored.truth == scored.predicted).astype(np.float64)


def equal_bins(values: FloatArray, bins: int = BINS) -> list[IntArray]:
    """Rows of each bin between quantiles of `values`. Equal values share a bin; bins of fewer than two rows join the one before."""
    edges = np.unique(np.quantile(values, np.linspace(0, 1, bins + 1)[1:-1]))
    place = np.searchsorted(edges, values, side="left")
    groups: list[IntArray] = []
    for number in range(len(edges) + 1):
        rows = np.flatnonzero(place == number).astype(np.int64)
        if groups and min(len(rows), len(groups[-1])) < 2:
            groups[-1] = np.concatenate([groups[-1], rows])
        elif len(rows):
            groups.append(rows)
    return groups


def _mean(values: FloatArray) -> Estimate:
    value = float(values.mean())
    return Estimate(value, len(values), around(value, mean_error(values), 0.0))
