"""Tensors of the Open Inference Protocol v2 to and from numpy: JSON lists and the binary layout."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from slipway_runtime.serve.errors import BadRequest

Array = npt.NDArray[Any]

DTYPES: dict[str, np.dtype[Any]] = {
    "BOOL": np.dtype(np.bool_),
    "UINT8": np.dtype(np.uint8),
    "UINT16": np.dtype(np.uint16),
    "UINT32": np.dtype(np.uint32),
    "UINT64": np.dtype(np.uint64),
    "INT8": np.dtype(np.int8),
    "INT16": np.dtype(np.int16),
    "INT32": np.dtype(np.int32),
    "INT64": np.dtype(np.int64),
    "FP16": np.dtype(np.float16),
    "FP32": np.dtype(np.float32),
    "FP64": np.dtype(np.float64),
    "BYTES": np.dtype(object),
}
DATATYPES = {dtype: name for name, dtype in DTYPES.items()}


@dataclass(frozen=True, slots=True)
class Tensor:
    """A named array; `BYTES` holds `str` (or None) in an array of objects."""

    name: str
    datatype: str
    values: Array


def from_array(name: str, values: Array) -> Tensor:
    """The tensor of a model's output: numbers keep their type, everything else becomes BYTES."""
    dtype = values.dtype.newbyteorder("=")
    if dtype.kind == "f" and dtype not in DATATYPES:
        dtype = np.dtype(np.float64)  # long double
    datatype = DATATYPES.get(dtype, "BYTES")
    if datatype == "BYTES":
        texts = [str(value) for value in values.ravel().tolist()]
        return Tensor(name, datatype, _objects(texts).reshape(values.shape))
    return Tensor(name, datatype, values.astype(dtype, copy=False))


def from_list(name: str, datatype: str, shape: Sequence[int], data: Any) -> Tensor:
    """The tensor of JSON data, flat or nested. Raises BadRequest where data, shape and datatype do not fit."""
    dtype = _dtype(name, datatype)
    try:
        values = np.array(data, dtype=object if dtype.kind == "O" else None)
    except ValueError:
        raise BadRequest(f"input {name!r}: its data is ragged: every row needs as many values") from None
    if dtype == np.uint64 and values.dtype.kind == "f":  # numpy's way with numbers on both sides of 2**63
        values = np.array(data, dtype=object)
    if values.ndim > 1 and values.shape != tuple(shape):
        raise BadRequest(f"input {name!r}: its data has shape {list(values.shape)}, not {list(shape)}")
    if values.size != math.prod(shape):
        raise BadRequest(f"input {name!r}: shape {list(shape)} holds {math.prod(shape)} values, got {values.size}")
    if values.size == 0:
        return Tensor(name, datatype, np.empty(shape, dtype))
    return Tensor(name, datatype, _cast(name, datatype, dtype, values).reshape(shape))


def from_raw(name: str, datatype: str, shape: Sequence[int], raw: bytes | memoryview) -> Tensor:
    """The tensor of binary data: little-endian, row-major; BYTES as 4-byte lengths and UTF-8 text."""
    dtype = _dtype(name, datatype)
    count = math.prod(shape)
    if dtype.kind == "O":
        values = _objects(_unpack_texts(name, raw))
        if len(values) != count:
            raise BadRequest(f"input {name!r}: shape {list(shape)} holds {count} values, got {len(values)}")
        return Tensor(name, datatype, values.reshape(shape))
    if len(raw) != count * dtype.itemsize:
        raise BadRequest(f"input {name!r}: {datatype} of shape {list(shape)} takes {count * dtype.itemsize} bytes, got {len(raw)}")
    return Tensor(name, datatype, np.frombuffer(raw, dtype.newbyteorder("<")).astype(dtype).reshape(shape))


def to_raw(tensor: Tensor) -> bytes:
    """The tensor's values in the binary layout that `from_raw` reads."""
    if tensor.datatype == "BYTES":
        texts = [value.encode() for value in tensor.values.ravel().tolist()]
        return b"".join(struct.pack("<I", len(text)) + text for text in texts)
    return tensor.values.astype(tensor.values.dtype.newbyteorder("<"), copy=False).tobytes()


def _dtype(name: str, datatype: str) -> np.dtype[Any]:
    try:
        return DTYPES[datatype]
    except (KeyError, TypeError):
        raise BadRequest(f"input {name!r}: {datatype!r} is not a datatype: use one of {', '.join(DTYPES)}") from None


def _cast(name: str, datatype: str, dtype: np.dtype[Any], values: Array) -> Array:
    """The values as the datatype, exactly; null is NaN in FP* and None in BYTES."""
    flat = values.ravel()
    if dtype.kind == "f":
        if values.dtype.kind in "fiu":
            return values.astype(dtype, copy=False)
        if values.dtype.kind == "O" and all(value is None or type(value) in (int, float) for value in flat):
            return values.astype(dtype)
    elif dtype.kind == "O":
        if all(value is None or type(value) is str for value in flat):
            return values
    elif dtype.kind == "b":
        if values.dtype.kind == "b":
            return values
    elif values.dtype.kind in "iu" or (values.dtype.kind == "O" and all(type(value) is int for value in flat)):
        limits = np.iinfo(dtype)
        if limits.min <= int(values.min()) and int(values.max()) <= limits.max:
            return values.astype(dtype, copy=False)
    raise BadRequest(f"input {name!r}: its data holds a value that is not {datatype}")


def _unpack_texts(name: str, raw: bytes | memoryview) -> list[str]:
    texts: list[str] = []
    offset, end = 0, len(raw)
    try:
        while offset < end:
            (length,) = struct.unpack_from("<I", raw, offset)
            offset += 4 + length
            if offset > end:
                raise BadRequest(f"input {name!r}: its binary data ends inside a value")
            texts.append(str(raw[offset - length : offset], "utf-8"))
    except struct.error:
        raise BadRequest(f"input {name!r}: its binary data ends inside a length") from None
    except UnicodeDecodeError:
        raise BadRequest(f"input {name!r}: its BYTES are not UTF-8 text") from None
    return texts


def _objects(values: list[str]) -> Array:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array
