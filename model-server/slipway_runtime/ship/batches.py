"""Calls to Arrow batches of bounded size. The same records make the same batches, whoever makes them and however often."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import lru_cache
from itertools import groupby
from typing import Any

import numpy as np
import orjson
import pyarrow as pa

from slipway_runtime.capture.record import REST
from slipway_runtime.serve.tensors import Array
from slipway_runtime.ship.decode import BOOL, DOUBLE, INT64, LISTS, STRING, Call, Layout, set_aside
from slipway_runtime.ship.settings import Identity

MAX_ROWS = 1 << 15
MAX_CELLS = 1 << 18
"""Of one batch: rows times all columns that any of its rows has."""
EXACT = 1 << 53
"""Whole numbers up to here are exact as float64."""
DTYPES: dict[str, Any] = {DOUBLE: np.float64, INT64: np.int64, BOOL: np.bool_, STRING: object}
TYPES = {DOUBLE: pa.float64(), INT64: pa.int64(), BOOL: pa.bool_(), STRING: pa.string()}
Others = dict[int, dict[str, object]]
"""By row, and then by name."""
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
    rows, names = 0, frozenset[str]()
    for call in calls:
        begin = 0
        while begin < call.rows:
            wider = names if group and call.layout == group[-1].call.layout else names | _all_names(call.layout)
            room = min(MAX_ROWS, max(1, MAX_CELLS // max(1, len(wider)))) - rows
            if group and room < call.rows - begin:
                yield group
                group, rows, names = [], 0, frozenset()
                continue
            group.append(Piece(call, begin, min(call.rows, begin + room)))
            rows, names, begin = rows + group[-1].rows, wider, group[-1].end
    if group:
        yield group


@lru_cache(64)
def _all_names(layout: Layout) -> frozenset[str]:
    return frozenset(name for names, _ in layout for name in names)


def build(pieces: list[Piece], identity: Identity) -> pa.RecordBatch:
    """One batch of these rows."""
    rows = sum(piece.rows for piece in pieces)
    others: Others = {}
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


@dataclass(frozen=True, slots=True)
class Chunk:
    """A column's values in the rows from `row` on."""

    row: int
    kind: str
    values: Array


def _by_name(pieces: list[Piece], others: Others) -> dict[str, list[Chunk]]:
    """The chunks of each column; what has no column goes to `others`."""
    found: dict[str, list[Chunk]] = {}
    row = 0
    for layout, alike in groupby(pieces, lambda piece: piece.call.layout):
        run = list(alike)
        for index, ((names, kind), aside) in enumerate(zip(layout, set_aside(layout), strict=True)):
            blocks = [piece.call.blocks[index][piece.begin : piece.end] for piece in run]
            values = blocks[0] if len(blocks) == 1 else np.concatenate(blocks)
            for position, name in enumerate(names):
                if position in aside:
                    _aside(others, row, name, values if kind == LISTS else values[:, position])
                else:
                    found.setdefault(name, []).append(Chunk(row, kind, values[:, position]))
        row += _keep_whole(run, row, others)
    return found


def _keep_whole(run: list[Piece], row: int, others: Others) -> int:
    """What calls have as a whole goes to their first row; how many rows these are."""
    first = row
    for piece in run:
        if piece.begin == 0 and piece.call.whole:
            others.setdefault(row, {}).update(piece.call.whole)
        row += piece.rows
    return row - first


def _array(name: str, chunks: list[Chunk], rows: int, others: Others) -> pa.Array:
    """One typed array. Numbers mix as float64; any other value that is not of the column's first type goes to `others`."""
    kind = chunks[0].kind
    if kind == INT64 and any(chunk.kind == DOUBLE for chunk in chunks):
        kind = DOUBLE
    values, missing = np.empty(rows, DTYPES[kind]), np.ones(rows, np.bool_)
    for chunk in chunks:
        if _fits(chunk, kind):
            there = slice(chunk.row, chunk.row + len(chunk.values))
            values[there], missing[there] = chunk.values, False
        else:
            _aside(others, chunk.row, name, chunk.values)
    return pa.array(values, TYPES[kind], mask=missing, from_pandas=False)


def _fits(chunk: Chunk, kind: str) -> bool:
    if chunk.kind == INT64 and kind == DOUBLE:
        return bool((np.abs(chunk.values.astype(np.float64)) <= EXACT).all())
    return chunk.kind == kind


def _aside(others: Others, first: int, name: str, values: Array) -> None:
    for row, value in enumerate(values.tolist(), first):
        others.setdefault(row, {})[name] = value


def _metadata(identity: Identity) -> dict[str, str]:
    return {f"slipway.{field}": getattr(identity, field) for field in ("namespace", "deployment", "model")}
