"""Feature columns as numbers for gradient-boosted trees: missing numbers stay missing, texts become categories."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from slipway.monitor.performance.numbers import FloatArray
from slipway.monitor.performance.sample import floats

MAX_CATEGORIES = 250
"""Of a column; rarer ones are unknown. Scikit-learn's trees know at most 255."""


@dataclass(frozen=True)
class Encoder:
    """How columns become numbers."""

    columns: tuple[str, ...]
    categories: dict[str, dict[str, int]]
    """Of each text column, its values' codes, from 1; a missing text is 0."""
    left_out: tuple[str, ...]
    """Columns that are not in all tables, or not of one sort in all, or neither number nor text, or empty."""

    @property
    def categorical(self) -> list[bool]:
        return [name in self.categories for name in self.columns]

    def matrix(self, table: pa.Table) -> FloatArray:
        """Shape [rows, columns]; NaN for missing and infinite numbers and unknown texts."""
        return np.column_stack([self._column(name, table[name]) for name in self.columns])

    def _column(self, name: str, column: pa.ChunkedArray) -> FloatArray:
        if name in self.categories:
            codes = self.categories[name]
            coded = pc.dictionary_encode(_plain(column)).combine_chunks()
            table = np.array([*(codes.get(value, np.nan) for value in coded.dictionary.to_pylist()), 0.0])
            return np.asarray(table[coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)], dtype=np.float64)
        values = floats(column)
        return np.where(np.isfinite(values), values, np.nan)


def encoder(tables: Sequence[pa.Table], names: Sequence[str]) -> Encoder:
    """For these columns, from what all tables hold."""
    kept: list[str] = []
    categories: dict[str, dict[str, int]] = {}
    for name in names:
        sorts = {_sort(table[name].type) if name in table.column_names else "" for table in tables}
        if sorts == {"text"}:
            categories[name] = _frequent([_plain(table[name]) for table in tables])
        if sorts == {"number"} or categories.get(name):
            kept.append(name)
    return Encoder(tuple(kept), categories, tuple(name for name in names if name not in kept))


def drawn(table: pa.Table, most: int, seed: int) -> pa.Table:
    """The table, or so many of its rows."""
    if len(table) <= most:
        return table
    return table.take(np.sort(np.random.default_rng(seed).choice(len(table), most, replace=False)))


def _sort(kind: pa.DataType) -> str:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return "text"
    number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind) or pa.types.is_decimal(kind)
    return "number" if number else ""


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(pa.string())


def _frequent(columns: Sequence[pa.ChunkedArray]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for column in columns:
        for item in pc.value_counts(column.drop_null()).to_pylist():
            counts[item["values"]] = counts.get(item["values"], 0) + item["counts"]
    ordered = sorted(counts, key=lambda value: (-counts[value], value))
    return {value: code for code, value in enumerate(ordered[:MAX_CATEGORIES], start=1)}
