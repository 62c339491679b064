"""A model that raises or takes its time, captured: one row a call, whatever becomes of the model or of the client; mode Metadata."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from mlserver.grpc import dataplane_pb2 as pb
from mlserver.grpc.dataplane_pb2_grpc import GRPCInferenceServiceStub

from tests.unit.runtime import models
from tests.unit.runtime.capturing import capture, collecting, metrics, shipping
from tests.unit.runtime.conftest import Start
from tests.unit.runtime.test_capture_serve import Captured
from tests.unit.runtime.test_serve_rest import INFER
from tests.wait import until


@pytest.fixture(scope="module")
def moody(start: Start, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Captured]:
    home = tmp_path_factory.mktemp("moody")
    spool: Path = home / "spool"
    server = start(models.save(models.Moody(), home / "model"), **capture(spool, mode="Metadata"))
    with collecting() as collector, shipping(spool, collector.url, home):
        yield Captured(server.wait_ready(), collector)


def mood(*values: float) -> bytes:
    inputs = [{"name": "mood", "datatype": "FP64", "shape": [len(values), 1], "data": list(values)}]
    return json.dumps({"inputs": inputs}).encode()


def test_metadata_is_one_row_without_values(moody: Captured) -> None:
    assert moody.server.call("POST", INFER, mood(0, 0, 0), X_Request_Id="calm").status == 200
    (row,) = moody.rows("calm")
    assert (row["rows"], row["row"], row["status"], row["truncated"]) == (3, 0, 200, False)
    assert not any(name.startswith(("in_", "out_")) for name in row)


def test_a_model_that_raises(moody: Captured) -> None:
    assert moody.server.call("POST", INFER, mood(-1), X_Request_Id="bad").status == 500
    (row,) = moody.rows("bad")
    assert (row["status"], row["error"]) == (500, "RuntimeError: the model is in a bad mood")


def test_a_rest_client_that_leaves_during_its_prediction(moody: Captured) -> None:
    body = mood(0.3)
    with socket.create_connection(("127.0.0.1", moody.server.http_port)) as client:
        client.sendall(
            b"POST %s HTTP/1.1\r\nHost: a\r\nX-Request-Id: rest-left\r\nContent-Length: %d\r\n\r\n" % (INFER.encode(), len(body))
        )
        client.sendall(body)
    (row,) = moody.rows("rest-left")
    assert row["status"] == 200
    assert row["latency_ms"] >= 300


def grpc_mood(value: float) -> Any:
    message = pb.ModelInferRequest(model_name="churn")
    message.inputs.add(name="mood", datatype="FP64", shape=[1, 1], contents=pb.InferTensorContents(fp64_contents=[value]))
    return message


def test_a_grpc_client_that_cancels(moody: Captured) -> None:
    with grpc.insecure_channel(f"127.0.0.1:{moody.server.grpc_port}") as channel:
        stub = GRPCInferenceServiceStub(channel)
        assert stub.ModelInfer(grpc_mood(0)).outputs
        call = stub.ModelInfer.future(grpc_mood(1), metadata=(("x-request-id", "cancelled"),))
        before = metrics(moody.server.metrics_port)["records_total"]
        until(lambda: not call.done(), 5, "a call under way")
        with pytest.raises(grpc.FutureTimeoutError):
            call.result(timeout=0.3)
        call.cancel()
        until(lambda: metrics(moody.server.metrics_port)["records_total"] > before, 30, "its record")
    rows = moody.rows("cancelled")
    assert [row["status"] for row in rows] == [499]
    assert moody.server.call("POST", INFER, mood(0), X_Request_Id="afterwards").status == 200
    moody.rows("afterwards")
    assert moody.collector.ids.count("cancelled") == 1
