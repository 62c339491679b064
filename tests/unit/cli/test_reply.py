"""v2 replies as tables, and failures as one line."""

from __future__ import annotations

import io
import json

import pytest

from slipway.cli.cluster import Reply
from slipway.cli.inference.reply import cells, failure, table, title
from slipway.cli.output import console

REPLY = {
    "model_name": "churn",
    "model_version": "3",
    "outputs": [
        {"name": "predict", "shape": [2], "datatype": "INT64", "data": [0, 1]},
        {"name": "predict_proba", "shape": [2, 2], "datatype": "FP64", "data": [0.75, 0.25, 0.123456789, 0.876543211]},
    ],
}


def test_table() -> None:
    stream = io.StringIO()
    console(stream).print(table(REPLY))
    lines = [line.rstrip() for line in stream.getvalue().splitlines()]
    assert lines == ["ROW  predict  predict_proba", "  1  0        0.75  0.25", "  2  1        0.123457  0.876543"]
    assert title(REPLY) == "churn, version 3"


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ({"shape": [2, 1], "data": [1, 2]}, ["1", "2"]),
        ({"shape": [1, 2, 2], "data": [[[1, 2], [3, 4]]]}, ["1  2  3  4"]),
        ({"shape": [2], "data": ["[red]yes", "\x1b[31mno"]}, ["[red]yes", "[31mno"]),
        ({"shape": [0], "data": []}, []),
        ({"data": [True]}, ["True"]),
    ],
)
def test_cells(output: dict[str, object], expected: list[str]) -> None:
    assert cells(output) == expected


def status(code: int, message: str) -> Reply:
    return Reply(code, json.dumps({"kind": "Status", "message": message, "details": {"name": "churn"}}).encode())


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply(400, b'{"error": "missing: age"}'), "churn answered 400: missing: age"),
        (Reply(413, b'{"error": "too large"}'), "the request (2.0 MiB) is too large for churn (413): send fewer rows at a time"),
        (Reply(500, b"<html>"), "churn answered 500: <html>"),
        (status(503, 'no endpoints available for service "http:churn:http"'), "churn has no ready pod"),
        (status(502, "error trying to reach service: EOF"), "send fewer at a time"),
        (status(403, 'User "a" cannot create resource "services/proxy"'), "ask whoever administers"),
    ],
)
def test_failures(reply: Reply, said: str) -> None:
    assert said in str(failure(reply, "churn", "growth", 2 * 2**20))
