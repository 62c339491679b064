"""Ground truth out of a file: which prediction, or which keys, and what turned out to be true."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from slipway.cli.errors import CliError
from slipway.cli.inference.rows import MISSING, typed

CSV_ROWS = 10_000
"""Lines of a CSV file that are looked at together."""
Row = dict[str, Any]


@dataclass(frozen=True)
class Shape:
    """Which column says what."""

    keys: tuple[str, ...] = ()
    """Columns that find the rows, by the request's key tensors; none: `id` does."""
    id: str = "prediction_id"
    value: str = "value"
    output: str = "predict"
    """The model's output that the truth is about, where the file has no column `output`."""

    @property
    def needed(self) -> tuple[str, ...]:
        return (*(self.keys or (self.id,)), self.value)


def truths(file: Path, shape: Shape) -> Iterator[Row]:
    """The rows, as the collector takes them.

    Raises:
        CliError: the file cannot be read, or a row lacks what it must have; the message names it.

    """
    tables = _parquet(file) if file.suffix.lower() in (".parquet", ".pq") else _csv(file)
    number = 0
    for columns in tables:
        if missing := [name for name in shape.needed if name not in columns]:
            hint = "name the right ones with --key, --id and --value"
            raise CliError(f"{file} has no column {', '.join(missing)}, only {', '.join(columns)}: {hint}")
        for values in zip(*columns.values(), strict=True):
            number += 1
            yield _truth(dict(zip(columns, values, strict=True)), shape, number)


def _truth(given: Row, shape: Shape, number: int) -> Row:
    for name in shape.needed:
        if given[name] is None:
            raise CliError(f"row {number} has nothing in column {name}: leave the row out, or fill it in")
    about: Row = {"key": {name: _plain(given[name]) for name in shape.keys}} if shape.keys else {"prediction_id": str(given[shape.id])}
    if given.get("row") is not None:
        about["row"] = int(given["row"])
    if given.get("time") is not None:
        about["time"] = _time(given["time"], number)
    return about | {"output": str(given.get("output") or shape.output), "value": _plain(given[shape.value])}


def _csv(file: Path) -> Iterator[dict[str, Sequence[Any]]]:
    """Each column is typed once, by its first lines: `value` is a number in all of them, or text in all."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            lines = csv.reader(opened)
            names = [name.strip() for name in next(lines, [])]
            rows = [row for row in lines if row]
    except UnicodeDecodeError as error:
        raise CliError(f"{file} is not UTF-8 text ({error.reason})") from error
    except OSError as error:
        raise CliError(f"cannot read {file}: {error.strerror}") from error
    if not rows:
        raise CliError(f"{file} has no rows below its header")
    for number, row in enumerate(rows, 1):
        if len(row) != len(names):
            raise CliError(f"row {number} of {file} has {len(row)} values, and the header {len(names)}")
    yield {name: _cells([row[index] for row in rows]) for index, name in enumerate(names)}


def _cells(cells: list[str]) -> Sequence[Any]:
    """Numbers, but for what only looks like some: `007` is a name."""
    if any(len(digits := cell.strip().lstrip("+-")) > 1 and digits[0] == "0" and digits.isdigit() for cell in cells):
        return [None if cell.strip().lower() in MISSING else cell for cell in cells]
    return typed(cells)


def _parquet(file: Path) -> Iterator[dict[str, Sequence[Any]]]:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise CliError("reading Parquet needs pyarrow: pip install 'slipway[cli]'") from error
    try:
        with pq.ParquetFile(file) as opened:
            for batch in opened.iter_batches(CSV_ROWS):
                yield {name: column.to_pylist() for name, column in zip(batch.schema.names, batch.columns, strict=True)}
    except (pa.ArrowException, OSError) as error:
        raise CliError(f"cannot read {file} as Parquet: {error}") from error


def _time(value: Any, number: int) -> str:
    """RFC 3339, in UTC where nothing else is said."""
    try:
        when = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError as error:
        raise CliError(f"row {number}: the time {value!r} must be such as 2026-11-22T08:00:00Z") from error
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).isoformat()


def _plain(value: Any) -> Any:
    """As JSON has it."""
    if isinstance(value, str | bool | int | float):
        return value
    return value.isoformat() if isinstance(value, date | datetime) else str(value)
