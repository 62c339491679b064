"""A record to blocks of columns: the bodies are parsed by the codecs that served them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from mlserver.grpc import dataplane_pb2 as pb

from slipway_runtime.capture.record import NO_HEADER, REST, Header, Record
from slipway_runtime.failure import last_line
from slipway_runtime.serve import grpc_codec, rest_codec
from slipway_runtime.serve.messages import InferRequest
from slipway_runtime.serve.tensors import Array, Tensor

MAX_COLUMNS = 1000
"""Of one call; what is beyond goes to `other`."""
MAX_NAME = 128
INT64_MAX = np.iinfo(np.int64).max
DOUBLE, INT64, BOOL, STRING = "double", "int64", "bool", "string"
ASIDE = "aside"
"""The kind of columns that no Arrow type here holds: for `other`, one value a row."""
LISTS = "lists"
"""For `other` too: one list a row, of all columns of a tensor that are beyond MAX_COLUMNS."""
KINDS = {"f": DOUBLE, "b": BOOL, "O": STRING}
"""By numpy's kind; all else is int64."""

Names = tuple[str, ...]
Block = tuple[Names, str, Array]
Layout = tuple[tuple[Names, str], ...]
"""The columns of each block and their kind. Most calls to a model have the same one."""


@dataclass(slots=True)
class Call:
    """One call, decoded."""

    record: Record
    rows: int
    layout: Layout = ()
    blocks: Sequence[Array] = ()
    """As the layout says, each [rows, its columns]."""
    whole: dict[str, object] = field(default_factory=dict)
    """What has no value a row; kept with the first."""


def decode(record: Record, header: Header) -> Call:
    """The record's rows; one without columns where it has no bodies. Never raises: what cannot be decoded says so in `other`."""
    if record.request is None or record.answer is None:
        return Call(record, 1)
    try:
        request, answer = _bodies(record)
        call = Call(record, max(1, record.rows))
        blocks = list(_blocks(call, request, answer, header))
    except Exception as error:  # a row lost is worse than a row without columns
        return Call(record, 1, whole={"undecoded": last_line(error)})
    call.layout = tuple((names, kind) for names, kind, _ in blocks)
    call.blocks = [values for *_, values in blocks]
    return call


@lru_cache(64)
def set_aside(layout: Layout) -> tuple[frozenset[int], ...]:
    """Of each block the columns that go to `other`: too many, an unusable name, one that is taken, no type."""
    taken: set[str] = set()
    found = []
    for names, kind in layout:
        aside = set()
        for position, name in enumerate(names):
            if kind in (ASIDE, LISTS) or name in taken or len(taken) >= MAX_COLUMNS or not _is_usable(name):
                aside.add(position)
            else:
                taken.add(name)
        found.append(frozenset(aside))
    return tuple(found)


def _bodies(record: Record) -> tuple[InferRequest, Sequence[Tensor]]:
    request, answer = record.request or b"", record.answer or b""
    if record.protocol == REST:
        asked = None if record.request_header == NO_HEADER else str(record.request_header).encode()
        answered = None if record.answer_header == NO_HEADER else record.answer_header
        return rest_codec.parse(request, asked).request, rest_codec.parse_answer(answer, answered)
    return grpc_codec.parse(pb.ModelInferRequest.FromString(request)), grpc_codec.parse_answer(pb.ModelInferResponse.FromString(answer))


def _blocks(call: Call, request: InferRequest, answer: Iterable[Tensor], header: Header) -> Iterator[Block]:
    """Keys first, then outputs, then inputs: if there are too many, it is inputs that go to `other`."""
    for tensor in request.keys:
        yield from _spread(call, f"key_{tensor.name}", tensor, None)
    for tensor in answer:
        yield from _spread(call, f"out_{tensor.name}", tensor, header.classes if tensor.name == "predict_proba" else None)
    features = header.features
    if features and len(request.inputs) == 1 and request.inputs[0].values.size == call.rows * len(features):
        yield _block(_names("in", tuple(features)), request.inputs[0].values.reshape(call.rows, -1))
        return
    for tensor in request.inputs:
        yield from _spread(call, f"in_{tensor.name}", tensor, None)


def _spread(call: Call, name: str, tensor: Tensor, labels: Sequence[str] | None) -> Iterator[Block]:
    """The tensor's columns: one for [n] or [n, 1], k for [n, k]. Any other shape is kept whole."""
    values = tensor.values
    if values.ndim == 1 and call.rows == 1:
        values = values.reshape(1, -1)  # one row, as the model took it
    if values.ndim not in (1, 2) or len(values) != call.rows or values.size == 0:
        call.whole[name] = {"shape": list(values.shape), "data": values.ravel().tolist()}
        return
    values = values.reshape(call.rows, -1)
    width = values.shape[1]
    if width == 1:
        yield _block((name,), values)
    elif labels and len(labels) == width:
        yield _block(_names(name, tuple(labels)), values)
    else:
        yield _block(_names(name, min(width, MAX_COLUMNS)), values[:, :MAX_COLUMNS])
        if width > MAX_COLUMNS:
            yield (f"{name}_{MAX_COLUMNS}-{width - 1}",), LISTS, values[:, MAX_COLUMNS:]


@lru_cache(64)
def _names(name: str, ends: int | Names) -> Names:
    return tuple(f"{name}_{end}" for end in (range(ends) if isinstance(ends, int) else ends))


def _block(names: Names, values: Array) -> Block:
    if values.dtype == np.uint64 and int(values.max()) > INT64_MAX:
        return names, ASIDE, values.astype(str).astype(object)
    kind = KINDS.get(values.dtype.kind, INT64)
    return names, kind, values.astype(np.int64, copy=False) if kind == INT64 else values


def _is_usable(name: str) -> bool:
    return len(name) <= MAX_NAME and name.isprintable()
