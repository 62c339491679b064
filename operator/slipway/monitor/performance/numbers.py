"""What every metric gives: a value, its interval, or the reason why there is none."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
Interval = tuple[float, float]


class Undefined(Exception):
    """A metric has no value on these rows; the message says why."""


class Unusable(Exception):
    """No metric has a value on these rows; the message says why."""


def z_of(level: float) -> float:
    """Standard deviations on either side of the mean that hold `level` (0 to 1) of a normal distribution: 1.96 for 0.95."""
    return NormalDist().inv_cdf(0.5 + level / 2)


Z95 = z_of(0.95)


@dataclass(frozen=True)
class Estimate:
    """The value of a metric. `between(z)` is its interval of z standard deviations (Z95 for 95 %)."""

    value: float
    rows: int
    between: Callable[[float], Interval]
    note: str = ""


def wilson(successes: float, trials: float, z: float) -> Interval:
    """Wilson's score interval of a share."""
    share, weight = successes / trials, z * z / trials
    middle = (share + weight / 2) / (1 + weight)
    half = z / (1 + weight) * math.sqrt(share * (1 - share) / trials + weight / (4 * trials))
    return (max(0.0, middle - half) if successes else 0.0), (min(1.0, middle + half) if successes < trials else 1.0)


def around(value: float, error: float, low: float = -math.inf, high: float = math.inf) -> Callable[[float], Interval]:
    """The normal interval of a value with this standard error, within what is possible."""
    return lambda z: (max(low, value - z * error), min(high, value + z * error))


def mean_error(values: FloatArray) -> float:
    """The standard error of the mean. Raises Undefined for fewer than two values."""
    if len(values) < 2:
        raise Undefined("an interval needs at least 2 rows")
    return float(values.std(ddof=1) / math.sqrt(len(values)))


def average_ranks(values: FloatArray) -> FloatArray:
    """Ranks from 1; equal values share the mean of theirs, as scipy.stats.rankdata does."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[place], dtype=np.float64)
