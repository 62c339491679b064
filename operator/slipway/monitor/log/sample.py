"""A few rows of many, each as likely as any other, in one pass."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pyarrow as pa


class Sample:
    """At most `most` of all rows that are added; the same ones for the same batches and seed. Keeps up to twice as many in memory."""

    def __init__(self, most: int, seed: int) -> None:
        self._most, self._random = most, np.random.default_rng(seed)
        self._kept: list[pa.Table] = []
        self._keys: npt.NDArray[np.float64] = np.empty(0)
        self._bound = 1.0

    def add(self, batch: pa.RecordBatch) -> None:
        """Batches may lack columns, which are then null."""
        drawn = self._random.random(len(batch))
        chosen = np.flatnonzero(drawn < self._bound)
        self._kept.append(pa.table(batch).take(pa.array(chosen)))
        self._keys = np.concatenate([self._keys, drawn[chosen]])
        if len(self._keys) > 2 * self._most:
            self._shrink()

    def rows(self) -> pa.Table:
        """The sample."""
        self._shrink()
        return self._kept[0]

    def _shrink(self) -> None:
        rows = pa.concat_tables(self._kept, promote_options="permissive") if self._kept else pa.table({})
        if len(self._keys) > self._most:
            chosen = np.sort(np.argpartition(self._keys, self._most)[: self._most])
            rows, self._keys = rows.take(pa.array(chosen)).combine_chunks(), self._keys[chosen]
            self._bound = float(self._keys.max())
        self._kept = [rows]


def sampled(batches: Iterable[pa.RecordBatch], most: int, seed: int) -> pa.Table:
    """At most `most` rows of the batches."""
    sample = Sample(most, seed)
    for batch in batches:
        sample.add(batch)
    return sample.rows()
