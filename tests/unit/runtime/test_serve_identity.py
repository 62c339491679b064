"""Every answer of a model server says which model, version and bytes it comes from, and under which id."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import grpc
import pytest
from mlserver.grpc import dataplane_pb2 as pb
from mlserver.grpc.dataplane_pb2_grpc import GRPCInferenceServiceStub

from slipway_runtime.serve.identity import begin, origin
from slipway_runtime.serve.settings import ServeSettings
from tests.unit.runtime.servers import ServerProcess
from tests.unit.runtime.test_serve_grpc import request
from tests.unit.runtime.test_serve_rest import COLUMNS, INFER, body

ORIGIN = {"x-slipway-model": "churn", "x-slipway-version": "3", "x-slipway-digest": "sha256:" + "0" * 64}
ID = "x-slipway-prediction-id"


def assert_named(found: Mapping[str, str], asked: str | None) -> None:
    assert {name: found[name] for name in ORIGIN} == ORIGIN
    if asked:
        assert found[ID] == asked
    else:
        assert str(UUID(found[ID])) == found[ID]


@pytest.mark.parametrize("asked", ["order-42 / 7", None])
@pytest.mark.parametrize(
    ("method", "path", "content", "status"),
    [
        ("POST", INFER, body(), 200),
        ("POST", INFER, b"{", 400),
        ("POST", INFER, b"x" * 300_000, 413),
        ("POST", "/v2/models/other/infer", body(), 404),
        ("POST", "/v2/models/churn/infer_stream", body(), 501),
        ("POST", "/v2/repository/index", b"{}", 403),
        ("GET", "/v2/models/churn", None, 200),
        ("GET", "/v2/health/ready", None, 200),
        ("GET", "/nowhere", None, 404),
        ("DELETE", "/v2/health/ready", None, 405),
    ],
)
def test_over_rest(method: str, path: str, content: bytes | None, status: int, asked: str | None, churn: ServerProcess) -> None:
    answer = churn.call(method, path, content, **({"X_Request_Id": asked} if asked else {}))
    assert answer.status == status
    assert_named(answer.headers, asked)


def test_a_model_that_raises(moody: ServerProcess) -> None:
    answer = moody.infer([{"name": "x", "shape": [1, 1], "datatype": "FP64", "data": [-1]}])
    assert answer.status == 500
    assert_named(answer.headers, None)


def test_each_answer_has_an_id_of_its_own(churn: ServerProcess) -> None:
    assert len({churn.infer(COLUMNS).headers[ID] for _ in range(5)}) == 5


@pytest.mark.parametrize("asked", ["", "x" * 129, "größe", "tab\tbed"])
def test_an_unusable_id_is_replaced(asked: str, churn: ServerProcess) -> None:
    with socket.create_connection(("127.0.0.1", churn.http_port), timeout=30) as connection:
        head = f"GET /v2/health/live HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Request-ID: {asked}\r\n\r\n"
        connection.sendall(head.encode("latin-1"))
        answer = b"".join(iter(lambda: connection.recv(4096), b"")).decode("latin-1")
    lines = dict(line.split(": ", 1) for line in answer.partition("\r\n\r\n")[0].splitlines()[1:])
    assert_named(lines, None)


def test_the_body_has_the_id_unless_it_was_given_one(churn: ServerProcess) -> None:
    answer = churn.infer(COLUMNS)
    assert answer.json["id"] == answer.headers[ID]
    content = json.dumps({"id": "mine", "inputs": COLUMNS}).encode()
    answer = churn.call("POST", INFER, content, X_Request_Id="theirs")
    assert (answer.json["id"], answer.headers[ID]) == ("mine", "theirs")


def over_grpc(server: ServerProcess, method: str, message: Any, asked: str | None) -> tuple[grpc.StatusCode, dict[str, str], Any]:
    """The status, the trailing metadata and the answer of one call."""
    metadata = (("x-request-id", asked),) if asked else ()
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        stub = GRPCInferenceServiceStub(channel)
        try:
            answer, call = getattr(stub, method).with_call(message, metadata=metadata, timeout=30)
        except grpc.RpcError as error:
            return error.code(), dict(error.trailing_metadata()), None
        return call.code(), dict(call.trailing_metadata()), answer


@pytest.mark.parametrize("asked", ["order-42", None])
@pytest.mark.parametrize(
    ("method", "message", "status"),
    [
        ("ModelInfer", request(), grpc.StatusCode.OK),
        ("ModelInfer", pb.ModelInferRequest(model_name="churn"), grpc.StatusCode.INVALID_ARGUMENT),
        ("ModelInfer", pb.ModelInferRequest(model_name="other"), grpc.StatusCode.NOT_FOUND),
        ("ServerLive", pb.ServerLiveRequest(), grpc.StatusCode.OK),
        ("ModelMetadata", pb.ModelMetadataRequest(name="churn"), grpc.StatusCode.OK),
        ("RepositoryIndex", pb.RepositoryIndexRequest(), grpc.StatusCode.PERMISSION_DENIED),
    ],
)
def test_over_grpc(method: str, message: Any, status: grpc.StatusCode, asked: str | None, churn: ServerProcess) -> None:
    code, metadata, _ = over_grpc(churn, method, message, asked)
    assert code is status
    assert_named(metadata, asked)


def test_the_grpc_message_has_the_id_unless_it_was_given_one(churn: ServerProcess) -> None:
    assert over_grpc(churn, "ModelInfer", request(), "theirs")[2].id == "42"
    unnamed = request()
    unnamed.id = ""
    _, metadata, answer = over_grpc(churn, "ModelInfer", unnamed, None)
    assert answer.id == metadata[ID]


def test_streams_and_unknown_methods_are_refused_by_name(churn: ServerProcess) -> None:
    with grpc.insecure_channel(f"127.0.0.1:{churn.grpc_port}") as channel:
        streamed = GRPCInferenceServiceStub(channel).ModelStreamInfer(iter([request()]), timeout=30)
        with pytest.raises(grpc.RpcError) as caught:
            next(streamed)
        assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED
        assert_named(dict(caught.value.trailing_metadata()), None)
        with pytest.raises(grpc.RpcError) as caught:
            channel.unary_unary("/inference.GRPCInferenceService/Guess")(b"", timeout=30)
        assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED
        assert "no such method" in caught.value.details()
        assert_named(dict(caught.value.trailing_metadata()), None)


def test_without_a_digest_none_is_claimed() -> None:
    assert origin(ServeSettings("churn", "3")) == (("x-slipway-model", "churn"), ("x-slipway-version", "3"))


@pytest.mark.parametrize("asked", ["a", " spaces inside ", "~" * 128])
def test_usable_ids(asked: str) -> None:
    assert begin(asked) == asked
