"""A model server that captures, its shipper and a collector: what arrives, over both protocols."""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import grpc
import numpy as np
import pytest
from mlserver.grpc import dataplane_pb2 as pb
from mlserver.grpc.dataplane_pb2_grpc import GRPCInferenceServiceStub

from tests.unit.runtime import models
from tests.unit.runtime.capturing import IDENTITY, Collector, capture, collecting, metrics, shipping
from tests.unit.runtime.conftest import Start
from tests.unit.runtime.servers import ServerProcess
from tests.unit.runtime.test_serve_grpc import request
from tests.unit.runtime.test_serve_rest import COLUMNS, INFER, body
from tests.wait import until

KEY = {"name": "customer", "datatype": "INT64", "shape": [2], "data": [7, 8], "parameters": {"key": True}}


class Captured:
    """A server with its shipper and collector."""

    def __init__(self, server: ServerProcess, collector: Collector) -> None:
        self.server = server
        self.collector = collector

    def rows(self, prediction_id: str, count: int = 1) -> list[dict[str, Any]]:
        """The rows of one call, once they have arrived."""

        def found() -> list[dict[str, Any]]:
            rows = [row for row in self.collector.rows if row["prediction_id"] == prediction_id]
            return rows if len(rows) >= count else []

        return until(found, 30, f"the rows of {prediction_id}", every=0.05)


@pytest.fixture(scope="module")
def spool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("spool")


@pytest.fixture(scope="module")
def captured(start: Start, spool: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Captured]:
    home = tmp_path_factory.mktemp("captured")
    server = start(models.save(models.churn_model(), home / "model"), **capture(spool, SLIPWAY_CAPTURE_MAX_RECORD_BYTES=4000))
    with collecting() as collector, shipping(spool, collector.url, home):
        yield Captured(server.wait_ready(), collector)


def values(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name.startswith(("in_", "out_", "key_"))}


def test_a_rest_call(captured: Captured) -> None:
    answer = captured.server.call("POST", INFER, body(inputs=[*COLUMNS, KEY]), X_Request_Id="rest-1", X_Slipway_Caller="team/shop")
    assert answer.status == 200, answer.json
    first, second = captured.rows("rest-1", 2)
    assert [(row["row"], row["rows"]) for row in (first, second)] == [(0, 2), (1, 2)]
    labels, probabilities = answer.json["outputs"]
    assert values(second) == {
        "in_age": 70.0,
        "in_plan": "free",
        "in_spend": 90.5,
        "key_customer": 8,
        "out_predict": labels["data"][1],
        "out_predict_proba_leave": probabilities["data"][2],
        "out_predict_proba_stay": probabilities["data"][3],
    }
    assert {name: first[name] for name in ("namespace", "deployment", "model", "version", "digest")} == {
        name: IDENTITY[f"SLIPWAY_{variable}"]
        for name, variable in (
            ("namespace", "NAMESPACE"),
            ("deployment", "MODEL_NAME"),
            ("model", "MODEL"),
            ("version", "MODEL_VERSION"),
            ("digest", "MODEL_DIGEST"),
        )
    }
    assert (first["role"], first["status"], first["protocol"], first["caller"]) == ("Stable", 200, "REST", "team/shop")
    assert (first["error"], first["truncated"], first["other"]) == (None, False, None)
    assert 0 < first["latency_ms"] < 60_000
    assert first["time"].tzinfo is not None


def binary_body() -> tuple[bytes, int]:
    tensors = [
        ("age", "FP64", np.array([20.0, 70.0]).tobytes()),
        ("plan", "BYTES", b"".join(struct.pack("<I", len(text)) + text for text in (b"gold", b"free"))),
        ("spend", "FP64", np.array([10, 90.5]).tobytes()),
        ("customer", "INT64", np.array([7, 8]).tobytes()),
    ]
    inputs = [
        {"name": name, "datatype": kind, "shape": [2], "parameters": {"binary_data_size": len(raw), "key": name == "customer"}}
        for name, kind, raw in tensors
    ]
    header = json.dumps({"inputs": inputs, "parameters": {"binary_data_output": True}}).encode()
    return header + b"".join(raw for *_, raw in tensors), len(header)


def keyed(**metadata: Any) -> Any:
    message = request(spend=("FP64", {"fp64_contents": [10, 90.5]}))
    key = message.inputs.add(name="customer", datatype="INT64", shape=[2], contents=pb.InferTensorContents(int64_contents=[7, 8]))
    key.parameters["key"].bool_param = True
    return message


def call_grpc(server: ServerProcess, message: Any, *metadata: tuple[str, str]) -> Any:
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        return GRPCInferenceServiceStub(channel).ModelInfer(message, metadata=metadata, timeout=30)


def test_the_same_call_makes_the_same_rows_in_each_form(captured: Captured) -> None:
    content, length = binary_body()
    server = captured.server
    assert server.call("POST", INFER, body(inputs=[*COLUMNS, KEY]), X_Request_Id="same-json").status == 200
    binary = server.call("POST", INFER, content, X_Request_Id="same-binary", Inference_Header_Content_Length=str(length))
    assert binary.headers["inference-header-content-length"]
    call_grpc(server, keyed(), ("x-request-id", "same-grpc"), ("x-slipway-caller", "me"))
    json_rows, binary_rows, grpc_rows = (captured.rows(f"same-{form}", 2) for form in ("json", "binary", "grpc"))
    assert [values(row) for row in json_rows] == [values(row) for row in binary_rows] == [values(row) for row in grpc_rows]
    assert {row["protocol"] for row in grpc_rows} == {"gRPC"}
    assert {row["caller"] for row in grpc_rows} == {"me"}


@pytest.mark.parametrize(
    ("content", "status", "error"),
    [
        (b"{", 400, "the body is not JSON"),
        (body(inputs=COLUMNS[:2]), 400, "the columns are not the model's"),
        (body(inputs=[*COLUMNS, KEY | {"shape": [1], "data": [1]}]), 400, "key 'customer' has 1 values, the request 2 rows"),
    ],
)
def test_a_failed_call_is_one_row(content: bytes, status: int, error: str, captured: Captured) -> None:
    answer = captured.server.call("POST", INFER, content)
    assert answer.status == status
    identifier = answer.headers["x-slipway-prediction-id"]
    (row,) = captured.rows(identifier)
    assert (row["status"], row["row"], row["rows"]) == (status, 0, 1)
    assert error in row["error"]
    assert not any(value is not None for value in values(row).values())


def test_a_failed_grpc_call_has_the_http_status(captured: Captured) -> None:
    with pytest.raises(grpc.RpcError):
        call_grpc(captured.server, pb.ModelInferRequest(model_name="churn"), ("x-request-id", "grpc-bad"))
    (row,) = captured.rows("grpc-bad")
    assert (row["status"], row["protocol"]) == (400, "gRPC")


def test_a_large_call_is_kept_without_its_bodies(captured: Captured) -> None:
    wide = [{**column, "shape": [400], "data": np.array(column["data"]).ravel().tolist() * 200} for column in COLUMNS]
    assert captured.server.call("POST", INFER, body(inputs=wide), X_Request_Id="large").status == 200
    (row,) = captured.rows("large")
    assert (row["truncated"], row["rows"], row["status"]) == (True, 400, 200)


def test_ids_of_our_own_are_ordered_by_time(captured: Captured) -> None:
    ids = [captured.server.infer(COLUMNS).headers["x-slipway-prediction-id"] for _ in range(3)]
    assert [UUID(identifier).version for identifier in ids] == [7, 7, 7]
    assert [identifier[:13] for identifier in ids] == sorted(identifier[:13] for identifier in ids)


def test_only_the_models_own_calls_are_kept(captured: Captured) -> None:
    server = captured.server
    for method, path in (("GET", "/v2/models/churn"), ("POST", "/v2/models/other/infer"), ("POST", "/v2/repository/index")):
        server.call(method, path, b"{}", X_Request_Id="not-kept")
    assert server.call("POST", INFER, body(), X_Request_Id="kept-after").status == 200
    captured.rows("kept-after", 2)
    assert "not-kept" not in captured.collector.ids


def test_a_client_that_leaves_is_one_row(captured: Captured) -> None:
    with socket.create_connection(("127.0.0.1", captured.server.http_port)) as client:
        client.sendall(f"POST {INFER} HTTP/1.1\r\nHost: a\r\nX-Request-Id: left\r\nContent-Length: 100\r\n\r\n{{".encode())
        until(lambda: metrics(captured.server.metrics_port), 10, "the server at work")
    (row,) = captured.rows("left")
    assert row["status"] == 499


def test_the_metrics(captured: Captured, spool: Path) -> None:
    assert captured.server.infer(COLUMNS).status == 200
    port = captured.server.metrics_port
    until(lambda: metrics(port)["records_total"] == len(set(captured.collector.ids)), 30, "all calls in the log")
    until(lambda: metrics(port)["spool_bytes"] == 0, 30, "an empty spool")
    found = metrics(port)
    assert found["shipped_rows_total"] == len(captured.collector.rows)
    assert {name: found[f"dropped_total:{name}"] for name in ("memory", "disk", "refused", "killed")} == dict.fromkeys(
        ("memory", "disk", "refused", "killed"), 0
    )
    assert (found["lag_seconds"], found["refused_total"]) == (0, 0)
