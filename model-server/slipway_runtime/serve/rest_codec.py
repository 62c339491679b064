"""An inference call on the REST wire: JSON, and the binary tensor data extension
(`Inference-Header-Content-Length`: a JSON header, then the tensors' bytes).
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from slipway_runtime.serve.errors import BadRequest, TooLarge
from slipway_runtime.serve.messages import InferRequest, InferResponse
from slipway_runtime.serve.tensors import Tensor, from_list, from_raw, to_raw

HEADER_LENGTH = b"inference-header-content-length"


@dataclass(frozen=True, slots=True)
class RestCall:
    """A parsed request and which of its outputs go back in binary."""

    request: InferRequest
    binary: Mapping[str, bool]
    binary_by_default: bool

    def is_binary(self, output: str) -> bool:
        return self.binary.get(output, self.binary_by_default)


def decompress(body: bytes, encoding: bytes, limit: int) -> bytes:
    """The body of a request with Content-Encoding gzip or deflate. Raises BadRequest, TooLarge."""
    if encoding not in (b"gzip", b"deflate"):
        raise BadRequest(f"Content-Encoding {encoding.decode('latin-1')!r} is not offered: send gzip, deflate or none")
    try:
        stream = zlib.decompressobj(wbits=47)
        inflated = stream.decompress(body, limit + 1)
    except zlib.error as error:
        raise BadRequest(f"the body is not {encoding.decode()}: {error}") from None
    if len(inflated) > limit:
        raise TooLarge(f"the body is larger than {limit} bytes: send fewer rows a request")
    if not stream.eof:
        raise BadRequest(f"the body is not {encoding.decode()}: it ends too early")
    return inflated


def parse_answer(body: bytes, header_length: int | None) -> list[Tensor]:
    """The outputs in an answer that `encode` made. Raises BadRequest for any other."""
    split = len(body) if header_length is None else header_length
    raw = _Raw(memoryview(body)[split:])
    return [_input(item, raw) for item in _objects(orjson.loads(memoryview(body)[:split]).get("outputs"), "outputs")]


def parse(body: bytes, header_length: bytes | None) -> RestCall:
    """The call in a request's body. Raises BadRequest."""
    split = len(body) if header_length is None else _header_length(header_length, len(body))
    try:
        message = orjson.loads(memoryview(body)[:split])
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"the body is not JSON: {error}") from None
    if not isinstance(message, dict):
        raise BadRequest('the body must be a JSON object: {"inputs": [...]}')
    raw = _Raw(memoryview(body)[split:])
    inputs: list[Tensor] = []
    keys: list[Tensor] = []
    for item in _objects(message.get("inputs"), "inputs"):
        (keys if _parameters(item).get("key") is True else inputs).append(_input(item, raw))
    raw.require_end()
    outputs = _objects(message["outputs"], "outputs") if message.get("outputs") else None
    names = None if outputs is None else [_text(item, "outputs", "name") for item in outputs]
    identifier = message.get("id")
    if identifier is not None and not isinstance(identifier, str):
        raise BadRequest("id must be a string")
    return RestCall(
        InferRequest(identifier, inputs, names, keys),
        {item["name"]: item["parameters"]["binary_data"] is True for item in outputs or () if _chooses(item)},
        _parameters(message).get("binary_data_output") is True,
    )


def encode(call: RestCall, response: InferResponse) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """The answer's headers and body."""
    blobs: list[bytes] = []
    outputs = [_output(tensor, call.is_binary(tensor.name), blobs) for tensor in response.outputs]
    message = {
        "model_name": response.model_name,
        "model_version": response.model_version,
        "id": response.id,
        "outputs": outputs,
    }
    header = orjson.dumps(message, option=orjson.OPT_SERIALIZE_NUMPY)
    if not blobs:
        return [(b"content-type", b"application/json")], header
    length = str(len(header)).encode()
    return [(b"content-type", b"application/octet-stream"), (HEADER_LENGTH, length)], b"".join([header, *blobs])


class _Raw:
    """The binary part of a body, taken piece by piece in the inputs' order."""

    def __init__(self, content: memoryview) -> None:
        self._content = content

    def take(self, name: str, size: Any) -> memoryview:
        if type(size) is not int or not 0 <= size <= len(self._content):
            raise BadRequest(f"input {name!r}: binary_data_size is {size!r}, {len(self._content)} bytes are left")
        taken, self._content = self._content[:size], self._content[size:]
        return taken

    def require_end(self) -> None:
        if self._content:
            raise BadRequest(f"{len(self._content)} bytes follow the last input: check binary_data_size")


def _input(item: dict[str, Any], raw: _Raw) -> Tensor:
    name, datatype = _text(item, "inputs", "name"), _text(item, "inputs", "datatype")
    shape = item.get("shape")
    if not isinstance(shape, list) or not all(type(size) is int and size >= 0 for size in shape):
        raise BadRequest(f"input {name!r}: shape must be a list of numbers of at least 0")
    if isinstance(item.get("data"), list):
        return from_list(name, datatype, shape, item["data"])
    parameters = _parameters(item)
    if "binary_data_size" not in parameters:
        raise BadRequest(f"input {name!r} has neither data, a list, nor parameters.binary_data_size")
    return from_raw(name, datatype, shape, raw.take(name, parameters["binary_data_size"]))


def _output(tensor: Tensor, binary: bool, blobs: list[bytes]) -> dict[str, Any]:
    described = {"name": tensor.name, "shape": list(tensor.values.shape), "datatype": tensor.datatype}
    if binary:
        blobs.append(to_raw(tensor))
        return {**described, "parameters": {"binary_data_size": len(blobs[-1])}}
    flat = tensor.values.ravel()
    return {**described, "data": flat.tolist() if tensor.datatype in ("BYTES", "FP16") else flat}


def _header_length(value: bytes, body_length: int) -> int:
    if not value.isdigit() or int(value) > body_length:
        raise BadRequest(f"Inference-Header-Content-Length is {value.decode('latin-1')!r}, the body has {body_length} bytes")
    return int(value)


def _objects(items: Any, field: str) -> Sequence[dict[str, Any]]:
    if not isinstance(items, list) or not items or not all(isinstance(item, dict) for item in items):
        raise BadRequest(f"{field} must be a list of objects, with at least one")
    return items


def _text(item: dict[str, Any], field: str, key: str) -> str:
    value = item.get(key)
    if not isinstance(value, str):
        raise BadRequest(f"each of {field} needs a {key}, a string")
    return value


def _parameters(item: dict[str, Any]) -> dict[str, Any]:
    parameters = item.get("parameters") or {}
    if not isinstance(parameters, dict):
        raise BadRequest("parameters must be an object")
    return parameters


def _chooses(item: dict[str, Any]) -> bool:
    return "binary_data" in _parameters(item)
