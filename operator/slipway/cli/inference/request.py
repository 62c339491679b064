"""Rows as an Open Inference Protocol v2 request: one tensor for a matrix, one a column for named ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slipway.cli.cluster import Json
from slipway.cli.errors import CliError
from slipway.cli.inference.rows import Columns, Matrix, Request, typed

TENSOR = "input"
"""The name of a matrix, unless the model declares one of its own."""
FLOATS = ("FP16", "FP32", "FP64")


def build(rows: Matrix | Columns | Request, declared: Mapping[str, str]) -> Json:
    """The request. `declared` are the model's inputs by name with their datatypes, empty if it names none."""
    if isinstance(rows, Request):
        return rows.body
    if isinstance(rows, Matrix):
        return {"inputs": [_matrix(rows.rows, declared)]}
    return {"inputs": [_column(name, values, declared.get(name), rows.from_text) for name, values in rows.values.items()]}


def declared_inputs(metadata: Json) -> dict[str, str]:
    """Names and datatypes of the inputs in a model's v2 metadata."""
    inputs = metadata.get("inputs") or []
    return {str(item["name"]): str(item.get("datatype", "")) for item in inputs if isinstance(item, dict) and "name" in item}


def _matrix(rows: list[list[Any]], declared: Mapping[str, str]) -> Json:
    name, datatype = next(iter(declared.items())) if len(declared) == 1 else (TENSOR, "FP64")
    for number, row in enumerate(rows, 1):
        for value in row:
            if value is not None and not isinstance(value, int | float):
                raise CliError(f"row {number}: {value!r} is not a number; text needs named columns")
    data = [value if value is None else float(value) for row in rows for value in row]
    kind = datatype if datatype in FLOATS else "FP64"
    return {"name": name, "shape": [len(rows), len(rows[0])], "datatype": kind, "data": data}


def _column(name: str, values: list[Any], declared: str | None, from_text: bool) -> Json:
    if from_text:
        values = [cell or None for cell in values] if declared == "BYTES" else typed(values)
    datatype, data = _datatype(name, values, declared)
    return {"name": name, "shape": [len(data), 1], "datatype": datatype, "data": data}


def _datatype(name: str, values: list[Any], declared: str | None) -> tuple[str, list[Any]]:
    """The tensor's datatype and its data: what the model declares where the values fit it, else what they are."""
    present = [value for value in values if value is not None]
    if declared == "BYTES":
        return "BYTES", [value if value is None or isinstance(value, str) else str(value) for value in values]
    if present and all(isinstance(value, bool) for value in present):
        return "BOOL", values
    if present and all(isinstance(value, str) for value in present):
        return "BYTES", values
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in present):
        kinds = sorted({type(value).__name__ for value in present})
        raise CliError(f"column {name} mixes {' and '.join(kinds)}: give all its rows one type")
    whole = len(present) == len(values) and all(isinstance(value, int) for value in present)
    if whole and declared and declared.startswith(("INT", "UINT")):
        return declared, values
    return declared if declared in FLOATS else "FP64", [value if value is None else float(value) for value in values]
