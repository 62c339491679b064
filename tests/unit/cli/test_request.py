"""v2 requests from rows."""

from __future__ import annotations

import json
from typing import Any

import pytest

from slipway.cli.errors import CliError
from slipway.cli.inference.request import build, declared_inputs
from slipway.cli.inference.rows import Columns, Matrix, Request


def column(values: list[Any], declared: str | None = None, *, from_text: bool = False) -> tuple[str, list[Any]]:
    request = build(Columns({"c": values}, from_text), {"c": declared} if declared else {})
    (tensor,) = request["inputs"]
    assert tensor["name"] == "c"
    assert tensor["shape"] == [len(values), 1]
    json.dumps(request, allow_nan=False)
    return tensor["datatype"], tensor["data"]


def test_a_request_is_sent_as_it_is() -> None:
    assert build(Request({"inputs": [1]}), {}) == {"inputs": [1]}


def test_a_matrix_is_one_tensor() -> None:
    assert build(Matrix([[1, 2.5], [None, True]]), {}) == {
        "inputs": [{"name": "input", "shape": [2, 2], "datatype": "FP64", "data": [1.0, 2.5, None, 1.0]}]
    }


def test_a_matrix_takes_the_name_and_precision_that_the_model_declares() -> None:
    (tensor,) = build(Matrix([[1]]), {"x": "FP32"})["inputs"]
    assert (tensor["name"], tensor["datatype"]) == ("x", "FP32")
    (tensor,) = build(Matrix([[1]]), {"age": "FP64", "tenure": "FP64"})["inputs"]
    assert tensor["name"] == "input"


def test_a_matrix_of_text() -> None:
    with pytest.raises(CliError, match="row 2: 'plus' is not a number"):
        build(Matrix([[1], ["plus"]]), {})


@pytest.mark.parametrize(
    ("values", "declared", "expected"),
    [
        ([1, 2.5], None, ("FP64", [1.0, 2.5])),
        ([1, 2], None, ("FP64", [1.0, 2.0])),
        ([1, 2], "INT64", ("INT64", [1, 2])),
        ([1, None], "INT64", ("FP64", [1.0, None])),
        ([1.5], "INT64", ("FP64", [1.5])),
        ([1], "FP32", ("FP32", [1.0])),
        ([True, False], None, ("BOOL", [True, False])),
        (["a", None], None, ("BYTES", ["a", None])),
        ([7, "a"], "BYTES", ("BYTES", ["7", "a"])),
        ([None], None, ("FP64", [None])),
    ],
)
def test_columns(values: list[Any], declared: str | None, expected: tuple[str, list[Any]]) -> None:
    assert column(values, declared) == expected


@pytest.mark.parametrize(
    ("cells", "declared", "expected"),
    [
        (["1", "2.5", ""], None, ("FP64", [1.0, 2.5, None])),
        (["1", " 2"], "INT64", ("INT64", [1, 2])),
        (["true", "False", ""], None, ("BOOL", [True, False, None])),
        (["007", ""], "BYTES", ("BYTES", ["007", None])),
        (["a", "1"], None, ("BYTES", ["a", "1"])),
        (["inf", "1"], None, ("BYTES", ["inf", "1"])),
        (["", ""], None, ("FP64", [None, None])),
    ],
)
def test_columns_of_a_csv_file(cells: list[str], declared: str | None, expected: tuple[str, list[Any]]) -> None:
    assert column(cells, declared, from_text=True) == expected


@pytest.mark.parametrize("values", [[1, "a"], [True, 1], [{"a": 1}], [[1]]])
def test_mixed_columns(values: list[Any]) -> None:
    with pytest.raises(CliError, match="column c mixes|column c holds"):
        column(values)


def test_declared_inputs() -> None:
    metadata = {"name": "churn", "inputs": [{"name": "age", "datatype": "FP64", "shape": [-1]}, "odd"]}
    assert declared_inputs(metadata) == {"age": "FP64"}
    assert declared_inputs({}) == {}
