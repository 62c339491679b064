"""A running `slipway-serve` over gRPC, called with MLServer's own stubs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import grpc
import numpy as np
import pytest
from mlserver.grpc import dataplane_pb2 as pb
from mlserver.grpc.dataplane_pb2_grpc import GRPCInferenceServiceStub

from tests.unit.runtime.servers import ServerProcess

Stub = Any


@pytest.fixture
def stub(churn: ServerProcess) -> Iterator[Stub]:
    with grpc.insecure_channel(f"127.0.0.1:{churn.grpc_port}") as channel:
        yield GRPCInferenceServiceStub(channel)


@pytest.fixture
def moody_stub(moody: ServerProcess) -> Iterator[Stub]:
    with grpc.insecure_channel(f"127.0.0.1:{moody.grpc_port}") as channel:
        yield GRPCInferenceServiceStub(channel)


def request(**changes: Any) -> Any:
    message = pb.ModelInferRequest(model_name="churn", id="42")
    columns = {
        "age": ("FP64", {"fp64_contents": [20, 70]}),
        "plan": ("BYTES", {"bytes_contents": [b"gold", b"free"]}),
        "spend": ("FP32", {"fp32_contents": [10, 90.5]}),
    } | changes
    for name, (datatype, contents) in columns.items():
        message.inputs.add(name=name, datatype=datatype, shape=[2], contents=pb.InferTensorContents(**contents))
    return message


def refusal(call: Callable[[], object]) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.RpcError) as caught:
        call()
    return caught.value.code(), caught.value.details()


def test_a_prediction(stub: Stub) -> None:
    answer = stub.ModelInfer(request())
    assert (answer.model_name, answer.model_version, answer.id) == ("churn", "3", "42")
    labels, probabilities = answer.outputs
    assert (labels.name, labels.datatype, list(labels.shape)) == ("predict", "BYTES", [2])
    assert list(labels.contents.bytes_contents) == [b"stay", b"leave"]
    assert (probabilities.name, list(probabilities.shape)) == ("predict_proba", [2, 2])
    assert sum(probabilities.contents.fp64_contents) == pytest.approx(2)


def test_raw_contents_are_answered_raw(stub: Stub) -> None:
    message = pb.ModelInferRequest(model_name="churn")
    message.outputs.add(name="predict_proba")
    message.outputs.add(name="predict")
    for name, datatype, raw in (
        ("age", "FP16", np.array([20, 70], np.float16).tobytes()),
        ("plan", "BYTES", b"\4\0\0\0gold\4\0\0\0free"),
        ("spend", "INT64", np.array([10, 90]).tobytes()),
    ):
        message.inputs.add(name=name, datatype=datatype, shape=[2])
        message.raw_input_contents.append(raw)
    answer = stub.ModelInfer(message)
    assert [output.name for output in answer.outputs] == ["predict_proba", "predict"]
    assert np.frombuffer(answer.raw_output_contents[0]).reshape(2, 2).sum() == pytest.approx(2)
    assert answer.raw_output_contents[1] == b"\4\0\0\0stay\5\0\0\0leave"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"spend": ("FP64", {"fp64_contents": [1]})}, "input 'spend': shape [2] holds 2 values, got 1"),
        ({"spend": ("FP64", {"fp32_contents": [1, 2]})}, "input 'spend': FP64 belongs into contents.fp64_contents"),
        ({"spend": ("FP16", {})}, "input 'spend': send FP16 in raw_input_contents"),
        ({"spend": ("FLOAT", {})}, "'FLOAT' is not a datatype"),
        ({"spend": ("INT8", {"int_contents": [1, 300]})}, "its data holds a value that is not INT8"),
        ({"plan": ("BYTES", {"bytes_contents": [b"\xff", b"x"]})}, "input 'plan': its BYTES are not UTF-8 text"),
        ({"plan": ("BYTES", {"bytes_contents": [b"gold", b"platinum"]})}, "ValueError: Found unknown categories"),
        ({"extra": ("BOOL", {"bool_contents": [True, False]})}, "the columns are not the model's (unknown: extra)"),
    ],
)
def test_the_callers_faults(changes: dict[str, Any], message: str, stub: Stub) -> None:
    code, details = refusal(lambda: stub.ModelInfer(request(**changes)))
    assert code == grpc.StatusCode.INVALID_ARGUMENT
    assert message in details


def test_raw_contents_that_do_not_fit(stub: Stub) -> None:
    message = request()
    message.raw_input_contents.append(b"\0" * 16)
    code, details = refusal(lambda: stub.ModelInfer(message))
    assert (code, details) == (grpc.StatusCode.INVALID_ARGUMENT, "3 inputs have 1 raw_input_contents: send one for each")


def test_a_negative_dimension(stub: Stub) -> None:
    message = request()
    message.inputs[0].shape[0] = -1
    assert refusal(lambda: stub.ModelInfer(message))[0] == grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize(
    ("name", "version", "details"), [("other", "", "Model other not found"), ("churn", "2", "Model churn with version 2 not found")]
)
def test_an_unknown_model(name: str, version: str, details: str, stub: Stub) -> None:
    calls: list[Callable[[], object]] = [
        lambda: stub.ModelInfer(pb.ModelInferRequest(model_name=name, model_version=version)),
        lambda: stub.ModelReady(pb.ModelReadyRequest(name=name, version=version)),
        lambda: stub.ModelMetadata(pb.ModelMetadataRequest(name=name, version=version)),
    ]
    for call in calls:
        assert refusal(call) == (grpc.StatusCode.NOT_FOUND, details)


def test_the_repository_is_refused(stub: Stub) -> None:
    for call in (
        lambda: stub.RepositoryIndex(pb.RepositoryIndexRequest()),
        lambda: stub.RepositoryModelLoad(pb.RepositoryModelLoadRequest(model_name="churn")),
        lambda: stub.RepositoryModelUnload(pb.RepositoryModelUnloadRequest(model_name="churn")),
    ):
        code, details = refusal(call)
        assert code == grpc.StatusCode.PERMISSION_DENIED
        assert details.startswith("models are loaded and unloaded by their ModelDeployment")
    assert stub.ModelReady(pb.ModelReadyRequest(name="churn")).ready


def test_streams_are_not_offered(stub: Stub) -> None:
    code, details = refusal(lambda: list(stub.ModelStreamInfer(iter([request()]))))
    assert (code, details) == (grpc.StatusCode.UNIMPLEMENTED, "this model does not stream: call ModelInfer")


def test_health_and_metadata(stub: Stub) -> None:
    assert stub.ServerLive(pb.ServerLiveRequest()).live
    assert stub.ServerReady(pb.ServerReadyRequest()).ready
    assert stub.ModelReady(pb.ModelReadyRequest(name="churn", version="3")).ready
    assert stub.ServerMetadata(pb.ServerMetadataRequest()).name == "slipway"
    metadata = stub.ModelMetadata(pb.ModelMetadataRequest(name="churn"))
    assert list(metadata.versions) == ["3"]
    assert [(one.name, one.datatype, list(one.shape)) for one in metadata.inputs] == [
        ("age", "FP64", [-1]),
        ("plan", "BYTES", [-1]),
        ("spend", "FP64", [-1]),
    ]


def test_a_message_over_the_limit(stub: Stub) -> None:
    message = request(plan=("BYTES", {"bytes_contents": [b"x" * 200_000, b"y"]}))
    assert refusal(lambda: stub.ModelInfer(message))[0] == grpc.StatusCode.RESOURCE_EXHAUSTED


def test_the_models_exception(moody_stub: Stub) -> None:
    message = pb.ModelInferRequest(model_name="churn")
    message.inputs.add(name="mood", datatype="FP64", shape=[1, 1], contents=pb.InferTensorContents(fp64_contents=[-1]))
    assert refusal(lambda: moody_stub.ModelInfer(message)) == (grpc.StatusCode.INTERNAL, "RuntimeError: the model is in a bad mood")
