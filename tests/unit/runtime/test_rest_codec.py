"""Requests' bodies on the REST wire: what is accepted, what is refused and how it is said."""

from __future__ import annotations

import contextlib
import gzip
import json
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway_runtime.serve.errors import BadRequest, TooLarge
from slipway_runtime.serve.messages import InferResponse
from slipway_runtime.serve.rest_codec import HEADER_LENGTH, decompress, encode, parse
from slipway_runtime.serve.tensors import from_array

INPUT = {"name": "x", "shape": [1], "datatype": "FP64", "data": [1]}


def body(**message: Any) -> bytes:
    return json.dumps({"inputs": [INPUT], **message}).encode()


def test_everything_a_request_may_say() -> None:
    outputs = [{"name": "predict", "parameters": {"binary_data": True}}, {"name": "predict_proba"}]
    call = parse(body(id="42", parameters={"binary_data_output": False}, outputs=outputs), None)
    assert call.request.id == "42"
    assert call.request.outputs == ["predict", "predict_proba"]
    assert call.request.inputs[0].values.tolist() == [1.0]
    assert call.is_binary("predict")
    assert not call.is_binary("predict_proba")
    assert parse(body(parameters={"binary_data_output": True}), None).is_binary("predict")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the body is not JSON: .*"),
        (b"{", "the body is not JSON"),
        (b'{"inputs": [{"data": [NaN]}]}', "the body is not JSON"),
        (b"[]", "must be a JSON object"),
        (b"{}", "inputs must be a list of objects"),
        (body(inputs=[]), "inputs must be a list"),
        (body(inputs=[1]), "inputs must be a list"),
        (body(inputs=[INPUT | {"name": None}]), "each of inputs needs a name, a string"),
        (body(inputs=[INPUT | {"datatype": 1}]), "each of inputs needs a datatype"),
        (body(inputs=[INPUT | {"shape": None}]), "shape must be a list of numbers"),
        (body(inputs=[INPUT | {"shape": [-1]}]), "shape must be a list of numbers"),
        (body(inputs=[INPUT | {"shape": [True]}]), "shape must be a list of numbers"),
        (body(inputs=[{"name": "x", "shape": [1], "datatype": "FP64"}]), "neither data, a list, nor parameters.binary_data_size"),
        (body(inputs=[INPUT | {"data": None}]), "neither data, a list"),
        (body(id=1), "id must be a string"),
        (body(outputs=[{}]), "each of outputs needs a name"),
        (body(outputs="predict"), "outputs must be a list"),
        (body(parameters=1), "parameters must be an object"),
    ],
)
def test_a_malformed_body_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(BadRequest, match=message):
        parse(content, None)


def binary(size: Any, raw: bytes, header_length: str | None = None) -> tuple[bytes, bytes]:
    header = body(inputs=[{"name": "x", "shape": [1], "datatype": "FP64", "parameters": {"binary_data_size": size}}])
    return header + raw, (header_length or str(len(header))).encode()


def test_binary_data_follows_the_header() -> None:
    assert parse(*binary(8, np.array([2.5]).tobytes())).request.inputs[0].values.tolist() == [2.5]


@pytest.mark.parametrize(
    ("content", "length", "message"),
    [
        (*binary(8, b"\0" * 7), "binary_data_size is 8, 7 bytes are left"),
        (*binary(8, b"\0" * 9), "1 bytes follow the last input"),
        (*binary(4, b"\0" * 4), "takes 8 bytes, got 4"),
        (*binary("8", b"\0" * 8), "binary_data_size is '8'"),
        (*binary(-1, b""), "binary_data_size is -1"),
        (*binary(8, b"", "99999"), "Inference-Header-Content-Length is '99999', the body has"),
        (*binary(8, b"", "x"), "Inference-Header-Content-Length is 'x'"),
        (*binary(8, b"", "5"), "the body is not JSON"),
    ],
)
def test_broken_binary_framing_is_refused(content: bytes, length: bytes, message: str) -> None:
    with pytest.raises(BadRequest, match=message):
        parse(content, length)


@given(
    st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda c: st.lists(c) | st.dictionaries(st.text(), c))
)
def test_any_json_is_either_a_call_or_the_callers_fault(value: Any) -> None:
    for message in (
        value,
        {"inputs": value},
        {"inputs": [value]},
        {"inputs": [INPUT | {"data": value}]},
        {"inputs": [INPUT], "outputs": value},
    ):
        with contextlib.suppress(BadRequest):
            parse(json.dumps(message).encode(), None)


@given(st.binary(max_size=200), st.binary(max_size=5))
def test_any_bytes_are_either_a_call_or_the_callers_fault(content: bytes, length: bytes) -> None:
    with contextlib.suppress(BadRequest):
        parse(content, length)


def test_an_answer_in_json_and_in_binary() -> None:
    outputs = [from_array("predict", np.array(["a", "b"])), from_array("predict_proba", np.array([[0.25, 0.75], [np.nan, 1]]))]
    response = InferResponse("42", "churn", "3", outputs)
    headers, content = encode(parse(body(), None), response)
    assert headers == [(b"content-type", b"application/json")]
    assert json.loads(content) == {
        "model_name": "churn",
        "model_version": "3",
        "id": "42",
        "outputs": [
            {"name": "predict", "shape": [2], "datatype": "BYTES", "data": ["a", "b"]},
            {"name": "predict_proba", "shape": [2, 2], "datatype": "FP64", "data": [0.25, 0.75, None, 1.0]},
        ],
    }
    headers, content = encode(parse(body(outputs=[{"name": "predict_proba", "parameters": {"binary_data": True}}]), None), response)
    length = int(dict(headers)[HEADER_LENGTH])
    assert json.loads(content[:length])["outputs"][1]["parameters"] == {"binary_data_size": 32}
    assert np.frombuffer(content[length:])[1] == 0.75


@pytest.mark.parametrize("compress", [gzip.compress, zlib.compress])
def test_compressed_bodies(compress: Any) -> None:
    assert decompress(compress(b"x" * 100), b"gzip", 100) == b"x" * 100
    with pytest.raises(TooLarge, match="larger than 99 bytes"):
        decompress(compress(b"x" * 100), b"gzip", 99)


def test_what_is_not_compressed_as_it_says() -> None:
    with pytest.raises(BadRequest, match="the body is not gzip"):
        decompress(b"x", b"gzip", 100)
    with pytest.raises(BadRequest, match="'br' is not offered"):
        decompress(b"x", b"br", 100)
