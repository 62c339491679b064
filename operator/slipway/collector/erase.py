"""Removes what the log has of one subject: rows from the tables, then their bytes from the store."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any

import obstore
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from deltalake import DeltaTable
from obstore.exceptions import NotFoundError

from slipway.collector import metrics
from slipway.collector.batch.casting import cast, natural, plain
from slipway.collector.batch.layout import BASES, OTHER
from slipway.collector.errors import Refused, malformed
from slipway.collector.find import Finder
from slipway.collector.log.files import put
from slipway.collector.log.table import Change, DataFile, Table, files_of

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Wanted:
    """Values of a column; `name` is its name in batches, `column` its name in the table."""

    name: str
    column: str
    values: pa.Array
    """Of the column's type."""
    texts: frozenset[str]
    """The values as JSON, for those that are in `other`."""


@dataclass(frozen=True)
class Erased:
    rows: int = 0
    ids: pa.Array = field(default_factory=lambda: pa.array([], pa.string()))
    """Of the predictions whose rows went."""


def erase(predictions: Table, actuals: Table, finder: Finder, column: str, value: Any) -> dict[str, int]:
    """Erases the rows in which `column` is `value` from both tables, and ground truth about the predictions among them.

    Returns the rows that went: `{"predictions", "actuals"}`. Batches that arrive later are not met. Blocks: for threads. Raises Refused:
    404 if neither table has such a column, 400 for a value that the column cannot have, 503.
    """
    if not isinstance(value, (str, int, float)):
        raise malformed("value must be a number, a boolean or text")
    wanted = [(table, _wanted(table, column, value)) for table in (predictions, actuals)]
    if not any(found for _, found in wanted):
        raise Refused(404, f"neither table has a column {column[:100]!r}")
    gone = [_erase(table, finder, found) if found else Erased() for table, found in wanted]
    count = gone[1].rows
    if gone[0].rows:
        ids = gone[0].ids.unique()
        count += _erase(actuals, finder, Wanted("prediction_id", "prediction_id", ids, frozenset())).rows
    for table in (predictions, actuals):
        table.vacuum(0, unknown=False)
    metrics.ERASED.inc(gone[0].rows + count)
    return {"predictions": gone[0].rows, "actuals": count}


def _wanted(table: Table, name: str, value: Any) -> Wanted | None:
    snapshot = table.snapshot()
    if snapshot is None:
        return None
    columns = snapshot.columns
    base = BASES[table.kind]
    column = name if name in base or name in columns.types else next((of for of, known in columns.originals.items() if known == name), None)
    if column is None:
        return None
    given = pa.array([value])
    values, _ = cast(given.cast(natural(given.type)), base.get(column) or columns.types[column])
    return Wanted(columns.originals.get(column, column), column, values.drop_null(), frozenset({orjson.dumps(plain(value)).decode()}))


def _erase(table: Table, finder: Finder, wanted: Wanted) -> Erased:
    """File by file, until no file of the newest version is left that was not looked into."""
    seen: set[str] = set()
    rows, ids = 0, []
    while (snapshot := table.snapshot()) and (left := [file for file in snapshot.files if file.path not in seen]):
        for file in left:
            seen.add(file.path)
            try:
                with finder.footers.open(table.store, file) as opened:
                    part = _rewrite(table, opened, file, wanted, seen)
            except (FileNotFoundError, NotFoundError):  # compacted and vacuumed meanwhile: its rows are in a file that was not seen yet
                continue
            if part is not None:
                rows += len(part)
                ids.append(part.combine_chunks())
    return Erased(rows, pa.concat_arrays([chunk for array in ids for chunk in _chunks(array)]) if ids else pa.array([], pa.string()))


def _chunks(array: pa.Array | pa.ChunkedArray) -> list[pa.Array]:
    return array.chunks if isinstance(array, pa.ChunkedArray) else [array]


def _rewrite(table: Table, opened: pq.ParquetFile, file: DataFile, wanted: Wanted, seen: set[str]) -> pa.ChunkedArray | None:
    """The ids of the rows that left the file; None if it has none of them, or is no longer part of the table."""
    names = [name for name in (wanted.column, OTHER) if name in opened.schema_arrow.names]
    meant = _mask(opened.read(columns=names), wanted)
    if not pc.any(meant).as_py():
        return None
    whole = opened.read()
    kept = whole.filter(pc.invert(meant))
    adds = [put(table.store, file.day, kept)] if len(kept) else []

    def propose(handle: DeltaTable) -> Change | None:
        return Change(adds, [file.removed(True)]) if any(one.path == file.path for one in files_of(handle)) else None

    if not table.commit(propose):
        obstore.delete(table.store, [add.path for add in adds])
        return None
    seen |= {add.path for add in adds}
    return whole.filter(meant)["prediction_id"]


def _mask(rows: pa.Table, wanted: Wanted) -> pa.ChunkedArray:
    none = pa.chunked_array([pa.array([False] * len(rows), pa.bool_())])
    found = pc.is_in(rows[wanted.column], wanted.values) if wanted.column in rows.column_names else none
    if OTHER not in rows.column_names or not wanted.texts or rows[OTHER].null_count == len(rows):
        return found
    aside = [_aside(text, wanted) for text in rows[OTHER].to_pylist()]
    return pc.or_(found, pa.chunked_array([pa.array(aside, pa.bool_())]))


def _aside(text: str | None, wanted: Wanted) -> bool:
    """Whether `other` holds the value, which did not fit the column."""
    if not text:
        return False
    value = orjson.loads(text).get(wanted.name)
    return value is not None and orjson.dumps(value).decode() in wanted.texts
