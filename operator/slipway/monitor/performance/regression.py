"""Metrics of numbers: mae, rmse, r2. Shapes: [rows]."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from slipway.monitor.performance.numbers import Estimate, FloatArray, Interval, Undefined, around, mean_error


def mae(truth: FloatArray, predicted: FloatArray) -> Estimate:
    """Mean absolute error; the normal interval of a mean."""
    errors = np.abs(predicted - truth)
    value = float(errors.mean())
    return Estimate(value, len(truth), around(value, mean_error(errors), 0.0))


def rmse(truth: FloatArray, predicted: FloatArray) -> Estimate:
    """Root of the mean squared error; the root of that mean's normal interval."""
    squares = (predicted - truth) ** 2
    value = float(squares.mean())
    return Estimate(math.sqrt(value), len(truth), root_of(value, mean_error(squares)))


def root_of(square: float, error: float) -> Callable[[float], Interval]:
    """The interval of a root, from what is under it and that one's standard error."""
    return lambda z: (math.sqrt(max(0.0, square - z * error)), math.sqrt(square + z * error))


def r2(truth: FloatArray, predicted: FloatArray) -> Estimate:
    """Share of the truth's variance that is explained; the delta method on both sums of squares."""
    deviations = (truth - truth.mean()) ** 2
    spread = float(deviations.mean())
    if np.ptp(truth) == 0:
        raise Undefined("the truth is the same in all rows")
    squares = (predicted - truth) ** 2
    unexplained = float(squares.mean()) / spread
    error = mean_error((squares - unexplained * deviations) / spread)
    return Estimate(1 - unexplained, len(truth), around(1 - unexplained, error, high=1.0))
