"""An inference call on the gRPC wire: typed contents or raw contents, answered in the form it came in."""

from __future__ import annotations

from typing import Any

import numpy as np
from mlserver.grpc import dataplane_pb2 as pb

from slipway_runtime.serve.errors import BadRequest
from slipway_runtime.serve.messages import InferRequest, InferResponse
from slipway_runtime.serve.tensors import DTYPES, Tensor, from_list, from_raw, to_raw

CONTENTS = {
    "BOOL": "bool_contents",
    "UINT8": "uint_contents",
    "UINT16": "uint_contents",
    "UINT32": "uint_contents",
    "UINT64": "uint64_contents",
    "INT8": "int_contents",
    "INT16": "int_contents",
    "INT32": "int_contents",
    "INT64": "int64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    "BYTES": "bytes_contents",
}
"""The field of InferTensorContents that holds a datatype; FP16 travels raw only."""


def parse(message: Any) -> InferRequest:
    """The call in a ModelInferRequest. Raises BadRequest."""
    inputs: list[Tensor] = []
    keys: list[Tensor] = []
    tensors = _tensors(message.inputs, message.raw_input_contents)
    for item, tensor in zip(message.inputs, tensors, strict=True):
        (keys if "key" in item.parameters and item.parameters["key"].bool_param else inputs).append(tensor)
    return InferRequest(message.id or None, inputs, [output.name for output in message.outputs] or None, keys)


def parse_answer(message: Any) -> list[Tensor]:
    """The outputs in a ModelInferResponse that `encode` made. Raises BadRequest for any other."""
    return _tensors(message.outputs, message.raw_output_contents)


def encode(response: InferResponse, raw: bool) -> Any:
    """The answer as a ModelInferResponse."""
    message = pb.ModelInferResponse(model_name=response.model_name, model_version=response.model_version, id=response.id)
    raw = raw or any(tensor.datatype == "FP16" for tensor in response.outputs)
    for tensor in response.outputs:
        output = message.outputs.add(name=tensor.name, datatype=tensor.datatype, shape=tensor.values.shape)
        if raw:
            message.raw_output_contents.append(to_raw(tensor))
        else:
            values = tensor.values.ravel().tolist()
            texts = tensor.datatype == "BYTES"
            getattr(output.contents, CONTENTS[tensor.datatype]).extend([value.encode() for value in values] if texts else values)
    return message


def _tensors(items: Any, raw: Any) -> list[Tensor]:
    if not raw:
        return [_from_contents(item) for item in items]
    if len(raw) != len(items):
        raise BadRequest(f"{len(items)} inputs have {len(raw)} raw_input_contents: send one for each")
    return [_from_raw(item, content) for item, content in zip(items, raw, strict=True)]


def _from_raw(item: Any, content: bytes) -> Tensor:
    return from_raw(item.name, item.datatype, _shape(item), content)


def _from_contents(item: Any) -> Tensor:
    field = CONTENTS.get(item.datatype)
    if field is None:
        known = item.datatype in DTYPES
        raise BadRequest(
            f"input {item.name!r}: send {item.datatype} in raw_input_contents"
            if known
            else f"input {item.name!r}: {item.datatype!r} is not a datatype: use one of {', '.join(DTYPES)}"
        )
    values = getattr(item.contents, field)
    if not values and any(content for _, content in item.contents.ListFields()):
        raise BadRequest(f"input {item.name!r}: {item.datatype} belongs into contents.{field}")
    return from_list(item.name, item.datatype, _shape(item), _values(item.name, item.datatype, values))


def _values(name: str, datatype: str, values: Any) -> Any:
    if datatype == "BYTES":
        try:
            return [value.decode() for value in values]
        except UnicodeDecodeError:
            raise BadRequest(f"input {name!r}: its BYTES are not UTF-8 text") from None
    if datatype in ("FP32", "FP64", "BOOL"):
        return np.array(values, DTYPES[datatype])
    return list(values)


def _shape(item: Any) -> list[int]:
    shape = list(item.shape)
    if any(size < 0 for size in shape):
        raise BadRequest(f"input {item.name!r}: shape must be a list of numbers of at least 0")
    return shape
