"""Metrics of a confusion matrix: accuracy, precision, recall, f1. Of two classes about the positive one, of more the macro average.

`matrix[true][predicted]` may hold expected counts too (cbpe.py).
"""

from __future__ import annotations

import math

import numpy as np

from slipway.monitor.performance.numbers import Estimate, FloatArray, IntArray, Undefined, around, wilson


def matrix_of(truth: IntArray, predicted: IntArray, classes: int) -> FloatArray:
    """Counts, shape [classes, classes]."""
    return np.bincount(truth * classes + predicted, minlength=classes * classes).reshape(classes, classes).astype(np.float64)


def accuracy(matrix: FloatArray, positive: int | None) -> Estimate:
    """Share of right answers; Wilson's interval."""
    del positive
    return _share(float(np.trace(matrix)), float(matrix.sum()), matrix, "there are no rows")


def precision(matrix: FloatArray, positive: int | None) -> Estimate:
    """Share of right answers among those that say positive; of more than two classes, see _macro."""
    if positive is None:
        return _macro(matrix, matrix.sum(axis=0))
    return _share(matrix[positive, positive], matrix[:, positive].sum(), matrix, "no row was predicted positive")


def recall(matrix: FloatArray, positive: int | None) -> Estimate:
    """Share of the truly positive that were found; of more than two classes, see _macro."""
    if positive is None:
        return _macro(matrix, matrix.sum(axis=1))
    return _share(matrix[positive, positive], matrix[positive].sum(), matrix, "no row is truly positive")


def f1(matrix: FloatArray, positive: int | None) -> Estimate:
    """Harmonic mean of precision and recall.

    Of two classes f1 = 2J/(1+J), where J is the share of right answers among rows that are or were called positive: the interval is
    Wilson's of J, carried over. Of more, the delta method on the counts.
    """
    if positive is None:
        return _macro_f1(matrix)
    right, touched = matrix[positive, positive], matrix[positive].sum() + matrix[:, positive].sum() - matrix[positive, positive]
    if touched <= 0:
        raise Undefined("no row is truly positive or was predicted so")

    def between(z: float) -> tuple[float, float]:
        low, high = wilson(right, touched, z)
        return 2 * low / (1 + low), 2 * high / (1 + high)

    return Estimate(float(2 * right / (right + touched)), _rows(matrix), between)


def _share(right: float, of: float, matrix: FloatArray, empty: str) -> Estimate:
    if of <= 0:
        raise Undefined(empty)
    return Estimate(float(right / of), _rows(matrix), lambda z: wilson(float(right), float(of), z))


def _macro(matrix: FloatArray, of: FloatArray) -> Estimate:
    """The mean of each class's share, over classes that occur in truth or answers; 0 for a class without `of`, as scikit-learn has it.

    Classes are independent, given how many rows each has. The variance of a share uses two more rows of each kind (Agresti and Coull):
    a class that is always right is not certain for that.
    """
    here = _occurring(matrix)
    right, of = np.diag(matrix)[here], of[here]
    shares = np.divide(right, of, out=np.zeros_like(right), where=of > 0)
    smooth = (right + 2) / (of + 4)
    error = math.sqrt(float(np.sum(np.where(of > 0, smooth * (1 - smooth) / (of + 4), 0.0)))) / len(right)
    value = float(shares.mean())
    return Estimate(value, _rows(matrix), around(value, error, 0.0, 1.0))


def _macro_f1(matrix: FloatArray) -> Estimate:
    here = _occurring(matrix)
    matrix = matrix[np.ix_(here, here)]
    both = matrix.sum(axis=0) + matrix.sum(axis=1)
    each = 2 * np.diag(matrix) / both
    # What one more row in a cell does to the mean of f1: to the true class, to the predicted one, and where right, to the numerator.
    influence = -(each / both)[:, None] - (each / both)[None, :] + np.diag(2 / both)
    error = math.sqrt(float(np.sum(matrix * influence**2))) / len(both)
    value = float(each.mean())
    return Estimate(value, _rows(matrix), around(value, error, 0.0, 1.0))


def _occurring(matrix: FloatArray) -> IntArray:
    here = np.flatnonzero(matrix.sum(axis=0) + matrix.sum(axis=1))
    if not len(here):
        raise Undefined("there are no rows")
    return here.astype(np.int64)


def _rows(matrix: FloatArray) -> int:
    return round(float(matrix.sum()))
