"""Calls to Arrow batches of bounded size. The same records make the same batches, whoever makes them and however often."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import orjson
import pyarrow as pa

from slipway_runtime.capture.record import REST
from slipway_runtime.serve.tensors import Array
from slipway_runtime.ship.decode import Call, Column
from slipway_runtime.ship.settings import Identity

MAX_ROWS = 1 << 15
MAX_CELLS = 1 << 19
"""Of one batch: rows times all columns that any of its rows has."""
EXACT = 1 << 53
"""Whole numbers up to here are exact as float64."""
DTYPES: dict[str, Any] = {"double": np.float64, "int64": np.int64, "bool": np.bool_, "string": object}
TYPES = {"double": pa.float64(), "int64": pa.int64(), "bool": pa.bool_(), "string": pa.string()}
CALL_FIELDS = {
    "status": pa.int32(),
    "error": pa.string(),
    "latency_ms": pa.float64(),
    "protocol": pa.string(),
    "caller": pa.string(),
    "truncated": pa.bool_(),
}


@dataclass(frozen=True, slots=True)
class Piece:
    """Rows `begin` to `end` of a call."""

    call: Call
    begin: int
    end: int

    @property
    def rows(self) -> int:
        return self.end - self.begin


def batches(calls: Iterable[Call], identity: Identity) -> Iterator[pa.RecordBatch]:
    """All rows of the calls, in order."""
    for pieces in _groups(calls):
        yield build(pieces, identity)


def _groups(calls: Iterable[Call]) -> Iterator[list[Piece]]:
    """As many rows together as a batch may have; a call that is larger is cut."""
    group: list[Piece] = []
    rows, names = 0, set[str]()
    for call in calls:
        begin = 0
        while begin < call.rows:
            wider = names | {column.name for column in (*call.columns, *call.others)}
            room = min(MAX_ROWS, max(1, MAX_CELLS // max(1, len(wider)))) - rows
            if group and room < call.rows - begin:
                yield group
                group, rows, names = [], 0, set()
                continue
            group.append(Piece(call, begin, min(call.rows, begin + room)))
            rows, names, begin = rows + group[-1].rows, wider, group[-1].end
    if group:
        yield group


def build(pieces: list[Piece], identity: Identity) -> pa.RecordBatch:
    """One batch of these rows."""
    rows = sum(piece.rows for piece in pieces)
    others: dict[int, dict[str, object]] = {}
    data = _call_columns(pieces, rows, identity)
    for name, chunks in _by_name(pieces, others).items():
        data[name] = _array(name, chunks, rows, others)
    texts = [orjson.dumps(others[row], option=orjson.OPT_NON_STR_KEYS).decode() if row in others else None for row in range(rows)]
    data["other"] = pa.array(texts, pa.string())
    schema = pa.schema([(name, values.type) for name, values in data.items()], metadata=_metadata(identity))
    return pa.record_batch(list(data.values()), schema=schema)


def to_stream(batch: pa.RecordBatch) -> bytes:
    """The batch as an Arrow IPC stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema, options=pa.ipc.IpcWriteOptions(compression="lz4", use_threads=False)) as writer:
        writer.write_batch(batch)
    return bytes(sink.getvalue())


def _call_columns(pieces: list[Piece], rows: int, identity: Identity) -> dict[str, pa.Array]:
    records = [piece.call.record for piece in pieces]
    counts = [piece.rows for piece in pieces]
    data = {
        "prediction_id": _each([record.id for record in records], counts, pa.string()),
        "row": pa.array(np.concatenate([np.arange(piece.begin, piece.end) for piece in pieces]), pa.int32()),
        "rows": _each([max(1, record.rows) for record in records], counts, pa.int32()),
        "time": _each([record.time_us for record in records], counts, pa.timestamp("us", "UTC")),
    }
    data |= {name: pa.array([value] * rows, pa.string()) for name, value in asdict(identity).items()}
    for name, kind in CALL_FIELDS.items():
        values = [getattr(record, name) for record in records]
        if name == "protocol":
            values = ["REST" if value == REST else "gRPC" for value in values]
        data[name] = _each([None if value == "" else value for value in values], counts, kind)
    return data


def _each(values: list[Any], counts: list[int], kind: pa.DataType) -> pa.Array:
    return pa.array(values, kind).take(pa.array(np.repeat(np.arange(len(values)), counts)))


Chunks = list[tuple[int, Column, Array]]


def _by_name(pieces: list[Piece], others: dict[int, dict[str, object]]) -> dict[str, Chunks]:
    """The pieces of each column, with the row where they begin; what has no column goes to `others`."""
    found: dict[str, Chunks] = {}
    offset = 0
    for piece in pieces:
        for column in piece.call.columns:
            found.setdefault(column.name, []).append((offset, column, column.values[piece.begin : piece.end]))
        for column in piece.call.others:
            _aside(others, offset, column.name, column.values[piece.begin : piece.end])
        if piece.begin == 0 and piece.call.whole:
            others.setdefault(offset, {}).update(piece.call.whole)
        offset += piece.rows
    return found


def _array(name: str, chunks: Chunks, rows: int, others: dict[int, dict[str, object]]) -> pa.Array:
    """One typed array. Numbers mix as float64; any other value that is not of the column's first type goes to `others`."""
    kinds = {column.kind for _, column, _ in chunks}
    kind = chunks[0][1].kind
    if kind == "int64" and "double" in kinds:
        kind = "double"
    values, missing = np.empty(rows, DTYPES[kind]), np.ones(rows, np.bool_)
    for offset, column, chunk in chunks:
        if _fits(column.kind, kind, chunk):
            values[offset : offset + len(chunk)] = chunk
            missing[offset : offset + len(chunk)] = False
        else:
            _aside(others, offset, name, chunk)
    return pa.array(values, TYPES[kind], mask=missing, from_pandas=False)


def _fits(own: str, wanted: str, values: Array) -> bool:
    if own == "int64" and wanted == "double":
        return bool((np.abs(values.astype(np.float64)) <= EXACT).all())
    return own == wanted


def _aside(others: dict[int, dict[str, object]], offset: int, name: str, values: Array) -> None:
    for row, value in enumerate(values.tolist(), offset):
        others.setdefault(row, {})[name] = value


def _metadata(identity: Identity) -> dict[str, str]:
    return {f"slipway.{field}": getattr(identity, field) for field in ("namespace", "deployment", "model")}
