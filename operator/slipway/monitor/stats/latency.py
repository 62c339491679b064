"""Latencies, counted in bins that are 1 % wide: percentiles of any number of calls in 16 KiB."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from slipway.monitor.stats.convert import Counts, Floats

LEAST_MS, MOST_MS, WIDTH = 0.01, 3_600_000.0, 1.01
EDGES = LEAST_MS * WIDTH ** np.arange(math.ceil(math.log(MOST_MS / LEAST_MS, WIDTH)) + 1)
"""Upper edges, in milliseconds; slower calls are one more bin."""


def _zeros() -> Counts:
    return np.zeros(len(EDGES) + 1, np.int64)


@dataclass
class Latencies:
    """Mergeable counts; `slowest` in milliseconds."""

    counts: Counts = field(default_factory=_zeros)
    slowest: float = 0.0

    @property
    def total(self) -> int:
        return int(self.counts.sum())

    def add(self, milliseconds: Floats) -> None:
        """Those that are finite and not negative."""
        ordered = np.sort(milliseconds[np.isfinite(milliseconds) & (milliseconds >= 0)])
        if len(ordered):
            places = np.searchsorted(ordered, EDGES, "right")
            self.counts += np.diff(places, prepend=0, append=len(ordered))
            self.slowest = max(self.slowest, float(ordered[-1]))

    def merge(self, other: Latencies) -> None:
        self.counts += other.counts
        self.slowest = max(self.slowest, other.slowest)

    def at_rank(self, rank: int) -> float:
        """Of the `rank`-th fastest call (from 1): never less than the truth, and at most 1 % more (or 0.01 ms). NaN without calls."""
        if not self.total:
            return math.nan
        place = int(np.searchsorted(np.cumsum(self.counts), min(max(rank, 1), self.total)))
        return min(float(EDGES[place]) if place < len(EDGES) else math.inf, self.slowest)
