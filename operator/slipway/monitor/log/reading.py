"""Rows of one of a deployment's tables, by time: files of other days are left out, then row groups, then rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from slipway.collector.batch.layout import BASES, Columns
from slipway.collector.log.place import address
from slipway.collector.log.reading import Footers
from slipway.collector.log.table import DataFile, Table
from slipway.collector.settings import LogPlace
from slipway.monitor.log.ahead import ahead
from slipway.monitor.log.span import Span

READ_ROWS, READ_BYTES = 131_072, 64 * 2**20
"""About so much of a file, decoded, is read at once."""
CHALLENGER = "Challenger"
"""The role of answers that no caller saw: they are no part of how a deployment does."""


class LogTable:
    """A table as it was when it was opened. Blocks. One without any row yet is empty, and so is one that is not there."""

    def __init__(self, place: LogPlace, namespace: str, deployment: str, kind: str) -> None:
        self._table = Table(address(place.uri, namespace, deployment, kind), kind, place)
        self._kind = kind
        snapshot = self._table.snapshot()
        self.files: list[DataFile] = sorted(snapshot.files, key=lambda file: file.day) if snapshot else []
        self.columns = snapshot.columns if snapshot else Columns()

    @property
    def by_original(self) -> dict[str, str]:
        """Column by the name that it had before it was cleaned: `in_monthly charges` → `in_monthly_charges`."""
        return {original: column for column, original in self.columns.originals.items()}

    def type_of(self, column: str) -> pa.DataType | None:
        """The type of one of its columns; None if there is no such column."""
        return BASES[self._kind].get(column) or self.columns.types.get(column)

    def schema(self, wanted: Sequence[str]) -> pa.Schema:
        """Those of the columns that the table has."""
        return pa.schema([(name, kind) for name in wanted if (kind := self.type_of(name)) is not None])

    def batches(self, span: Span, wanted: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Rows of the span, without those of challengers. A batch lacks the columns that its file does not have."""
        files = [file for file in self.files if span.has_day(file.day)]
        return ahead(self._read(files, span, wanted))

    def arrived_since(self, since: datetime, wanted: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Rows of `actuals` that arrived at that time or later, whatever day they speak of; every batch has all the columns."""
        files = [file for file in self.files if file.written >= since.timestamp() * 1000]
        schema = self.schema(wanted)
        for file in files:
            with Footers().open(self._table.store, file) as opened:
                there = [name for name in (*wanted, "arrived") if name in opened.schema_arrow.names]
                for groups in grouped(opened.metadata):
                    rows = opened.read_row_groups(groups, columns=there)
                    yield from padded(rows.filter(pc.greater_equal(rows["arrived"], pa.scalar(since))), schema)

    def padded_batches(self, span: Span, wanted: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """As `batches`, but every batch has all the columns that the table has, null where its file has none."""
        schema = self.schema(wanted)
        for batch in self.batches(span, wanted):
            yield from padded(pa.table(batch), schema)

    def _read(self, files: Sequence[DataFile], span: Span, wanted: Sequence[str]) -> Iterator[pa.RecordBatch]:
        for file in files:
            with Footers().open(self._table.store, file) as opened:
                for groups in grouped(opened.metadata):
                    yield from _rows(opened, groups, span, wanted)


def padded(rows: pa.Table, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """The rows with exactly the columns of the schema, in its order."""
    columns = [rows[field.name] if field.name in rows.column_names else pa.nulls(len(rows), field.type) for field in schema]
    yield from pa.table(columns, schema=schema).to_batches()


def grouped(footer: pq.FileMetaData) -> Iterator[list[int]]:
    """Row groups to be read together: up to `READ_ROWS` and `READ_BYTES`, at least one."""
    together: list[int] = []
    rows = size = 0
    for number in range(footer.num_row_groups):
        group = footer.row_group(number)
        if together and (rows + group.num_rows > READ_ROWS or size + group.total_byte_size > READ_BYTES):
            yield together
            together, rows, size = [], 0, 0
        together.append(number)
        rows, size = rows + group.num_rows, size + group.total_byte_size
    if together:
        yield together


def _rows(opened: pq.ParquetFile, groups: Sequence[int], span: Span, wanted: Sequence[str]) -> Iterator[pa.RecordBatch]:
    names = opened.schema_arrow.names
    times = [_bounds(opened, group, "time") for group in groups]
    near = [group for group, bounds in zip(groups, times, strict=True) if bounds is None or not span.misses(*bounds)]
    if not near:
        return
    inside = all(bounds is not None and span.covers(*bounds) for bounds in times)
    public = all(_nobody_challenges(opened, group) for group in near)
    there = [name for name in wanted if name in names]
    more = [name for name, known in (("time", inside), ("role", public)) if not known and name in names]
    rows = opened.read_row_groups(near, columns=list(dict.fromkeys([*there, *more])))
    if "time" in more:
        rows = rows.filter(pc.and_(pc.greater_equal(rows["time"], pa.scalar(span.start)), pc.less(rows["time"], pa.scalar(span.end))))
    if "role" in more:
        rows = rows.filter(pc.fill_null(pc.not_equal(rows["role"], CHALLENGER), True))
    yield from rows.select(there).to_batches()


def _bounds(opened: pq.ParquetFile, group: int, column: str) -> tuple[datetime, datetime] | None:
    """Least and greatest value of a column without nulls, by the file's footer; None: not known."""
    if column not in opened.schema_arrow.names:
        return None
    chunk = opened.metadata.row_group(group).column(opened.schema_arrow.names.index(column))
    found = chunk.statistics
    return (found.min, found.max) if found is not None and found.has_min_max and not found.null_count else None


def _nobody_challenges(opened: pq.ParquetFile, group: int) -> bool:
    bounds = _bounds(opened, group, "role")
    return bounds is not None and CHALLENGER not in bounds and bounds[0] == bounds[1]
