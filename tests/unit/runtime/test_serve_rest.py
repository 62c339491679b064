"""A running `slipway-serve` over REST."""

from __future__ import annotations

import gzip
import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import requests
import tritonclient.http as triton  # type: ignore[import-untyped]

from tests.unit.runtime.models import churn_frame, churn_model
from tests.unit.runtime.servers import Answer, ServerProcess

COLUMNS = [
    {"name": "plan", "shape": [2], "datatype": "BYTES", "data": ["gold", "free"]},
    {"name": "age", "shape": [2, 1], "datatype": "INT64", "data": [[20], [70]]},
    {"name": "spend", "shape": [2], "datatype": "FP64", "data": [10, 90.5]},
]
INFER = "/v2/models/churn/infer"


def error(answer: Answer) -> str:
    assert answer.headers["content-type"] == "application/json"
    assert list(answer.json) == ["error"]
    text: str = answer.json["error"]
    return text


def body(inputs: Any = COLUMNS) -> bytes:
    return json.dumps({"inputs": inputs}).encode()


@pytest.mark.parametrize("path", [INFER, "/v2/models/churn/versions/3/infer"])
def test_a_prediction(path: str, churn: ServerProcess) -> None:
    answer = churn.call("POST", path, body())
    assert answer.status == 200
    assert (answer.json["model_name"], answer.json["model_version"]) == ("churn", "3")
    labels, probabilities = answer.json["outputs"]
    assert labels == {"name": "predict", "shape": [2], "datatype": "BYTES", "data": ["stay", "leave"]}
    assert probabilities["shape"] == [2, 2]
    frame = churn_frame(2)[0].assign(plan=["gold", "free"], age=[20, 70], spend=[10, 90.5])
    assert np.allclose(probabilities["data"], churn_model().predict_proba(frame).ravel())


def test_the_id_is_the_callers_or_made(churn: ServerProcess) -> None:
    assert churn.infer(COLUMNS, id="mine").json["id"] == "mine"
    assert len(churn.infer(COLUMNS).json["id"]) == 36


def test_wanted_outputs(churn: ServerProcess) -> None:
    answer = churn.infer(COLUMNS, outputs=[{"name": "predict_proba"}])
    assert [output["name"] for output in answer.json["outputs"]] == ["predict_proba"]


def test_a_compressed_body(churn: ServerProcess) -> None:
    assert churn.call("POST", INFER, gzip.compress(body()), Content_Encoding="gzip").status == 200


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "the body is not JSON"),
        (body([]), "inputs must be a list of objects, with at least one"),
        (body(COLUMNS[:2]), "the columns are not the model's (missing: spend)"),
        (body([*COLUMNS, COLUMNS[0] | {"name": "x"}]), "(unknown: x)"),
        (body([COLUMNS[0] | {"datatype": "FP64"}]), "its data holds a value that is not FP64"),
        (
            body([{"name": "x", "shape": [1, 2], "datatype": "FP64", "data": [1, 2]}]),
            "this model takes [n, 3], or one tensor a column: age",
        ),
        (body([COLUMNS[0] | {"data": ["gold", "platinum"]}, *COLUMNS[1:]]), "ValueError: Found unknown categories ['platinum']"),
    ],
)
def test_the_callers_faults(content: bytes, message: str, churn: ServerProcess) -> None:
    answer = churn.call("POST", INFER, content)
    assert answer.status == 400
    assert message in error(answer)


@pytest.mark.parametrize(
    ("method", "path", "status", "message"),
    [
        ("POST", "/v2/models/other/infer", 404, "Model other not found"),
        ("POST", "/v2/models/churn/versions/2/infer", 404, "Model churn with version 2 not found"),
        ("GET", "/v2/models/other", 404, "Model other not found"),
        ("GET", "/v2/models/other/ready", 404, "Model other not found"),
        ("GET", "/nowhere", 404, "Not Found"),
        ("GET", INFER, 405, "Method Not Allowed"),
        ("DELETE", "/v2/models/churn", 405, "Method Not Allowed"),
        ("POST", "/v2/repository/index", 403, "models are loaded and unloaded by their ModelDeployment"),
        ("POST", "/v2/repository/models/churn/load", 403, "models are loaded and unloaded by their ModelDeployment"),
        ("POST", "/v2/repository/models/churn/unload", 403, "models are loaded and unloaded by their ModelDeployment"),
        ("POST", "/v2/models/churn/infer_stream", 501, "this model does not stream"),
        ("POST", "/v2/models/churn/versions/3/generate", 501, "this model does not stream"),
    ],
)
def test_what_is_not_here(method: str, path: str, status: int, message: str, churn: ServerProcess) -> None:
    answer = churn.call(method, path, body() if method == "POST" else None)
    assert answer.status == status
    assert message in error(answer)
    assert churn.is_ready()


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_over_the_limit(chunked: bool, churn: ServerProcess) -> None:
    content = b" " * 200_001
    url = f"http://127.0.0.1:{churn.http_port}{INFER}"
    answer = requests.post(url, data=iter([content]) if chunked else content, timeout=30)
    assert answer.status_code == 413
    assert answer.json() == {"error": "the body is larger than 200000 bytes: send fewer rows a request"}


def test_a_compressed_body_over_the_limit(churn: ServerProcess) -> None:
    answer = churn.call("POST", INFER, gzip.compress(b" " * 10_000_000), Content_Encoding="gzip")
    assert answer.status == 413
    assert "larger than 200000 bytes" in error(answer)


def test_health_and_metadata(churn: ServerProcess) -> None:
    for path in ("/v2/health/live", "/v2/health/ready", "/v2/models/churn/ready", "/v2/models/churn/versions/3/ready"):
        assert churn.call("GET", path).status == 200
    assert churn.call("GET", "/v2").json == {"name": "slipway", "version": "0.1.0", "extensions": ["binary_tensor_data"]}
    metadata = churn.call("GET", "/v2/models/churn").json
    assert metadata["versions"] == ["3"]
    assert metadata["platform"] == "sklearn"
    assert metadata["parameters"] == {"digest": "sha256:" + "0" * 64}
    assert metadata["inputs"][1] == {"name": "plan", "datatype": "BYTES", "shape": [-1]}
    assert metadata["outputs"][1]["parameters"] == {"classes": ["leave", "stay"]}


def test_metrics_carry_model_and_version(churn: ServerProcess) -> None:
    def value(name: str) -> float:
        text = requests.get(f"http://127.0.0.1:{churn.metrics_port}/metrics", timeout=30).text
        return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(name))

    success = 'model_infer_request_success_total{model="churn",version="3"}'
    failure = 'model_infer_request_failure_total{code="400",model="churn",version="3"}'
    bucket = 'model_infer_request_duration_bucket{le="+Inf",model="churn",version="3"}'
    before = value(success), value(failure), value(bucket)
    churn.infer(COLUMNS)
    churn.infer(COLUMNS[:1])
    churn.call("POST", "/v2/models/unheard-of/infer", body())
    assert (value(success), value(failure), value(bucket)) == (before[0] + 1, before[1] + 1, before[2] + 2)
    assert value('model_infer_request_success_total{model="unheard-of"') == 0


@pytest.mark.parametrize("binary", [True, False])
def test_tritons_client(binary: bool, churn: ServerProcess) -> None:
    client = triton.InferenceServerClient(f"127.0.0.1:{churn.http_port}")
    values = {"plan": np.array(["gold", "free"], dtype=object), "age": np.array([20.0, 70.0]), "spend": np.array([10, 90.5])}
    inputs = [triton.InferInput(name, [2], "BYTES" if name == "plan" else "FP64") for name in values]
    for one in inputs:
        one.set_data_from_numpy(values[one.name()], binary_data=binary)
    outputs = [triton.InferRequestedOutput(name, binary_data=binary) for name in ("predict", "predict_proba")]
    for wanted in (outputs, None):
        result = client.infer("churn", inputs, outputs=wanted, request_compression_algorithm="gzip")
        assert [str(label, "utf-8") if isinstance(label, bytes) else label for label in result.as_numpy("predict")] == ["stay", "leave"]
        assert result.as_numpy("predict_proba").shape == (2, 2)
    assert client.is_model_ready("churn")
    assert client.get_model_metadata("churn")["name"] == "churn"
    client.close()


def test_a_broken_binary_body(churn: ServerProcess) -> None:
    answer = churn.call("POST", INFER, body(), Inference_Header_Content_Length="1000000")
    assert answer.status == 400
    assert "Inference-Header-Content-Length is '1000000'" in error(answer)


def moody_input(value: float) -> list[dict[str, Any]]:
    return [{"name": "mood", "shape": [1, 1], "datatype": "FP64", "data": [value]}]


def test_the_models_exception_is_a_500_with_its_last_line(moody: ServerProcess) -> None:
    answer = moody.infer(moody_input(-1))
    assert answer.status == 500
    assert error(answer) == "RuntimeError: the model is in a bad mood"
    assert "in _prepare" not in answer.body.decode()
    assert "models.py" in moody.log


def test_slow_predictions_delay_neither_probes_nor_other_calls(moody: ServerProcess) -> None:
    seconds = 2.0
    began = time.monotonic()
    with ThreadPoolExecutor(6) as threads:
        slow = [threads.submit(moody.infer, moody_input(seconds)) for _ in range(6)]
        probes = 0
        while not all(call.done() for call in slow):
            assert moody.call("GET", "/v2/health/live").status == 200
            assert moody.call("GET", "/v2/models/churn/ready").status == 200
            assert moody.infer(moody_input(0)).json["outputs"][0]["data"] == [0.0]
            probes += 1
    assert [call.result().status for call in slow] == [200] * 6
    assert probes >= 10
    assert time.monotonic() - began < 3 * seconds
