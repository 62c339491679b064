"""Rows as users keep them (JSON, CSV), read into one of two shapes: a matrix, or named columns."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from dataclasses import dataclass
from typing import Any

from slipway.cli.cluster import Json
from slipway.cli.errors import CliError

NUMBER = re.compile(r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*")
BOOLEAN = re.compile(r"\s*(true|false)\s*", re.IGNORECASE)
INTEGER = re.compile(r"\s*[-+]?\d+\s*")
MISSING = {"", "nan", "na", "null", "none"}
"""Cells of a CSV file that stand for no value (in any case)."""
SHAPES = 'a list of objects [{"age": 31}], a list of lists [[31, 2]], {"columns": ["age"], "data": [[31]]}, or a v2 request {"inputs": […]}'


@dataclass(frozen=True)
class Matrix:
    """Rows of numbers without names."""

    rows: list[list[Any]]


@dataclass(frozen=True)
class Columns:
    """Values by column name; None is a missing one. `from_text`: cells are text whose type is to be found out."""

    values: dict[str, list[Any]]
    from_text: bool = False


@dataclass(frozen=True)
class Request:
    """A v2 request, to be sent as it is."""

    body: Json


def read(text: str, *, is_csv: bool, header: bool = True) -> Matrix | Columns | Request:
    """Rows from the content of a file. Raises CliError that names the row."""
    return from_csv(text, header=header) if is_csv else from_json(text)


def from_json(text: str) -> Matrix | Columns | Request:
    """Rows from JSON in one of SHAPES."""
    try:
        data = json.loads(text)
    except ValueError as error:
        raise CliError(f"the rows are not JSON ({error}); for CSV, name the file *.csv or give --csv") from error
    if isinstance(data, dict) and isinstance(data.get("inputs"), list):
        return Request(data)
    if isinstance(data, dict) and isinstance(data.get("columns"), list) and isinstance(data.get("data"), list):
        return _named(data["columns"], data["data"])
    if isinstance(data, list) and data and all(isinstance(row, dict) for row in data):
        names = list(dict.fromkeys(name for row in data for name in row))
        return Columns({name: [_present(row.get(name)) for row in data] for name in names})
    if isinstance(data, list) and data and all(isinstance(row, list) for row in data):
        return Matrix(_rectangle(data))
    raise CliError(f"the rows must be {SHAPES}")


def from_csv(text: str, *, header: bool = True) -> Matrix | Columns:
    """Rows from CSV: with a header, named columns; without, a matrix."""
    rows = [row for row in csv.reader(io.StringIO(text.removeprefix("\ufeff"))) if row]
    if len(rows) < (2 if header else 1):
        raise CliError("the CSV file has no rows" + (" below its header" if rows else ""))
    if not header:
        return Matrix(
            [[_number(cell, row, column) for column, cell in enumerate(cells, 1)] for row, cells in enumerate(_rectangle(rows), 1)]
        )
    named = _named([name.strip() for name in rows[0]], rows[1:])
    return Columns(named.values, from_text=True)


def typed(cells: list[str]) -> list[Any]:
    """A column of text cells as numbers or booleans where all of them are; else as they are."""
    for fits, convert in ((NUMBER.fullmatch, _numeric), (BOOLEAN.fullmatch, _boolean)):
        if all(_is_missing(cell) or fits(cell) for cell in cells):
            return [None if _is_missing(cell) else convert(cell) for cell in cells]
    return [cell or None for cell in cells]


def _is_missing(cell: str) -> bool:
    return cell.strip().lower() in MISSING


def _boolean(cell: str) -> bool:
    return cell.strip().lower() == "true"


def _numeric(cell: str) -> int | float:
    return int(cell) if INTEGER.fullmatch(cell) else float(cell)


def _number(cell: str, row: int, column: int) -> float | None:
    if _is_missing(cell):
        return None
    if not NUMBER.fullmatch(cell):
        raise CliError(f"row {row}, column {column}: {cell!r} is not a number; text needs named columns (a header)")
    return float(cell)


def _named(names: list[Any], rows: list[Any]) -> Columns:
    if len(set(map(str, names))) < len(names):
        raise CliError(f"two columns have the same name: {', '.join(map(str, names))}")
    for number, row in enumerate(rows, 1):
        if not isinstance(row, list) or len(row) != len(names):
            raise CliError(f"row {number} must have {len(names)} values, one a column")
    if not rows or not names:
        raise CliError(f"there are no rows; the rows must be {SHAPES}")
    return Columns({str(name): [_present(row[index]) for row in rows] for index, name in enumerate(names)})


def _rectangle(rows: list[list[Any]]) -> list[list[Any]]:
    width = len(rows[0])
    for number, row in enumerate(rows, 1):
        if len(row) != width or not row:
            raise CliError(f"row {number} has {len(row)} values, but row 1 has {width}")
    return [[_present(value) for value in row] for row in rows]


def _present(value: Any) -> Any:
    """Missing values, however written, as None: NaN is not JSON."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
