"""Rows as users keep them."""

from __future__ import annotations

from typing import Any

import pytest

from slipway.cli.errors import CliError
from slipway.cli.inference.rows import Columns, Matrix, Request, read


def rows(text: str, **options: Any) -> Matrix | Columns | Request:
    return read(text, **({"is_csv": False} | options))


def test_json_shapes() -> None:
    assert rows('{"inputs": [], "id": "1"}') == Request({"inputs": [], "id": "1"})
    assert rows("[[1, 2], [3, null]]") == Matrix([[1, 2], [3, None]])
    assert rows('[{"age": 31, "plan": "plus"}, {"plan": null}]') == Columns({"age": [31, None], "plan": ["plus", None]})
    assert rows('{"columns": ["age"], "data": [[31], [NaN]]}') == Columns({"age": [31, None]})


def test_csv() -> None:
    assert rows("age,plan\n31,plus\n,basic\n", is_csv=True) == Columns({"age": ["31", ""], "plan": ["plus", "basic"]}, from_text=True)
    assert rows("\ufeff1,2\n3,nan\n\n", is_csv=True, header=False) == Matrix([[1.0, 2.0], [3.0, None]])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nonsense", "not JSON"),
        ("3", "the rows must be"),
        ("[]", "the rows must be"),
        ("[1, 2]", "the rows must be"),
        ("[[1, 2], [3]]", "row 2 has 1 values, but row 1 has 2"),
        ('{"columns": ["a", "b"], "data": [[1, 2], [3]]}', "row 2 must have 2 values"),
        ('{"columns": ["a", "a"], "data": [[1, 2]]}', "same name"),
        ('{"columns": ["a"], "data": []}', "no rows"),
    ],
)
def test_wrong_json(text: str, said: str) -> None:
    with pytest.raises(CliError, match=said):
        rows(text)


@pytest.mark.parametrize(
    ("text", "header", "said"),
    [
        ("", True, "no rows"),
        ("age\n", True, "no rows below its header"),
        ("a,b\n1\n", True, "row 1 must have 2 values"),
        ("1,2\n3,plus\n", False, "row 2, column 2: 'plus' is not a number"),
    ],
)
def test_wrong_csv(text: str, header: bool, said: str) -> None:
    with pytest.raises(CliError, match=said):
        rows(text, is_csv=True, header=header)
