"""Rows of a table by the value of one column: read by row groups, values compared as data, never as a part of a query's text."""

from __future__ import annotations

import io
import threading
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence

import obstore
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from obstore.store import ObjectStore

from slipway.collector.log.table import DataFile

FOOTER_BYTES = 64 * 2**20
Mask = Callable[[pa.Table], pa.Array]
"""Which rows are meant, by the columns that were asked for."""


class Footers:
    """Footers of files that were read last, up to `FOOTER_BYTES` of them: files never change."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, pq.FileMetaData] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def open(self, store: ObjectStore, file: DataFile) -> pq.ParquetFile:
        """The file, its footer read at most once."""
        with self._lock:
            known = self._kept.get(file.path)
            if known is not None:
                self._kept.move_to_end(file.path)
        opened = pq.ParquetFile(pa.PythonFile(_Ranges(store, file), "r"), metadata=known, pre_buffer=True)
        if known is None:
            self._keep(file.path, opened.metadata)
        return opened

    def _keep(self, path: str, footer: pq.FileMetaData) -> None:
        with self._lock:
            if path in self._kept:
                return
            self._kept[path] = footer
            self._bytes += footer.serialized_size
            while self._bytes > FOOTER_BYTES:
                self._bytes -= self._kept.popitem(last=False)[1].serialized_size


class _Ranges(io.RawIOBase):
    """A file of a store as pyarrow reads it: a request for each piece."""

    def __init__(self, store: ObjectStore, file: DataFile) -> None:
        self._store, self._file, self._at = store, file, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._file.size}[whence]
        return self._at

    def read(self, size: int | None = -1) -> bytes:
        left = self._file.size - self._at
        length = left if size is None or size < 0 else min(size, left)
        if length <= 0:
            return b""
        piece = obstore.get_range(self._store, self._file.path, start=self._at, length=length).to_bytes()
        self._at += len(piece)
        return piece


def rows_where(
    opened: pq.ParquetFile, columns: Sequence[str], mask: Mask, groups: Sequence[int], wanted: Sequence[str] | None
) -> Iterator[pa.Table]:
    """The rows that `mask` (of `columns`) means, with the columns `wanted` (None: all), of some row groups."""
    there = [name for name in columns if name in opened.schema_arrow.names]
    for group in groups:
        meant = mask(opened.read_row_group(group, columns=there))
        if pc.any(meant).as_py():
            yield opened.read_row_group(group, columns=list(wanted) if wanted is not None else None).filter(meant)


def groups_with(opened: pq.ParquetFile, column: str, value: str) -> list[int]:
    """The row groups that may hold the value, by their bounds."""
    footer = opened.metadata
    index = opened.schema_arrow.names.index(column) if column in opened.schema_arrow.names else -1
    if index < 0:
        return []
    return [group for group in range(footer.num_row_groups) if _within(footer.row_group(group).column(index), value)]


def _within(chunk: pq.ColumnChunkMetaData, value: str) -> bool:
    bounds = chunk.statistics
    if bounds is None or not bounds.has_min_max:
        return True
    return bool(bounds.min <= value <= bounds.max)


def holding(files: Sequence[DataFile], value: str) -> list[DataFile]:
    """The files that may have this `prediction_id`, by the log."""
    return [file for file in files if file.least is None or file.greatest is None or file.least <= value <= file.greatest]


def holding_any(files: Sequence[DataFile], values: Sequence[str]) -> list[DataFile]:
    """The files that may have one of these `prediction_id`s, by the log."""
    ordered = sorted(values)

    def may(file: DataFile) -> bool:
        if file.least is None or file.greatest is None:
            return True
        at = bisect_left(ordered, file.least)
        return at < len(ordered) and ordered[at] <= file.greatest

    return [file for file in files if may(file)]
