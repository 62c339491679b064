"""Collects a baseline's values, within bounds, until all have been seen."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa

from slipway.monitor.stats.convert import Floats, as_floats, as_texts
from slipway.monitor.stats.tally import Numbers

BINS = 10
POINTS = 100
GRID = 50
"""Points at equal distances, beside the quantiles: where the baseline is thin, the window need not be."""
BY_VALUE = 10
CATEGORIES = 50
OTHERS = 1000
MAX_DISTINCT = 100_000
"""Beyond so many categories the rarer half is forgotten, and counts as the rest."""


class Sample:
    """Numbers: all of them up to `limit`; beyond, each is kept with the same probability, a power of 1/2."""

    def __init__(self, limit: int, seed: int) -> None:
        self._limit, self._rng = limit, np.random.default_rng(seed)
        self._kept: list[Floats] = []
        self._size, self._halvings = 0, 0
        self._seen = Numbers(np.zeros(0))

    @property
    def rows(self) -> int:
        return self._seen.rows

    @property
    def absent(self) -> int:
        return self._seen.absent

    def add_absent(self, rows: int) -> None:
        self._seen.add_absent(rows)

    def add(self, column: pa.Array) -> None:
        self._seen.add(column)
        values = as_floats(column)
        values = values[np.isfinite(values)]
        if self._halvings:
            values = values[self._rng.random(len(values)) < 0.5**self._halvings]
        self._kept.append(values)
        self._size += len(values)
        while self._size > self._limit:
            self._halve()

    def _halve(self) -> None:
        kept = np.concatenate(self._kept)
        kept = kept[self._rng.random(len(kept)) < 0.5]
        self._kept, self._size, self._halvings = [kept], len(kept), self._halvings + 1

    def summary(self) -> dict[str, Any]:
        """The fields of a NumberProfile."""
        ordered = np.sort(np.concatenate([np.zeros(0), *self._kept]))
        self._kept = []
        by_value, edges, points = cut(ordered)
        counted = Numbers(points)
        counted.add_values(ordered)
        seen = self._seen
        return {
            "rows": seen.rows,
            "missing": seen.missing,
            "infinite": seen.infinite,
            "sampled": len(ordered),
            "minimum": _known(seen.minimum),
            "maximum": _known(seen.maximum),
            "mean": _known(seen.mean),
            "deviation": _known(_deviation(ordered)),
            "by_value": by_value,
            "edges": tuple(edges.tolist()),
            "points": tuple(points.tolist()),
            "below": tuple(counted.below.tolist()),
            "upto": tuple(counted.upto.tolist()),
            "sums": tuple(np.nan_to_num(counted.sums).tolist()),
        }


def cut(ordered: Floats) -> tuple[bool, Floats, Floats]:
    """Of sorted values: whether each is a bin of its own; these values, or else the inner edges of bins; the points at which is counted."""
    none = np.zeros(0)
    if not len(ordered):
        return True, none, none
    values = ordered[np.append(True, ordered[1:] != ordered[:-1])]
    with np.errstate(all="ignore"):  # ends so far apart that their distance is no float64 leave no grid
        grid = np.linspace(ordered[0], ordered[-1], GRID)
    if len(values) <= BY_VALUE:
        return True, values, _points(values, grid)
    points = np.quantile(ordered, np.linspace(0, 1, POINTS + 1), method="inverted_cdf")
    deciles = points[:: POINTS // BINS]
    # A value so frequent that it is several deciles has a bin of its own, which ends right after it.
    frequent = deciles[1:][deciles[1:] == deciles[:-1]]
    edges = np.unique(np.concatenate([deciles[1:-1], np.nextafter(frequent, np.inf)]))
    edges = edges[(edges > ordered[0]) & (edges <= ordered[-1])]
    return False, edges, _points(points, edges, grid)


def _points(*parts: Floats) -> Floats:
    points = np.unique(np.concatenate(parts))
    return points[np.isfinite(points)]


def _deviation(ordered: Floats) -> float:
    if not len(ordered):
        return math.nan
    with np.errstate(all="ignore"):
        return float(ordered.std())


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


class Categories:
    """Texts, counted."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self.rows = self.absent = self._missing = self._forgotten = 0

    def add_absent(self, rows: int) -> None:
        self.rows, self.absent, self._missing = self.rows + rows, self.absent + rows, self._missing + rows

    def add(self, column: pa.Array) -> None:
        texts = as_texts(column)
        found = texts.drop_null().value_counts()
        self.rows += len(texts)
        self._missing += texts.null_count
        self._counts.update(dict(zip(found.field("values").to_pylist(), found.field("counts").to_pylist(), strict=True)))
        if len(self._counts) > MAX_DISTINCT:
            kept = Counter(dict(self._counts.most_common(MAX_DISTINCT // 2)))
            self._forgotten += self._counts.total() - kept.total()
            self._counts = kept

    def summary(self) -> dict[str, Any]:
        """The fields of a CategoryProfile."""
        ordered = sorted(self._counts.items(), key=lambda one: (-one[1], one[0]))
        named, others = ordered[:CATEGORIES], ordered[CATEGORIES:]
        return {
            "rows": self.rows,
            "missing": self._missing,
            "categories": tuple(name for name, _ in named),
            "counts": tuple(count for _, count in named),
            "rest": self._forgotten + sum(count for _, count in others),
            "others": tuple(name for name, _ in others[:OTHERS]),
            "complete": not self._forgotten and len(others) <= OTHERS,
        }
