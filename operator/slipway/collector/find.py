"""One prediction by its id, with its ground truth."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc
from obstore.store import ObjectStore

from slipway.collector.batch.casting import plain
from slipway.collector.batch.layout import OTHER
from slipway.collector.log.reading import Footers, groups_with, holding, holding_any, rows_where
from slipway.collector.log.table import DataFile, Table

MAX_ROWS = 1000
"""Rows of one id in an answer."""
_UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
Stages = Callable[[Sequence[DataFile], str], list[list[DataFile]]]
"""Files in the order in which they are looked into."""


class Finder:
    """Looks into tables, several files at a time. Blocks: for threads."""

    def __init__(self, readers: int) -> None:
        self._threads = ThreadPoolExecutor(readers, thread_name_prefix="read")
        self.footers = Footers()

    def predictions(self, table: Table, prediction: str) -> list[dict[str, Any]]:
        """The rows of the prediction, by their number."""
        found = self._search(table, prediction, stages)
        return sorted((jsonable(row) for row in found), key=lambda row: row.get("row", 0))

    def actuals(self, table: Table, prediction: str) -> list[dict[str, Any]]:
        """Its ground truth: of what came several times for a row and an output, what came last."""
        found = self._search(table, prediction, lambda files, _: [list(files)])
        last = {(row["row"], row["output"]): row for row in sorted(found, key=lambda row: row["arrived"])}
        return [jsonable(last[key]) for key in sorted(last)]

    def close(self) -> None:
        self._threads.shutdown()

    def select(self, table: Table, column: str, values: pa.Array, wanted: Sequence[str]) -> pa.Table:
        """The columns `wanted` of all rows that have one of `values` in `column`."""
        snapshot = table.snapshot()
        if snapshot is None or not len(values):
            return pa.table({})
        files = holding_any(snapshot.files, values.to_pylist()) if column == "prediction_id" else snapshot.files

        def read(file: DataFile) -> list[pa.Table]:
            with self.footers.open(table.store, file) as opened:
                if column not in opened.schema_arrow.names:
                    return []
                there = [name for name in wanted if name in opened.schema_arrow.names]
                groups = range(opened.metadata.num_row_groups)
                return list(rows_where(opened, [column], lambda rows: pc.is_in(rows[column], values), groups, there))

        parts = [part for found in self._threads.map(read, files) for part in found]
        return pa.concat_tables(parts, promote_options="default") if parts else pa.table({})

    def _search(self, table: Table, prediction: str, staged: Stages) -> list[dict[str, Any]]:
        snapshot = table.snapshot()
        if snapshot is None:
            return []
        for stage in staged(holding(snapshot.files, prediction), prediction):
            tables = list(self._threads.map(partial(self._read, table.store, prediction), stage))
            rows = [row for part in tables for row in part.to_pylist()]
            if rows:
                return rows[:MAX_ROWS]
        return []

    def _read(self, store: ObjectStore, prediction: str, file: DataFile) -> pa.Table:
        with self.footers.open(store, file) as opened:
            groups = groups_with(opened, "prediction_id", prediction)
            parts = rows_where(
                opened, ["prediction_id"], lambda rows: pc.fill_null(pc.equal(rows["prediction_id"], prediction), False), groups, None
            )
            found = list(parts)
        return pa.concat_tables(found).slice(0, MAX_ROWS) if found else pa.table({})


def stages(files: Sequence[DataFile], prediction: str) -> list[list[DataFile]]:
    """Where to look first: an id that carries its time was given on that day, but for clocks; then everywhere else."""
    day = day_of(prediction)
    if day is None:
        return [list(files)]
    near = [file for file in files if abs(file.day - day) <= timedelta(days=1)]
    return [near, [file for file in files if file not in near]]


def day_of(prediction: str) -> date | None:
    """The UTC day in a UUID of version 7; None for other ids."""
    if not _UUID7.fullmatch(prediction.lower()):
        return None
    milliseconds = int(prediction[:8] + prediction[9:13], 16)
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC).date()
    except (ValueError, OverflowError, OSError):
        return None


def jsonable(row: dict[str, Any]) -> dict[str, Any]:
    """A row without its nulls; `other` as the object it is."""
    found = {name: value if isinstance(value, datetime) else plain(value) for name, value in row.items() if value is not None}
    if OTHER in found:
        found[OTHER] = orjson.loads(row[OTHER])
    return found
