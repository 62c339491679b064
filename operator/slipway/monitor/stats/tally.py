"""Counts of one column, added chunk by chunk and merged: their memory does not grow with rows."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from slipway.monitor.stats.convert import Counts, Floats, as_floats, as_texts, known_values, view


def _no_counts() -> Counts:
    return np.zeros(0, np.int64)


def _no_floats() -> Floats:
    return np.zeros(0)


@dataclass
class Numbers:
    """Of numbers: how many are below and up to each of `points` (ascending), and their sums between them."""

    points: Floats
    lowest: float = -np.inf
    """Finite values below this or above `highest` count as outside, and so do infinite ones."""
    highest: float = np.inf
    rows: int = 0
    absent: int = 0
    """Rows of batches that had no such column; they are missing, too."""
    missing: int = 0
    infinite: int = 0
    outside: int = 0
    minimum: float = np.inf
    """Of finite values, and so are `maximum` and `sums`."""
    maximum: float = -np.inf
    below: Counts = field(default_factory=_no_counts)
    upto: Counts = field(default_factory=_no_counts)
    sums: Floats = field(default_factory=_no_floats)
    """`sums[i]` of values in [points[i-1], points[i]), the first and last open: one more than points."""

    def __post_init__(self) -> None:
        size = len(self.points)
        self.below, self.upto, self.sums = np.zeros(size, np.int64), np.zeros(size, np.int64), np.zeros(size + 1)

    @property
    def finite(self) -> int:
        """How many values drift looks at."""
        return self.rows - self.missing - self.infinite

    @property
    def mean(self) -> float:
        """Of finite values; NaN where there are none."""
        with np.errstate(all="ignore"):
            return float(self.sums.sum()) / self.finite if self.finite else float("nan")

    def add(self, column: pa.Array) -> None:
        """Raises what `as_floats` raises, and has counted nothing then."""
        values = as_floats(column)
        nulls = len(column) - len(values)
        self.rows, self.missing = self.rows + nulls, self.missing + nulls
        self.add_values(values)

    def add_values(self, values: Floats) -> None:
        # Sorting a chunk that fits the cache costs 4 ns a value; then a few places looked up in it answer every question. NaN is last.
        ordered = np.sort(values)
        start, end = np.searchsorted(ordered, -np.inf, "right"), np.searchsorted(ordered, np.inf, "left")
        numbers = int(np.searchsorted(ordered, np.inf, "right"))
        self.rows += len(values)
        self.missing += len(values) - numbers
        self.infinite += numbers - int(end - start)
        self.outside += numbers - int(end - start)
        if end > start:
            self._add_finite(ordered[start:end])

    def _add_finite(self, ordered: Floats) -> None:
        self.minimum, self.maximum = min(self.minimum, float(ordered[0])), max(self.maximum, float(ordered[-1]))
        if self.minimum < self.lowest or self.maximum > self.highest:
            self.outside += int(np.searchsorted(ordered, self.lowest, "left"))
            self.outside += len(ordered) - int(np.searchsorted(ordered, self.highest, "right"))
        below = np.searchsorted(ordered, self.points, "left")
        self.below += below
        self.upto += np.searchsorted(ordered, self.points, "right")
        starts, ends = np.append(0, below), np.append(below, len(ordered))
        filled = np.flatnonzero(starts < ends)
        with np.errstate(over="ignore", invalid="ignore"):
            self.sums[filled] += np.add.reduceat(ordered, starts[filled])

    def add_absent(self, rows: int) -> None:
        self.rows, self.missing, self.absent = self.rows + rows, self.missing + rows, self.absent + rows

    def merge(self, other: Numbers) -> None:
        """Adds counts that were made against the same points and bounds."""
        for name in ("rows", "absent", "missing", "infinite", "outside"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.minimum, self.maximum = min(self.minimum, other.minimum), max(self.maximum, other.maximum)
        self.below += other.below
        self.upto += other.upto
        with np.errstate(over="ignore", invalid="ignore"):
            self.sums += other.sums

    def empty(self) -> Numbers:
        return Numbers(self.points, self.lowest, self.highest)


@dataclass
class Texts:
    """Of texts: how many are each of `known`, and how many none of them."""

    known: list[str]
    allowed: frozenset[str] | None = None
    """Others are unseen; None: not known which."""
    rows: int = 0
    absent: int = 0
    missing: int = 0
    other: int = 0
    counts: Counts = field(default_factory=_no_counts)

    def __post_init__(self) -> None:
        self.counts = np.zeros(len(self.known), np.int64)
        self._values = known_values(self.known)

    @property
    def present(self) -> int:
        """How many values drift looks at."""
        return self.rows - self.missing

    @property
    def unseen(self) -> int:
        if self.allowed is None:
            return 0
        return self.other + sum(int(count) for name, count in zip(self.known, self.counts, strict=True) if name not in self.allowed)

    def add(self, column: pa.Array) -> None:
        """Raises what `as_texts` raises, and has counted nothing then."""
        texts = as_texts(column)
        places = pc.index_in(texts, value_set=self._values)
        self.counts += np.bincount(view(places.drop_null(), np.int32), minlength=len(self.known)).astype(np.int64)
        self.rows += len(texts)
        self.missing += texts.null_count
        self.other += places.null_count - texts.null_count

    def add_absent(self, rows: int) -> None:
        self.rows, self.missing, self.absent = self.rows + rows, self.missing + rows, self.absent + rows

    def merge(self, other: Texts) -> None:
        """Adds counts that were made of the same names."""
        for name in ("rows", "absent", "missing", "other"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.counts += other.counts

    def empty(self) -> Texts:
        return Texts(self.known, self.allowed)


Tally = Numbers | Texts
