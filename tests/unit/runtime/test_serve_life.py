"""The life of a running `slipway-serve`: a model that does not load, the drain, the end."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import grpc
import pytest
from mlserver.grpc import dataplane_pb2 as pb
from mlserver.grpc.dataplane_pb2_grpc import GRPCInferenceServiceStub

from slipway_runtime.failure import LoadFailed
from slipway_runtime.serve.http_server import GracefulServer, http_config
from slipway_runtime.serve.settings import ServeSettings
from tests.unit.runtime.conftest import Start
from tests.unit.runtime.models import Moody, save
from tests.unit.runtime.servers import ServerProcess, environment
from tests.wait import until

DRAIN_SECONDS = 2.0


@pytest.fixture(scope="module")
def life(start: Start, tmp_path_factory: pytest.TempPathFactory) -> dict[str, ServerProcess]:
    """One server for each test, started together."""
    model = save(Moody(), tmp_path_factory.mktemp("life"))
    return {"drained": start(model, DRAIN_SECONDS), "killed": start(model, 600)}


def mood(value: float) -> bytes:
    return json.dumps({"inputs": [{"name": "mood", "shape": [1, 1], "datatype": "FP64", "data": [value]}]}).encode()


def test_a_model_that_does_not_load_ends_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "model.pkl").write_bytes(b"cxgboost\nXGBClassifier\n.")
    variables = environment(tmp_path, tmp_path, 600)
    ended = subprocess.run(
        [sys.executable, "-m", "slipway_runtime.serve"],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    message = {"reason": "LoadFailed", "message": "ModuleNotFoundError: No module named 'xgboost'"}
    assert ended.returncode == 1
    assert json.loads((tmp_path / "termination-log").read_text()) == message
    assert json.dumps(message) in ended.stderr


class Client(threading.Thread):
    """Calls without a pause on one kept connection, as a client's pool would; reconnects only when told to."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self.port = port
        self.answers: list[tuple[int, str | None]] = []
        self.failures: list[str] = []
        self.drained = False

    def run(self) -> None:
        connection = HTTPConnection("127.0.0.1", self.port)
        while not self.drained:
            try:
                connection.request("POST", "/v2/models/churn/infer", mood(0))
                answer = connection.getresponse()
                answer.read()
            except OSError as error:
                self.failures.append(repr(error))
                return
            self.answers.append((answer.status, answer.headers["connection"]))
            self.drained = answer.headers["connection"] == "close"


def test_the_drain_loses_no_call(life: dict[str, ServerProcess]) -> None:
    server = life["drained"].wait_ready()
    clients = [Client(server.http_port) for _ in range(4)]
    for client in clients:
        client.start()
    idle = HTTPConnection("127.0.0.1", server.http_port)
    idle.request("GET", "/v2/health/live")
    assert idle.getresponse().read() == b""
    channel = grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}")
    stub = GRPCInferenceServiceStub(channel)
    assert stub.ModelReady(pb.ModelReadyRequest(name="churn")).ready
    until(lambda: all(len(client.answers) > 5 for client in clients), 30, "calls under way")

    server.signal(signal.SIGTERM)
    until(lambda: server.call("GET", "/v2/models/churn/ready").status == 400, 5, "a readiness that is false", every=0.01)
    for path, status in {"/v2/health/ready": 400, "/v2/health/live": 200, "/v2": 200, "/nowhere": 404}.items():
        answer = server.call("GET", path)
        assert (answer.status, answer.headers["connection"]) == (status, "close")
    assert not stub.ModelReady(pb.ModelReadyRequest(name="churn")).ready
    assert not stub.ServerReady(pb.ServerReadyRequest()).ready
    assert stub.ServerLive(pb.ServerLiveRequest()).live
    grpc_call = stub.ModelInfer.future(grpc_mood(DRAIN_SECONDS + 1))
    answers: list[int] = []
    slow = threading.Thread(target=slow_call, args=(server, answers), daemon=True)
    slow.start()
    for client in clients:
        client.join(30)
        assert client.failures == []
        assert [answer for answer in client.answers[:-1] if answer != (200, None)] == []
        assert client.answers[-1] == (200, "close")

    assert server.exit_code() == 0, server.log
    slow.join(30)
    assert answers == [200]
    assert list(grpc_call.result().outputs[0].contents.fp64_contents) == [DRAIN_SECONDS + 1]
    assert idle.sock is not None
    assert idle.sock.recv(1) == b""  # an orderly end, no reset
    assert not server.termination_log.exists()
    channel.close()


def slow_call(server: ServerProcess, answers: list[int]) -> None:
    answers.append(server.call("POST", "/v2/models/churn/infer", mood(DRAIN_SECONDS + 1)).status)


def grpc_mood(value: float) -> Any:
    message = pb.ModelInferRequest(model_name="churn")
    message.inputs.add(name="mood", datatype="FP64", shape=[1, 1], contents=pb.InferTensorContents(fp64_contents=[value]))
    return message


def test_a_second_signal_ends_at_once(life: dict[str, ServerProcess]) -> None:
    server = life["killed"].wait_ready()
    server.signal(signal.SIGTERM)
    until(lambda: server.call("GET", "/v2/health/ready").status == 400, 5, "the drain's begin", every=0.01)
    server.signal(signal.SIGTERM)
    assert server.exit_code() == 128 + signal.SIGTERM


async def test_a_request_that_arrives_before_its_connection_is_closed_is_answered() -> None:
    """The close of idle connections in process, with a request already in the kernel's buffer."""

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2"), (b"connection", b"close")]})
        await send({"type": "http.response.body", "body": b"ok"})

    server = GracefulServer(http_config(application, "127.0.0.1", 0, 5))
    serving = asyncio.ensure_future(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    with socket.create_connection(server.servers[0].sockets[0].getsockname()) as client:
        while not server.server_state.connections:
            await asyncio.sleep(0.01)
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await server.shutdown()  # the event loop has not read the request yet
        client.settimeout(5)
        answer = await asyncio.to_thread(client.makefile("rb").read)
    assert answer.startswith(b"HTTP/1.1 200")
    server.should_exit = True
    await serving


def test_a_taken_port_ends_the_server(life: dict[str, ServerProcess], start: Start, tmp_path: Path) -> None:
    with socket.create_server(("0.0.0.0", 0)) as taken:
        server = start(save(Moody(), tmp_path), SLIPWAY_HTTP_PORT=str(taken.getsockname()[1]))
        assert server.exit_code() == 1
    assert "address already in use" in server.log
    assert json.loads(server.termination_log.read_text())["reason"] == "LoadFailed"


def test_a_missing_variable_is_named(tmp_path: Path) -> None:
    with pytest.raises(LoadFailed, match="SLIPWAY_MODEL_NAME is not set"):
        ServeSettings.load({})
    with pytest.raises(LoadFailed, match="not a number: could not convert string to float: 'soon'"):
        ServeSettings.load({"SLIPWAY_MODEL_NAME": "a", "SLIPWAY_MODEL_VERSION": "1", "SLIPWAY_DRAIN_SECONDS": "soon"})
    settings = ServeSettings.load({"SLIPWAY_MODEL_NAME": "a", "SLIPWAY_MODEL_VERSION": "1"})
    assert (settings.http_port, settings.grpc_port, settings.metrics_port, settings.model_path) == (8080, 9000, 8082, "/mnt/model")
