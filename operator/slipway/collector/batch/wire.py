"""An Arrow IPC stream from somebody who may mean harm: measured before it is decompressed, and checked as a whole."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import pyarrow as pa
from pyarrow import ipc

from slipway.collector.errors import Refused, malformed
from slipway.collector.settings import Limits

WHOLE = (pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64())
REAL = (pa.float32(), pa.float64())
TEXT = (pa.string(), pa.large_string())
ALLOWED = frozenset({*WHOLE, *REAL, *TEXT, pa.bool_(), pa.timestamp("us", "UTC")})
Buffer = tuple[int, int]
"""Offset in the body, and length, in bytes."""


def decode(body: bytes, limits: Limits) -> pa.Table:
    """The stream's rows. Raises Refused: 400 for what is no such stream, 413 for one that is too large."""
    try:
        batches, schema = _read(body, limits)
        return pa.Table.from_batches(batches, schema)
    except Refused:
        raise
    except Exception as error:  # of many types, and all of them say the same: nothing but these bytes is read here
        raise malformed(f"not an Arrow IPC stream: {error}".splitlines()[0][:300]) from error


def _read(body: bytes, limits: Limits) -> tuple[list[pa.RecordBatch], pa.Schema]:
    messages = _messages(body)
    first = next(messages, None)
    if first is None or first.type != "schema":
        raise malformed("not an Arrow IPC stream: it does not begin with a schema")
    schema = ipc.read_schema(first)
    _check(schema, limits)
    batches, size, rows = [], 0, 0
    for message in messages:
        if message.type != "record batch":
            raise malformed(f"a batch holds plain columns, no {message.type}")
        count, decoded = measure(message.metadata.to_pybytes(), memoryview(message.body))
        size, rows = size + decoded, rows + count
        if size > limits.decoded:
            raise Refused(413, f"a batch may hold {limits.decoded} bytes decompressed, this has more: send fewer rows at once")
        if rows > limits.rows:
            raise Refused(413, f"a batch may hold {limits.rows} rows, this has more: send fewer at once")
        batches.append(ipc.read_record_batch(message, schema))
        batches[-1].validate(full=True)
    return batches, schema


def _messages(body: bytes) -> Iterator[ipc.Message]:
    reader = ipc.MessageReader.open_stream(pa.py_buffer(body))
    while True:
        try:
            yield reader.read_next_message()
        except StopIteration:
            return


def _check(schema: pa.Schema, limits: Limits) -> None:
    if len(schema) > limits.columns:
        raise Refused(413, f"a batch may have {limits.columns} columns, this has {len(schema)}")
    if len(set(schema.names)) != len(schema):
        raise malformed("two columns of the same name")
    for column in schema:
        if column.type not in ALLOWED:
            raise malformed(f"column {column.name[:100]!r} is of type {str(column.type)[:100]}: numbers, booleans and text are taken")


def measure(metadata: bytes, body: memoryview) -> tuple[int, int]:
    """Rows, and bytes once decompressed, of a record batch by its message: a flatbuffer, of which only this much is read.

    Raises struct.error, IndexError or ValueError for what is none.
    """
    message = _Table(metadata, struct.unpack_from("<I", metadata)[0])
    batch = message.table(2)
    rows = batch.int64(0)
    compressed = batch.offset(3) != 0
    size = sum(_decoded(body, start, length) if compressed else length for start, length in batch.pairs(2))
    if rows < 0 or size < 0:
        raise ValueError("negative sizes")
    return rows, size


def _decoded(body: memoryview, start: int, length: int) -> int:
    """A compressed buffer begins with its size decompressed; -1: it is not compressed after all."""
    if length == 0:
        return 0
    if start < 0 or length < 8:
        raise ValueError("a buffer outside of the message")
    (size,) = struct.unpack_from("<q", body, start)
    return length - 8 if size == -1 else int(size)


class _Table:
    """A flatbuffer's table at a position."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data, self._at = data, at
        self._fields = at - struct.unpack_from("<i", data, at)[0]
        self._length = struct.unpack_from("<H", data, self._fields)[0]

    def offset(self, field: int) -> int:
        """Where the field is; 0 if it is left out."""
        slot = 4 + 2 * field
        if slot + 2 > self._length:
            return 0
        (relative,) = struct.unpack_from("<H", self._data, self._fields + slot)
        return self._at + relative if relative else 0

    def int64(self, field: int) -> int:
        at = self.offset(field)
        return int(struct.unpack_from("<q", self._data, at)[0]) if at else 0

    def table(self, field: int) -> _Table:
        return _Table(self._data, self._target(field))

    def pairs(self, field: int) -> Iterator[Buffer]:
        """A vector of structs of two 64-bit numbers."""
        if not self.offset(field):
            return
        at = self._target(field)
        (count,) = struct.unpack_from("<I", self._data, at)
        if at + 4 + 16 * count > len(self._data):
            raise ValueError("a vector outside of the message")
        for index in range(count):
            start, length = struct.unpack_from("<qq", self._data, at + 4 + 16 * index)
            if length < 0:
                raise ValueError("a buffer of negative length")
            yield start, length

    def _target(self, field: int) -> int:
        at = self.offset(field)
        return at + int(struct.unpack_from("<I", self._data, at)[0])
