"""Reference rows have the names that users know; the log's columns have theirs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa

from slipway.collector.batch.names import cleaned

TRUTH = "truth"
"""The column of reference rows with what turned out to be true."""
OUTPUT = "predict"
"""How outputs begin, where nothing else tells them from features: `predict`, `predict_proba_yes`."""


def columns_for(names: Iterable[str], model: Mapping[str, Any], by_original: Mapping[str, str]) -> dict[str, str]:
    """The log's column for each name of the reference rows, without `truth`. `by_original`: as `LogTable` has it."""
    schema = (model.get("spec") or {}).get("schema") or {}
    declared = {part: {column["name"] for column in schema.get(part) or []} for part in ("inputs", "outputs")}
    found = {}
    for name in names:
        if name != TRUTH:
            prefix = "out_" if _is_output(name, declared, by_original) else "in_"
            found[name] = by_original.get(prefix + name, cleaned(prefix + name))
    return found


def _is_output(name: str, declared: Mapping[str, set[str]], by_original: Mapping[str, str]) -> bool:
    if name in declared["inputs"] or f"in_{name}" in by_original:
        return False
    return name in declared["outputs"] or f"out_{name}" in by_original or name.startswith(OUTPUT)


def as_logged(rows: pa.RecordBatch, names: Mapping[str, str], types: Mapping[str, pa.DataType]) -> pa.RecordBatch:
    """The rows under the log's names and, where they can be had, in its types; of columns with the same name the first."""
    arrays: dict[str, pa.Array] = {}
    for name in rows.schema.names:
        column = TRUTH if name == TRUTH else names[name]
        if column not in arrays:
            arrays[column] = _cast(rows.column(name), types.get(column))
    return pa.RecordBatch.from_arrays(list(arrays.values()), names=list(arrays))


def _cast(values: pa.Array, wanted: pa.DataType | None) -> pa.Array:
    if wanted is None or values.type == wanted:
        return values
    try:
        return values.cast(wanted)
    except pa.ArrowException:
        return values
