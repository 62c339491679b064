"""The columns of the tables: those that every table has, and those that come with a model's features."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa

TIME = pa.timestamp("us", "UTC")
PARTITION = "date"
"""The UTC day of `time`: the table's partition."""
OTHER = "other"
"""JSON of what fits no column."""
FEATURE_PREFIXES = ("in_", "out_", "key_")
FEATURE_TYPES = (pa.int64(), pa.float64(), pa.bool_(), pa.string())

PREDICTIONS: Mapping[str, pa.DataType] = {
    "prediction_id": pa.string(),
    "row": pa.int32(),
    "rows": pa.int32(),
    "time": TIME,
    "namespace": pa.string(),
    "deployment": pa.string(),
    "model": pa.string(),
    "version": pa.string(),
    "digest": pa.string(),
    "role": pa.string(),
    "status": pa.int32(),
    "error": pa.string(),
    "latency_ms": pa.float64(),
    "protocol": pa.string(),
    "caller": pa.string(),
    "truncated": pa.bool_(),
    OTHER: pa.string(),
}
ACTUALS: Mapping[str, pa.DataType] = {
    "prediction_id": pa.string(),
    "row": pa.int32(),
    "output": pa.string(),
    "value": pa.float64(),
    "label": pa.string(),
    "time": TIME,
    "arrived": TIME,
    "late": pa.bool_(),
    "matched": pa.bool_(),
    "by": pa.string(),
    OTHER: pa.string(),
}
"""`value`: numbers, and booleans as 0 and 1; `label`: the value as text, always. `time`: when it became known; `arrived`: here."""
BASES: Mapping[str, Mapping[str, pa.DataType]] = {"predictions": PREDICTIONS, "actuals": ACTUALS}


@dataclass(frozen=True)
class Columns:
    """The feature columns of a table: type and original name, by column."""

    types: Mapping[str, pa.DataType] = field(default_factory=dict)
    originals: Mapping[str, str] = field(default_factory=dict)

    def with_new(self, types: Mapping[str, pa.DataType], originals: Mapping[str, str]) -> Columns:
        return Columns({**self.types, **types}, {**self.originals, **originals})

    def without(self, before: Columns) -> Columns:
        """Those that are not in `before`."""
        new = self.types.keys() - before.types.keys()
        return Columns({name: self.types[name] for name in self.types if name in new}, {name: self.originals[name] for name in new})


def table_schema(kind: str) -> pa.Schema:
    """The schema of a new table."""
    return pa.schema([*BASES[kind].items(), (PARTITION, pa.date32())])
