"""Where answers come from, as callers of a Service see it: over REST and gRPC, errors too, and across an upgrade."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import grpc
import pytest
import requests
from mlserver.grpc.dataplane_pb2 import ModelInferRequest, ModelMetadataRequest
from mlserver.grpc.dataplane_pb2_grpc import GRPCInferenceServiceStub

from tests.e2e.lab import ROWS, Lab

ID = "x-slipway-prediction-id"
INFER = "/v2/models/churn/infer"
BODY: Any = {"inputs": [{"name": "input", "datatype": "FP64", "shape": [len(ROWS), len(ROWS[0])], "data": ROWS}]}


@pytest.fixture(scope="module")
def serving(module_lab: Lab) -> Lab:
    module_lab.serve()
    return module_lab


def assert_named(lab: Lab, found: Mapping[str, str], asked: str | None = None, version: str = "1") -> None:
    digest = lab.pushed.artifact["digest"]
    origin = {"x-slipway-model": "churn", "x-slipway-version": version, "x-slipway-digest": digest}
    assert {name: found.get(name) for name in origin} == origin
    assert found[ID] == (asked or str(UUID(found[ID])))


def test_over_rest(serving: Lab) -> None:
    with serving.tools.forward("svc/churn", 80) as port, requests.Session() as session:
        url = f"http://127.0.0.1:{port}"
        answer = session.post(url + INFER, json=BODY, timeout=60)
        assert answer.status_code == 200
        assert_named(serving, answer.headers)
        assert answer.json()["id"] == answer.headers[ID]
        asked = session.post(url + INFER, json=BODY, headers={"X-Request-ID": "order-42"}, timeout=60)
        assert_named(serving, asked.headers, "order-42")
        for refused, status in ((session.post(url + INFER, data="{", timeout=60), 400), (session.get(f"{url}/nowhere", timeout=60), 404)):
            assert refused.status_code == status
            assert_named(serving, refused.headers)


def test_over_grpc(serving: Lab) -> None:
    request = ModelInferRequest(model_name="churn")
    tensor = request.inputs.add(name="input", datatype="FP64", shape=[len(ROWS), len(ROWS[0])])
    tensor.contents.fp64_contents.extend(value for row in ROWS for value in row)
    with serving.tools.forward("svc/churn", 9000) as port, grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub = GRPCInferenceServiceStub(channel)
        answer, call = stub.ModelInfer.with_call(request, metadata=(("x-request-id", "order-43"),), timeout=60)
        assert_named(serving, dict(call.trailing_metadata()), "order-43")
        assert answer.id == "order-43"
        with pytest.raises(grpc.RpcError) as caught:
            stub.ModelMetadata(ModelMetadataRequest(name="other"), timeout=60)
        assert_named(serving, dict(caught.value.trailing_metadata()))


def test_after_an_upgrade_the_answers_name_the_new_version(lab: Lab) -> None:
    lab.serve()
    lab.register("2")
    lab.deploy(version="2")
    lab.await_reason("Serving")
    lab.await_pods(1)
    with lab.tools.forward("svc/churn", 80) as port:
        assert_named(lab, requests.get(f"http://127.0.0.1:{port}/v2/models/churn", timeout=60).headers, version="2")
