"""The rows that can be compared, as arrays, and how many cannot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from slipway.monitor.performance.classes import Classes
from slipway.monitor.performance.labels import MISSING, encode
from slipway.monitor.performance.numbers import BoolArray, FloatArray, IntArray, Unusable

UNKNOWN = -2
SUM_SLACK = 0.02
"""Probabilities of a row must add up to 1 this closely: models answer in 32 bits, and some round to two digits."""


@dataclass(frozen=True)
class Labelled:
    """Rows of a classification. Shapes: [rows], probabilities [rows, classes]."""

    classes: Classes
    truth: IntArray
    """Places in `classes`; MISSING where truth was not asked for."""
    predicted: IntArray
    probabilities: FloatArray | None
    """NaN in all of a row that has no usable ones."""
    index: IntArray
    """Which rows of the table these are."""
    left_out: Mapping[str, int]
    """How many rows are not here, by reason."""

    @property
    def rows(self) -> int:
        return len(self.index)

    def take(self, rows: BoolArray | IntArray) -> Self:
        """Some of the rows."""
        chosen = None if self.probabilities is None else self.probabilities[rows]
        return replace(self, truth=self.truth[rows], predicted=self.predicted[rows], probabilities=chosen, index=self.index[rows])


@dataclass(frozen=True)
class Numeric:
    """Rows of a regression. Shapes: [rows]; all values are finite."""

    truth: FloatArray
    """NaN where truth was not asked for."""
    predicted: FloatArray
    index: IntArray
    left_out: Mapping[str, int]

    @property
    def rows(self) -> int:
        return len(self.index)

    def take(self, rows: BoolArray | IntArray) -> Self:
        """Some of the rows."""
        return replace(self, truth=self.truth[rows], predicted=self.predicted[rows], index=self.index[rows])


def labelled(table: pa.Table, classes: Classes, with_truth: bool = True) -> Labelled:
    """Rows with a prediction and, where asked for, a truth among the classes. Raises Unusable where a column is missing."""
    _require(table, "prediction", *(["truth_label"] if with_truth else []))
    predicted = encode(table["prediction"]).places(classes.keys, UNKNOWN)
    truth = encode(table["truth_label"]).places(classes.keys, UNKNOWN) if with_truth else np.full(len(table), MISSING)
    reasons = {"without a prediction": predicted == MISSING, "with an unknown prediction": predicted == UNKNOWN}
    if with_truth:
        reasons |= {"without a truth": truth == MISSING, "with an unknown true label": truth == UNKNOWN}
    index, left_out = _sorted_out(reasons, len(table))
    probabilities = _probabilities(table, classes)
    return Labelled(classes, truth[index], predicted[index], None if probabilities is None else probabilities[index], index, left_out)


def numeric(table: pa.Table, with_truth: bool = True) -> Numeric:
    """Rows with a number as prediction and, where asked for, as truth. Raises Unusable where a column is missing."""
    _require(table, "prediction", *(["truth_value"] if with_truth else []))
    predicted = floats(table["prediction"])
    truth = floats(table["truth_value"]) if with_truth else np.full(len(table), np.nan)
    reasons = {"whose prediction is no finite number": ~np.isfinite(predicted)}
    if with_truth:
        reasons["whose truth is no finite number"] = ~np.isfinite(truth)
    index, left_out = _sorted_out(reasons, len(table))
    return Numeric(truth[index], predicted[index], index, left_out)


def floats(column: pa.ChunkedArray) -> FloatArray:
    """As float64; NaN for what is no number."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        keys = encode(column)
        return np.array([*(_float(key) for key in keys.keys), np.nan])[keys.codes]
    try:
        if pa.types.is_boolean(column.type):
            column = pc.cast(column, pa.int8())
        return np.asarray(pc.cast(column, pa.float64(), safe=False).to_numpy(), dtype=np.float64)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return np.full(len(column), np.nan)


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _require(table: pa.Table, *names: str) -> None:
    for name in names:
        if name not in table.column_names:
            raise Unusable(f"there is no column {name}")


def _sorted_out(reasons: Mapping[str, BoolArray], rows: int) -> tuple[IntArray, dict[str, int]]:
    """The rows to keep, and how many are not kept: each row once, by the first reason that it meets."""
    kept, left_out = np.ones(rows, dtype=np.bool_), {}
    for reason, met in reasons.items():
        if count := int(np.count_nonzero(met & kept)):
            left_out[reason] = count
        kept &= ~met
    return np.flatnonzero(kept).astype(np.int64), left_out


def _probabilities(table: pa.Table, classes: Classes) -> FloatArray | None:
    """Shape [rows, classes]. Of two classes, one column is enough."""
    found = {key: floats(table[name]) for key, name in classes.columns.items() if name in table.column_names}
    if len(classes.keys) == 2 and len(found) == 1:
        key, values = next(iter(found.items()))
        found |= {other: 1 - values for other in classes.keys if other != key}
    if len(found) < len(classes.keys) or not found:
        return None
    values = np.column_stack([found[key] for key in classes.keys])
    with np.errstate(invalid="ignore"):
        usable = np.all((values >= 0) & (values <= 1), axis=1) & (np.abs(values.sum(axis=1) - 1) <= SUM_SLACK)
    values[~usable] = np.nan
    return values
