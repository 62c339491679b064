"""Answers and what turned out to be true, brought together by DuckDB: within a bound of memory, the rest in a temporary file."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa

from slipway.api.v1alpha1.model_monitor import Truths
from slipway.monitor.log.reading import LogTable
from slipway.monitor.log.span import Span

MEMORY = "256MB"
MAX_MATCHED = 500_000
"""Rows that are compared: of more, about so many, chosen by chance, the same in every run over the same rows."""
FOUND = (
    "CREATE TABLE found AS SELECT n, arg_max(value, arrived) AS truth_value, arg_max(label, arrived) AS truth_label, "
    "max(arrived) AS arrived FROM candidates GROUP BY n"
)
"""Of several truths about a row, the one that arrived last holds (docs/collector.md)."""


@dataclass(frozen=True)
class Question:
    """What is brought together."""

    span: Span
    """Of the predictions."""
    output: str
    """Ground truth about this output counts, and such as names none."""
    columns: Sequence[str]
    """Of the predictions, beside those that the join needs."""
    max_delay: timedelta
    now: datetime


@dataclass(frozen=True)
class Joined:
    """Answers and truth."""

    matched: pa.Table
    """The asked columns, with `truth_value` (float64) and `truth_label` (text) beside."""
    truths: Truths


def join(predictions: LogTable, actuals: LogTable, asked: Question) -> Joined:
    """Answers with status 200 and their truth. Raises duckdb.Error, and whatever the store does."""
    with _database() as database:
        keys = _shared_keys(predictions, actuals)
        wanted = list(dict.fromkeys(["prediction_id", "row", "time", "status", *keys.values(), *asked.columns]))
        schema = predictions.schema(wanted)
        _load(database, "read_predictions", schema, predictions.padded_batches(asked.span, wanted))
        database.execute("CREATE TABLE predictions AS SELECT row_number() OVER () AS n, * FROM read_predictions WHERE status = 200")
        _load_truth(database, actuals, asked)
        _match(database, keys, predictions, actuals)
        database.execute(FOUND)
        return Joined(_matched(database, schema, asked), _counts(database, asked))


@contextmanager
def _database() -> Iterator[duckdb.DuckDBPyConnection]:
    with tempfile.TemporaryDirectory(prefix="slipway-join-") as folder:
        options: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": MEMORY,
            "temp_directory": str(Path(folder) / "spill"),
            "preserve_insertion_order": False,
            "threads": 2,
            "autoinstall_known_extensions": False,
        }
        database = duckdb.connect(str(Path(folder) / "join.duckdb"), config=options)
        try:
            database.execute("SET TimeZone = 'UTC'")
            yield database
        finally:
            database.close()


def _load(database: duckdb.DuckDBPyConnection, name: str, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> None:
    database.register(name, pa.RecordBatchReader.from_batches(schema, batches))


def _load_truth(database: duckdb.DuckDBPyConnection, actuals: LogTable, asked: Question) -> None:
    """Truth that arrived before the predictions began is not about them; a day is for clocks that differ."""
    names = ["prediction_id", "row", "output", "value", "label", "arrived", *_keys_of(actuals).values()]
    schema = actuals.schema(names)
    _load(database, "read_truths", schema, actuals.arrived_since(asked.span.start - timedelta(days=1), names))
    columns = ", ".join(_quoted(name) for name in schema.names)
    database.execute(f"CREATE TABLE truths AS SELECT {columns} FROM read_truths WHERE output IS NULL OR output IN ('', ?)", [asked.output])


def _match(database: duckdb.DuckDBPyConnection, keys: Mapping[str, str], predictions: LogTable, actuals: LogTable) -> None:
    """Fills `candidates` with every truth about every prediction: by id and row, and by each set of key columns that truths came with."""
    columns = "p.n AS n, a.value AS value, a.label AS label, a.arrived AS arrived"
    by_id = "p.prediction_id = a.prediction_id AND p.row = a.row"
    database.execute(f"CREATE TABLE candidates AS SELECT {columns} FROM predictions p JOIN truths a ON {by_id}")
    own = _keys_of(actuals)
    for present in _key_sets(database, own):
        if not all(original in keys for original in present):
            continue
        same = [_equal(predictions, keys[original], actuals, own[original]) for original in present]
        absent = [f"a.{_quoted(own[original])} IS NULL" for original in own if original not in present]
        condition = " AND ".join([*same, *absent, "a.prediction_id IS NULL", "p.time <= a.arrived"])
        database.execute(f"INSERT INTO candidates SELECT {columns} FROM predictions p JOIN truths a ON {condition}")


def _key_sets(database: duckdb.DuckDBPyConnection, own: Mapping[str, str]) -> list[list[str]]:
    """Which keys truths have together, by original name."""
    if not own:
        return []
    flags = ", ".join(f"{_quoted(column)} IS NOT NULL" for column in own.values())
    found = database.execute(f"SELECT DISTINCT {flags} FROM truths WHERE prediction_id IS NULL").fetchall()
    sets = [[original for original, there in zip(own, row, strict=True) if there] for row in found]
    return [present for present in sets if present]


def _equal(predictions: LogTable, left: str, actuals: LogTable, right: str) -> str:
    """Numbers as numbers, all else as text: the two tables may have a key in different types."""
    numeric = all(_is_number(table.type_of(column)) for table, column in ((predictions, left), (actuals, right)))
    kind = "DOUBLE" if numeric else "VARCHAR"
    return f"CAST(p.{_quoted(left)} AS {kind}) = CAST(a.{_quoted(right)} AS {kind})"


def _matched(database: duckdb.DuckDBPyConnection, schema: pa.Schema, asked: Question) -> pa.Table:
    query = f"SELECT truth_value, truth_label{_selected(schema, asked)} FROM predictions p JOIN found USING (n)"
    return _sampled(database, query, MAX_MATCHED)


def _sampled(database: duckdb.DuckDBPyConnection, query: str, most: int) -> pa.Table:
    """The rows; of too many, about so many, chosen by the hash of their ids: the same in every run."""
    count = database.execute(f"SELECT count(*) FROM ({query})").fetchall()[0][0]
    if count <= most:
        return database.sql(query).to_arrow_table()
    share = f"{query} WHERE hash(p.prediction_id, p.row) < {int(2**64 * most / count)}::UBIGINT"
    return database.sql(share).to_arrow_table()


def _counts(database: duckdb.DuckDBPyConnection, asked: Question) -> Truths:
    query = """SELECT count(f.n), count(*) FILTER (f.n IS NULL AND p.time >= $oldest), count(*) FILTER (f.n IS NULL AND p.time < $oldest),
        count(*) FILTER (f.arrived - p.time > $delay) FROM predictions p LEFT JOIN found f USING (n)"""
    values = {"oldest": asked.now - asked.max_delay, "delay": asked.max_delay}
    matched, waiting, unmatched, late = database.execute(query, values).fetchall()[0]
    return Truths(matched=matched, waiting=waiting, unmatched=unmatched, late=late)


def _selected(schema: pa.Schema, asked: Question) -> str:
    return "".join(f", p.{_quoted(name)}" for name in schema.names if name in asked.columns)


def _shared_keys(predictions: LogTable, actuals: LogTable) -> dict[str, str]:
    """The predictions' column of each key that ground truth comes with, by original name."""
    own = predictions.by_original
    return {original: own[original] for original in _keys_of(actuals) if original in own}


def _keys_of(table: LogTable) -> dict[str, str]:
    return {original: column for original, column in table.by_original.items() if original.startswith("key_")}


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _is_number(kind: pa.DataType | None) -> bool:
    return kind is not None and (pa.types.is_integer(kind) or pa.types.is_floating(kind))
