"""Data files of a table: written whole, described for the log, read back."""

from __future__ import annotations

import json
import time
import uuid
from datetime import UTC, date, datetime, timedelta

import obstore
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from deltalake.transaction import AddAction
from obstore.store import ObjectStore

from slipway.collector.batch.layout import PARTITION

STATISTICS = ("prediction_id", "time")
"""Columns whose least and greatest value the log knows for each file. No others: it would keep values of people long after erasure."""
GROUP_ROWS, GROUP_BYTES = 32_768, 32 * 2**20
"""About so much of a file is read for one row of it."""


def put(store: ObjectStore, day: date, rows: pa.Table, data_change: bool = True) -> AddAction:
    """Writes rows of one day (without the column `date`) as a file of a new name; the action that makes it part of the table."""
    path = f"{PARTITION}={day.isoformat()}/{uuid.uuid4()}.parquet"
    sink = pa.BufferOutputStream()
    _write(rows, sink)
    body = sink.getvalue().to_pybytes()
    obstore.put(store, path, body, use_multipart=False)
    return AddAction(path, len(body), {PARTITION: day.isoformat()}, int(time.time() * 1000), data_change, _statistics(rows))


def put_by_day(store: ObjectStore, rows: pa.Table) -> list[AddAction]:
    """A file for each day of the rows."""
    days = pc.unique(rows[PARTITION]).to_pylist()
    if len(days) == 1:
        return [put(store, days[0], rows.drop_columns([PARTITION]))]
    return [put(store, day, rows.filter(pc.equal(rows[PARTITION], pa.scalar(day))).drop_columns([PARTITION])) for day in days]


def _write(rows: pa.Table, sink: pa.BufferOutputStream) -> None:
    repeating = [column.name for column in rows.schema if pa.types.is_string(column.type) and column.name not in ("prediction_id", "other")]
    width = max(1, rows.nbytes // max(1, len(rows)))
    size = min(GROUP_ROWS, max(4096, GROUP_BYTES // width))
    pq.write_table(rows, sink, row_group_size=size, compression="zstd", compression_level=1, use_dictionary=repeating)


def _statistics(rows: pa.Table) -> str:
    least, greatest, nulls = {}, {}, {}
    for name in STATISTICS:
        if name not in rows.column_names:
            continue
        column = rows[name]
        nulls[name] = column.null_count
        bounds = pc.min_max(column).as_py()
        if bounds["min"] is not None:
            least[name], greatest[name] = _text(bounds["min"]), _text(bounds["max"], up=True)
    return json.dumps({"numRecords": len(rows), "minValues": least, "maxValues": greatest, "nullCount": nulls})


def _text(value: str | datetime, up: bool = False) -> str:
    """Times in milliseconds, as Spark writes them: the greatest rounded up, so that no row is outside."""
    if isinstance(value, str):
        return value
    rounded = value.astimezone(UTC) + timedelta(microseconds=999 if up else 0)
    return rounded.strftime("%Y-%m-%dT%H:%M:%S.") + f"{rounded.microsecond // 1000:03}Z"
