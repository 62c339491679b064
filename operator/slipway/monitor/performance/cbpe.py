"""Confidence-based performance estimation: what calibrated probabilities say about the labels that nobody knows yet.

A row answered positive with a calibrated probability of 0.8 is 0.8 of a true positive and 0.2 of a false one: summed up, an expected
confusion matrix, and from it every metric of labels. Holds where the relation of features and truth is the reference's; see
docs/monitors/performance.md.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import roc_auc_score

from slipway.monitor.performance.measure import OF_LABELS
from slipway.monitor.performance.numbers import FloatArray, IntArray, Undefined
from slipway.monitor.performance.probability import BINS, MIN_PER_CLASS, Scored, claims, equal_bins

MIN_REFERENCE = 300
MAX_ERROR = 0.05
ROWS_PER_BIN, MIN_BINS = 100, 3
SEED = 20_241


@dataclass(frozen=True)
class Calibrator:
    """From the model's probabilities to shares of the truth, learned of reference rows."""

    curves: tuple[IsotonicRegression, ...]
    """One a class, or one of the positive class. None at all: the model's own probabilities are better as they are."""
    positive: int | None
    error: float
    """Expected calibration error on the half of the reference that it was not learned of."""
    held_out: Scored
    """That half, calibrated."""

    def __call__(self, probabilities: FloatArray) -> FloatArray:
        return calibrated(self.curves, self.positive, probabilities)


def learned(reference: Scored) -> Calibrator:
    """Learned of one half and tried on the other; then, if that is better than the probabilities as they are, of all rows."""
    order = np.random.default_rng(SEED).permutation(reference.rows)
    known, tried = _rows(reference, order[::2]), _rows(reference, order[1::2])
    half = replace(tried, probabilities=calibrated(_curves(known), tried.positive, tried.probabilities))
    before, after = gap(*claims(tried)), gap(*claims(half))
    if before <= after:
        return Calibrator((), reference.positive, before, tried)
    return Calibrator(_curves(reference), reference.positive, after, half)


def bins_of(claimed: FloatArray) -> list[IntArray]:
    """From 3 to 10 bins of about 100 rows or more: of fewer, chance alone looks like bad calibration."""
    return equal_bins(claimed, min(BINS, max(MIN_BINS, len(claimed) // ROWS_PER_BIN)))


def gap(claimed: FloatArray, happened: FloatArray) -> float:
    """Expected calibration error."""
    bins = bins_of(claimed)
    return float(sum(abs(happened[rows].sum() - claimed[rows].sum()) for rows in bins) / len(claimed))


def calibrated(curves: tuple[IsotonicRegression, ...], positive: int | None, probabilities: FloatArray) -> FloatArray:
    """Shape [rows, classes], each row adding up to 1."""
    if not curves:
        return probabilities
    if positive is not None:
        own = curves[0].predict(probabilities[:, positive])
        return np.column_stack([own if number == positive else 1 - own for number in (0, 1)])
    shares = np.column_stack([curve.predict(probabilities[:, number]) for number, curve in enumerate(curves)])
    total = shares.sum(axis=1, keepdims=True)
    return np.where(total > 0, shares / np.where(total > 0, total, 1), probabilities)


def _curves(rows: Scored) -> tuple[IsotonicRegression, ...]:
    classes = range(rows.probabilities.shape[1]) if rows.positive is None else [rows.positive]
    return tuple(
        IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(rows.probabilities[:, number], rows.truth == number)
        for number in classes
    )


def _rows(scored: Scored, rows: IntArray) -> Scored:
    return replace(scored, probabilities=scored.probabilities[rows], truth=scored.truth[rows], predicted=scored.predicted[rows])


def expected_matrix(shares: FloatArray, predicted: IntArray) -> FloatArray:
    """Expected counts, [true][predicted]."""
    return shares.T @ np.eye(shares.shape[1])[predicted]


def expected(name: str, shares: FloatArray, window: Scored) -> float:
    """The expected value of a metric. Raises Undefined where probabilities do not tell it."""
    if name in OF_LABELS:
        return OF_LABELS[name](expected_matrix(shares, window.predicted), window.positive).value
    if name == "auc":
        return _auc(shares, window)
    if name == "logLoss":
        tiny = np.finfo(np.float64).eps
        return float(-np.mean(np.sum(shares * np.log(np.clip(window.probabilities, tiny, 1 - tiny)), axis=1)))
    if name == "brier":
        given = window.probabilities
        score = float(np.mean(np.sum(given**2 - 2 * shares * given, axis=1) + 1))
        return score if window.positive is None else score / 2
    raise Undefined("cannot be estimated: an estimate takes the calibration for granted")


def _auc(shares: FloatArray, window: Scored) -> float:
    """Each row is a positive one and a negative one, by its shares."""
    classes = range(shares.shape[1]) if window.positive is None else [window.positive]
    areas = []
    for number in classes:
        share, score = shares[:, number], window.probabilities[:, number]
        if min(share.sum(), len(share) - share.sum()) >= MIN_PER_CLASS:
            labels = np.repeat([1, 0], len(share))
            areas.append(roc_auc_score(labels, np.tile(score, 2), sample_weight=np.concatenate([share, 1 - share])))
    if not areas:
        raise Undefined(f"{MIN_PER_CLASS} rows of a class and of the others are not to be expected")
    return float(np.mean(areas))
