"""A record to columns of rows: the bodies are parsed by the codecs that served them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

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
LISTS = "lists"
"""The kind of all columns of a tensor that are beyond MAX_COLUMNS, together: a list a row."""
KINDS = {"f": "double", "b": "bool", "O": "string"}
"""A column's type in Arrow's words by numpy's kind; all else is int64."""


@dataclass(frozen=True, slots=True)
class Column:
    """One value a row."""

    name: str
    kind: str
    values: Array


@dataclass(slots=True)
class Call:
    """One call, decoded."""

    record: Record
    rows: int
    columns: list[Column] = field(default_factory=list)
    others: list[Column] = field(default_factory=list)
    """Values that get no column of their own."""
    whole: dict[str, object] = field(default_factory=dict)
    """What has no value a row; kept with the first."""

    @property
    def width(self) -> int:
        return len(self.columns) + len(self.others)


def decode(record: Record, header: Header) -> Call:
    """The record's rows; one without columns where it has no bodies. Never raises: what cannot be decoded says so in `other`."""
    if record.request is None or record.answer is None:
        return Call(record, 1)
    try:
        request, answer = _bodies(record)
        call = Call(record, max(1, record.rows))
        _sort_in(call, _columns(call, request, answer, header))
    except Exception as error:  # a row lost is worse than a row without columns
        return Call(record, 1, whole={"undecoded": last_line(error)})
    return call


def _bodies(record: Record) -> tuple[InferRequest, Sequence[Tensor]]:
    request, answer = record.request or b"", record.answer or b""
    if record.protocol == REST:
        asked = None if record.request_header == NO_HEADER else str(record.request_header).encode()
        answered = None if record.answer_header == NO_HEADER else record.answer_header
        return rest_codec.parse(request, asked).request, rest_codec.parse_answer(answer, answered)
    return grpc_codec.parse(pb.ModelInferRequest.FromString(request)), grpc_codec.parse_answer(pb.ModelInferResponse.FromString(answer))


def _columns(call: Call, request: InferRequest, answer: Iterable[Tensor], header: Header) -> Iterator[Column]:
    """Keys first, then outputs, then inputs: if there are too many, it is inputs that go to `other`."""
    for tensor in request.keys:
        yield from _spread(call, f"key_{tensor.name}", tensor, None)
    for tensor in answer:
        yield from _spread(call, f"out_{tensor.name}", tensor, header.classes if tensor.name == "predict_proba" else None)
    named = header.features if len(request.inputs) == 1 and request.inputs[0].name not in (header.features or ()) else None
    for tensor in request.inputs:
        if named and tensor.values.size == call.rows * len(named):
            values = tensor.values.reshape(call.rows, len(named))
            yield from (_column(f"in_{name}", values[:, position]) for position, name in enumerate(named))
        else:
            yield from _spread(call, f"in_{tensor.name}", tensor, None)


def _spread(call: Call, name: str, tensor: Tensor, labels: Sequence[str] | None) -> Iterator[Column]:
    """The tensor's columns: one for [n] or [n, 1], k for [n, k]. Any other shape is kept whole."""
    values = tensor.values
    if values.ndim == 1 and call.rows == 1 and values.size > 1:
        values = values.reshape(1, -1)  # one row, as the model took it
    if values.ndim not in (1, 2) or len(values) != call.rows or values.size == 0:
        call.whole[name] = _plain(values)
    elif values.size == call.rows:
        yield _column(name, values.reshape(-1))
    else:
        width = values.shape[1]
        ends = labels if labels and len(labels) == width else range(min(width, MAX_COLUMNS))
        yield from (_column(f"{name}_{end}", values[:, position]) for position, end in enumerate(ends))
        if width > len(ends):
            yield Column(f"{name}_{len(ends)}-{width - 1}", LISTS, values[:, len(ends) :])


def _column(name: str, values: Array) -> Column:
    return Column(name, KINDS.get(values.dtype.kind, "int64"), values)


def _sort_in(call: Call, columns: Iterable[Column]) -> None:
    """Into columns, or `other` where there are too many, a name is unusable or taken, or a number does not fit."""
    taken: set[str] = set()
    for column in columns:
        if column.values.dtype == np.uint64 and column.kind != LISTS and int(column.values.max()) > INT64_MAX:
            call.others.append(Column(column.name, "string", column.values.astype(str).astype(object)))
        elif column.kind == LISTS or column.name in taken or len(taken) >= MAX_COLUMNS or not _is_usable(column.name):
            call.others.append(column)
        else:
            taken.add(column.name)
            call.columns.append(column)


def _is_usable(name: str) -> bool:
    return len(name) <= MAX_NAME and name.isprintable()


def _plain(values: Array) -> object:
    return {"shape": list(values.shape), "data": values.ravel().tolist()}
