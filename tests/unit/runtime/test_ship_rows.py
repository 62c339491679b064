"""Records to typed rows: the same call in three wire forms, shapes and types that do not fit, bounds."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mlserver.grpc import dataplane_pb2 as pb

from slipway_runtime.capture.record import GRPC, REST, Header, Record
from slipway_runtime.serve import grpc_codec, rest_codec
from slipway_runtime.serve.messages import InferRequest, InferResponse
from slipway_runtime.serve.rest_codec import RestCall
from slipway_runtime.serve.tensors import Tensor, to_raw
from slipway_runtime.ship import batches as module
from slipway_runtime.ship.batches import batches, to_stream
from slipway_runtime.ship.decode import decode
from slipway_runtime.ship.settings import Identity

IDENTITY = Identity("ns", "churn", "churn-model", "3", "sha256:0")
HEADER = Header("w", 1, 1)
RANGES = {"UINT8": (0, 255), "INT16": (-(2**15), 2**15 - 1), "INT64": (-(2**63), 2**63 - 1), "UINT64": (0, 2**64 - 1)}
names = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=8)
ANSWER = b'{"outputs": [{"name": "predict", "datatype": "INT64", "shape": [%d], "data": [%s]}]}'


def rows(records: list[Record], header: Header = HEADER) -> list[dict[str, Any]]:
    found = batches((decode(record, header) for record in records), IDENTITY)
    return [row for batch in found for row in batch.to_pylist()]


def values(row: dict[str, Any]) -> dict[str, Any]:
    found = {name: value for name, value in row.items() if name.startswith(("in_", "out_", "key_")) or name == "other"}
    return {name: "NaN" if isinstance(value, float) and math.isnan(value) else value for name, value in found.items()}


@st.composite
def tensors(draw: st.DrawFn, count: int, prefix: str) -> Tensor:
    datatype = draw(st.sampled_from(["FP32", "FP64", "BOOL", "BYTES", *RANGES]))
    shape = draw(st.sampled_from([(count,), (count, 1), (count, 3), (count, 2, 2), (count + 1,)]))
    size = math.prod(shape)
    if datatype == "BYTES":
        content = np.empty(size, object)
        content[:] = draw(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=5), min_size=size, max_size=size))
    elif datatype == "BOOL":
        content = np.array(draw(st.lists(st.booleans(), min_size=size, max_size=size)), bool)
    elif datatype in RANGES:
        content = np.array(draw(st.lists(st.integers(*RANGES[datatype]), min_size=size, max_size=size)), datatype.lower())
    else:
        floats = st.floats(allow_infinity=False, width=32 if datatype == "FP32" else 64)
        content = np.array(draw(st.lists(floats, min_size=size, max_size=size)), f"float{datatype[2:]}")
    return Tensor(prefix + draw(names), datatype, content.reshape(shape))


@st.composite
def calls(draw: st.DrawFn) -> tuple[InferRequest, InferResponse]:
    count = draw(st.integers(1, 3))
    inputs = draw(st.lists(tensors(count, ""), min_size=1, max_size=3, unique_by=lambda tensor: tensor.name))
    keys = draw(st.lists(tensors(count, ""), max_size=1))
    outputs = [Tensor("predict", "INT64", np.arange(count)), draw(tensors(count, "o"))]
    return InferRequest(None, inputs, None, keys), InferResponse("i", "churn", "3", outputs)


def as_json(request: InferRequest, response: InferResponse) -> Record:
    items = [
        {
            "name": tensor.name,
            "datatype": tensor.datatype,
            "shape": list(tensor.values.shape),
            "data": [None if isinstance(value, float) and math.isnan(value) else value for value in tensor.values.ravel().tolist()],
            "parameters": {"key": key},
        }
        for key, found in ((False, request.inputs), (True, request.keys))
        for tensor in found
    ]
    _, answer = rest_codec.encode(RestCall(request, {}, False), response)
    return Record("i", 1, REST, rows=response.rows, request=json.dumps({"inputs": items}).encode(), answer=answer)


def as_binary(request: InferRequest, response: InferResponse) -> Record:
    items, blobs = [], []
    for key, found in ((False, request.inputs), (True, request.keys)):
        for tensor in found:
            blobs.append(to_raw(tensor))
            parameters = {"binary_data_size": len(blobs[-1]), "key": key}
            items.append({"name": tensor.name, "datatype": tensor.datatype, "shape": list(tensor.values.shape), "parameters": parameters})
    header = json.dumps({"inputs": items}).encode()
    extra, answer = rest_codec.encode(RestCall(request, {}, True), response)
    length = int(dict(extra)[rest_codec.HEADER_LENGTH])
    return Record(
        "i", 1, REST, rows=response.rows, request=header + b"".join(blobs), request_header=len(header), answer=answer, answer_header=length
    )


def as_grpc(request: InferRequest, response: InferResponse, raw: bool) -> Record:
    message = pb.ModelInferRequest(model_name="churn")
    for key, found in ((False, request.inputs), (True, request.keys)):
        for tensor in found:
            item = message.inputs.add(name=tensor.name, datatype=tensor.datatype, shape=tensor.values.shape)
            item.parameters["key"].bool_param = key
            if raw:
                message.raw_input_contents.append(to_raw(tensor))
            else:
                flat = tensor.values.ravel().tolist()
                texts = [value.encode() for value in flat] if tensor.datatype == "BYTES" else flat
                getattr(item.contents, grpc_codec.CONTENTS[tensor.datatype]).extend(texts)
    answer = grpc_codec.encode(response, raw).SerializeToString()
    return Record("i", 1, GRPC, rows=response.rows, request=message.SerializeToString(), answer=answer)


@settings(max_examples=150, deadline=None)
@given(calls())
def test_the_wire_form_does_not_matter(call: tuple[InferRequest, InferResponse]) -> None:
    records = [as_json(*call), as_binary(*call), as_grpc(*call, raw=True), as_grpc(*call, raw=False)]
    first, *others = [[values(row) for row in rows([record])] for record in records]
    assert "undecoded" not in (first[0]["other"] or "")
    assert len(first) == call[1].rows
    for other in others:
        assert other == first


def asked(count: int, *inputs: dict[str, Any]) -> Record:
    answer = ANSWER % (count, b", ".join([b"1"] * count))
    return Record("i", 1, REST, rows=count, request=json.dumps({"inputs": inputs}).encode(), answer=answer)


def tensor(name: str, shape: list[int], data: list[Any], datatype: str = "FP64", **parameters: Any) -> dict[str, Any]:
    return {"name": name, "datatype": datatype, "shape": shape, "data": data, "parameters": parameters}


@pytest.mark.parametrize(
    ("record", "features", "expected"),
    [
        (asked(2, tensor("x", [2, 2], [1, 2, 3, 4])), None, {"in_x_0": 3.0, "in_x_1": 4.0}),
        (asked(2, tensor("x", [2, 2], [1, 2, 3, 4])), ["a", "b"], {"in_a": 3.0, "in_b": 4.0}),
        (asked(1, tensor("x", [2], [1, 2])), ["a", "b"], {"in_a": 1.0, "in_b": 2.0}),
        (asked(1, tensor("x", [2], [1, 2])), None, {"in_x_0": 1.0, "in_x_1": 2.0}),
        (asked(1, tensor("x", [1], [1])), None, {"in_x": 1.0}),
        (asked(1, tensor("x", [1], [None])), None, {"in_x": "NaN"}),
        (asked(1, tensor("x", [1], [None], "BYTES")), None, {"in_x": None}),
        (asked(1, tensor("x", [1], [True], "BOOL")), None, {"in_x": True}),
        (asked(1, tensor("x", [1], [2**64 - 1], "UINT64")), None, {"other": f'{{"in_x":"{2**64 - 1}"}}'}),
        (asked(1, tensor("x", [1], [2**63 - 1], "UINT64")), None, {"in_x": 2**63 - 1}),
        (asked(1, tensor("x", [1, 1, 2], [1, 2])), None, {"other": '{"in_x":{"shape":[1,1,2],"data":[1.0,2.0]}}'}),
        (asked(1, tensor("x" * 200, [1], [1])), None, {"other": f'{{"in_{"x" * 200}":1.0}}'}),
        (asked(1, tensor("x", [1], [1]), tensor("x", [1], [2])), None, {"in_x": 1.0, "other": '{"in_x":2.0}'}),
        (asked(1, tensor("x", [1], [1]), tensor("id", [1], [7], "INT64", key=True)), None, {"in_x": 1.0, "key_id": 7}),
    ],
)
def test_columns(record: Record, features: list[str] | None, expected: dict[str, Any]) -> None:
    found = values(rows([record], Header("w", 1, 1, features))[-1])
    assert found == {"other": None, "out_predict": 1} | expected


def test_types_that_mix_in_a_batch() -> None:
    mixed = [
        asked(1, tensor("x", [1], [1], "INT64")),
        asked(1, tensor("x", [1], [0.5])),
        asked(1, tensor("x", [1], ["a"], "BYTES")),
        asked(1, tensor("x", [1], [2**60], "INT64")),
        asked(1, tensor("y", [1], [1])),
    ]
    found = rows(mixed)
    assert [row["in_x"] for row in found] == [1.0, 0.5, None, None, None]
    assert [row["other"] for row in found] == [None, None, '{"in_x":"a"}', f'{{"in_x":{2**60}}}', None]


def test_columns_beyond_a_thousand() -> None:
    (row,) = rows([asked(1, tensor("x", [1, 1500], list(range(1500))))])
    assert sum(name.startswith("in_") for name in row) == 999  # the output has one
    other = json.loads(row["other"])
    assert other["in_x_999"] == 999
    assert other["in_x_1000-1499"] == [float(value) for value in range(1000, 1500)]


def test_what_cannot_be_decoded_is_a_row_that_says_so() -> None:
    (row,) = rows([Record("i", 1, REST, request=b"{", answer=b"{")])
    assert row["prediction_id"] == "i"
    assert "the body is not JSON" in json.loads(row["other"])["undecoded"]


def test_probabilities_by_class() -> None:
    answer = b'{"outputs": [{"name": "predict_proba", "datatype": "FP64", "shape": [1, 2], "data": [0.25, 0.75]}]}'
    record = Record("i", 1, REST, request=json.dumps({"inputs": [tensor("x", [1], [1])]}).encode(), answer=answer)
    assert values(rows([record], Header("w", 1, 1, None, ["leave", "stay"]))[0]) == {
        "in_x": 1.0,
        "other": None,
        "out_predict_proba_leave": 0.25,
        "out_predict_proba_stay": 0.75,
    }


@settings(deadline=None)
@given(st.lists(st.integers(1, 9), max_size=6), st.integers(1, 7), st.integers(1, 20))
def test_bounds_lose_no_row(sizes: list[int], most_rows: int, most_cells: int) -> None:
    records = [asked(size, tensor("x", [size], list(range(size)))) for size in sizes]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "MAX_ROWS", most_rows)
        patch.setattr(module, "MAX_CELLS", most_cells)
        found = list(batches((decode(record, HEADER) for record in records), IDENTITY))
        again = [to_stream(batch) for batch in batches((decode(record, HEADER) for record in records), IDENTITY)]
    assert [to_stream(batch) for batch in found] == again
    assert all(batch.num_rows <= max(1, min(most_rows, most_cells // 2)) for batch in found)
    assert [row["row"] for batch in found for row in batch.to_pylist()] == [row for size in sizes for row in range(size)]
