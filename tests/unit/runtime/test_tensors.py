"""Tensors to and from JSON lists and the binary layout."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tritonclient.utils import deserialize_bytes_tensor, serialize_byte_tensor  # type: ignore[import-untyped]

from slipway_runtime.serve.errors import BadRequest
from slipway_runtime.serve.tensors import DTYPES, Tensor, from_array, from_list, from_raw, to_raw


@pytest.mark.parametrize("data", [[1, 2, 3, 4, 5, 6], [[1, 2, 3], [4, 5, 6]]], ids=["flat", "nested"])
@pytest.mark.parametrize("datatype", ["INT8", "UINT64", "FP16", "FP32", "FP64"])
def test_flat_and_nested_data_are_the_same(data: Any, datatype: str) -> None:
    tensor = from_list("x", datatype, [2, 3], data)
    assert tensor.values.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert tensor.values.dtype == DTYPES[datatype]


@pytest.mark.parametrize(
    ("datatype", "data"),
    [
        ("INT64", [1.5]),
        ("INT64", ["1"]),
        ("INT64", [True]),
        ("INT64", [None]),
        ("INT8", [128]),
        ("UINT8", [-1]),
        ("INT32", [2**40]),
        ("UINT64", [2**64]),
        ("FP32", ["1.0"]),
        ("FP64", [True]),
        ("FP64", [None, "a"]),
        ("FP64", [{}]),
        ("BOOL", [1]),
        ("BOOL", [None]),
        ("BYTES", [1]),
        ("BYTES", [b"x"]),
    ],
)
def test_a_value_that_is_not_of_the_datatype_is_refused(datatype: str, data: Any) -> None:
    with pytest.raises(BadRequest, match=f"input 'x': its data holds a value that is not {datatype}"):
        from_list("x", datatype, [len(data)], data)


@pytest.mark.parametrize(
    ("shape", "data", "message"),
    [
        ([2], [1], r"shape \[2\] holds 2 values, got 1"),
        ([3, 2], [[1, 2, 3], [4, 5, 6]], r"its data has shape \[2, 3\], not \[3, 2\]"),
        ([2, 2], [[1, 2], [3]], "its data is ragged"),
        ([1], [], "got 0"),
        ([], [1, 2], "got 2"),
    ],
)
def test_data_that_does_not_fit_the_shape_is_refused(shape: list[int], data: Any, message: str) -> None:
    with pytest.raises(BadRequest, match=message):
        from_list("x", "FP64", shape, data)


@pytest.mark.parametrize("datatype", ["FLOAT", "fp64", "", "STRING"])
def test_an_unknown_datatype_names_the_choices(datatype: str) -> None:
    with pytest.raises(BadRequest, match="is not a datatype: use one of BOOL, UINT8"):
        from_list("x", datatype, [1], [1])
    with pytest.raises(BadRequest, match="is not a datatype: use one of BOOL, UINT8"):
        from_raw("x", datatype, [1], b"")


def test_null_is_nan_in_floats_and_none_in_bytes() -> None:
    assert np.isnan(from_list("x", "FP32", [2], [1, None]).values[1])
    assert from_list("x", "BYTES", [2], ["a", None]).values.tolist() == ["a", None]


def test_booleans_and_empty_tensors() -> None:
    assert from_list("x", "BOOL", [2], [True, False]).values.tolist() == [True, False]
    assert from_list("x", "FP64", [0, 3], []).values.shape == (0, 3)


@pytest.mark.parametrize(
    ("datatype", "shape", "raw", "message"),
    [
        ("FP64", [2], b"\0" * 8, "FP64 of shape .2. takes 16 bytes, got 8"),
        ("BYTES", [2], b"\1\0\0\0a", "holds 2 values, got 1"),
        ("BYTES", [1], b"\2\0\0\0a", "ends inside a value"),
        ("BYTES", [1], b"\2\0", "ends inside a length"),
        ("BYTES", [1], b"\1\0\0\0\xff", "not UTF-8"),
    ],
)
def test_broken_binary_data_is_refused(datatype: str, shape: list[int], raw: bytes, message: str) -> None:
    with pytest.raises(BadRequest, match=message):
        from_raw("x", datatype, shape, raw)


@given(st.sampled_from([name for name in DTYPES if name != "BYTES"]), st.integers(0, 4), st.integers(1, 3), st.randoms())
def test_numbers_survive_the_binary_layout(datatype: str, rows: int, columns: int, random: Any) -> None:
    values = np.frombuffer(random.randbytes(rows * columns * 8), np.uint8)[: rows * columns].astype(DTYPES[datatype])
    tensor = Tensor("x", datatype, values.reshape(rows, columns))
    back = from_raw("x", datatype, [rows, columns], to_raw(tensor))
    assert back.values.dtype == DTYPES[datatype]
    assert np.array_equal(back.values, tensor.values)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]))))
def test_texts_travel_as_tritons_client_writes_them(texts: list[str]) -> None:
    array = np.array(texts, dtype=object)
    packed = serialize_byte_tensor(array).item() if texts else b""
    assert from_raw("x", "BYTES", [len(texts)], packed).values.tolist() == texts
    assert [text.decode() for text in deserialize_bytes_tensor(to_raw(from_array("x", array)))] == texts


@pytest.mark.parametrize(
    ("values", "datatype", "expected"),
    [
        (np.array([1, 2]), "INT64", [1, 2]),
        (np.array([1, 2], np.longlong), "INT64", [1, 2]),
        (np.array([1, 2], ">i2"), "INT16", [1, 2]),
        (np.array([1.5], np.float32), "FP32", [1.5]),
        (np.array([1.5], np.longdouble), "FP64", [1.5]),
        (np.array([True]), "BOOL", [True]),
        (np.array(["a", "bb"]), "BYTES", ["a", "bb"]),
        (np.array(["a", 1, None], dtype=object), "BYTES", ["a", "1", "None"]),
        (np.array([["a"], ["b"]]), "BYTES", [["a"], ["b"]]),
        (np.array(["2026-11-23"], dtype="datetime64[D]"), "BYTES", ["2026-11-23"]),
    ],
)
def test_a_models_answer_becomes_a_tensor(values: Any, datatype: str, expected: list[Any]) -> None:
    tensor = from_array("predict", values)
    assert (tensor.datatype, tensor.values.tolist()) == (datatype, expected)
