"""The prediction log's example: its requests, its model and its YAML speak of the same columns, and its truths are what push reads."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import joblib
import pandas as pd
import pytest
import yaml

from slipway.cli.predictions.truths import Shape, truths
from tests.unit.docs.pages import ROOT

EXAMPLE = ROOT / "examples/prediction-log"


@pytest.fixture
def modules(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[ModuleType, ModuleType, ModuleType]]:
    """`customers`, `stream` and `train`, as they are found when run there."""
    monkeypatch.syspath_prepend(str(EXAMPLE))
    names = ("customers", "stream", "train")
    yield tuple(__import__(name) for name in names)  # type: ignore[misc]
    for name in names:
        sys.modules.pop(name, None)


class Model(BaseHTTPRequestHandler):
    """Answers with an id of its own, and remembers."""

    asked: list[dict[str, Any]] = []

    def do_POST(self) -> None:
        self.asked.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        self.send_response(200)
        self.send_header("x-slipway-prediction-id", f"id-{len(self.asked)}")
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: Any) -> None:
        pass


def test_a_stream_and_its_truths(tmp_path: Path, modules: tuple[ModuleType, ...]) -> None:
    customers, stream, _ = modules
    server = HTTPServer(("127.0.0.1", 0), Model)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        stream.stream(f"http://127.0.0.1:{server.server_port}", 3, tmp_path / "truths.csv")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert [request["inputs"][-1]["data"] for request in Model.asked] == [[1000], [1001], [1002]]
    by_id = list(truths(tmp_path / "truths.csv", Shape()))
    by_key = list(truths(tmp_path / "truths.csv", Shape(("customer_id",))))
    assert [row["prediction_id"] for row in by_id] == ["id-1", "id-2", "id-3"]
    assert [row["key"] for row in by_key] == [{"customer_id": 1000}, {"customer_id": 1001}, {"customer_id": 1002}]
    assert [row["value"] for row in by_key] == [customers.customer(number).left for number in (1000, 1001, 1002)]


def test_its_model_knows_the_columns_that_its_yaml_types(tmp_path: Path, modules: tuple[ModuleType, ...]) -> None:
    customers, stream, train = modules
    schema = yaml.safe_load((EXAMPLE / "model.yaml").read_text())["spec"]["schema"]
    assert {column["name"]: column["datatype"] for column in schema["inputs"]} == customers.COLUMNS
    model = joblib.load(train.train(tmp_path))
    assert set(model.feature_names_in_) == set(customers.COLUMNS)
    row = {tensor["name"]: tensor["data"] for tensor in stream.request(customers.customer(1000))["inputs"][:-1]}
    assert model.predict(pd.DataFrame(row))[0] in (0, 1)
