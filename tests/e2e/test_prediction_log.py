"""The prediction log as its users meet it: the example's stream, its truths, one person's erasure; and what a crash or an outage costs."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import pytest
import requests
from mlserver.grpc.dataplane_pb2 import ModelInferRequest
from mlserver.grpc.dataplane_pb2_grpc import GRPCInferenceServiceStub

from tests.e2e.lab import PLATFORM, POD_SECONDS, ROOT, Lab, failing
from tests.wait import until

EXAMPLE = ROOT / "examples/prediction-log"
SECONDS = 60
INFER = "/v2/models/churn/infer"
CUSTOMERS = 20
FIRST = 1000
ROLES = ("slipway-data-scientist", "slipway-privacy-officer")


@dataclass(frozen=True)
class Log:
    """The example, serving, and somebody who may read what it answered."""

    lab: Lab
    token: str
    folder: Path

    def row(self, prediction: str) -> dict[str, Any] | None:
        """What `trace` says that the log has of an answer; None: not yet."""
        found = self.lab.tools.slipway("trace", prediction, "--deployment", "churn", "--token", self.token, "-o", "json")
        answer: dict[str, Any] = json.loads(found)["prediction"]
        return answer if answer["rows"] else None

    def await_row(self, prediction: str) -> dict[str, Any]:
        return until(lambda: self.row(prediction), SECONDS, f"a row of {prediction}", every=0.5) or {}

    def await_once(self, predictions: Iterable[str]) -> None:
        """Each of them comes, as one row; asked at the collector itself, since each command of the plugin takes a second."""
        headers = {"Authorization": f"Bearer {self.token}"}
        query = {"namespace": self.lab.namespace, "deployment": "churn"}
        with self.lab.tools.forward("svc/slipway-collector", 8080, PLATFORM) as port, requests.Session() as session:

            def rows(prediction: str) -> list[Any]:
                answer = session.get(f"http://127.0.0.1:{port}/v1/predictions/{prediction}", params=query, headers=headers, timeout=SECONDS)
                found: list[Any] = answer.json().get("predictions", [])
                return found

            for prediction in predictions:
                found = until(partial(rows, prediction), SECONDS, f"a row of {prediction}", every=0.3)
                assert len(found) == 1

    def slipway(self, *arguments: str) -> str:
        return self.lab.tools.slipway(*arguments, "--token", self.token)


@pytest.fixture(scope="module")
def log(module_lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Log:
    lab, folder = module_lab, tmp_path_factory.mktemp("log")
    subprocess.run([sys.executable, EXAMPLE / "train.py", folder / "1"], check=True)
    lab.tools.kubectl("apply", "-f", str(EXAMPLE / "model.yaml"))
    lab.tools.slipway("push", str(folder / "1"), "--model", "churn", "--version", "1")
    lab.tools.kubectl("apply", "-f", str(EXAMPLE / "deployment.yaml"))
    lab.await_reason("Serving")
    lab.tools.kubectl("create", "serviceaccount", "analyst")
    for role in ROLES:
        lab.tools.kubectl("create", "rolebinding", role, f"--clusterrole={role}", f"--serviceaccount={lab.namespace}:analyst")
    return Log(lab, lab.tools.kubectl("create", "token", "analyst").strip(), folder)


@pytest.fixture
def url(log: Log) -> Iterator[str]:
    with log.lab.tools.forward("svc/churn", 80) as port:
        yield f"http://127.0.0.1:{port}"


def body(number: int) -> dict[str, Any]:
    sys.path.insert(0, str(EXAMPLE))
    try:
        from customers import customer  # type: ignore[import-not-found]
        from stream import request  # type: ignore[import-not-found]
    finally:
        sys.path.remove(str(EXAMPLE))
    found: dict[str, Any] = request(customer(number))
    return found


def test_a_stream_its_truths_and_an_erasure(log: Log, url: str) -> None:
    truths = log.folder / "truths.csv"
    subprocess.run([sys.executable, EXAMPLE / "stream.py", url, "--customers", str(CUSTOMERS), "--truths", truths], check=True)
    with truths.open() as file:
        asked = list(csv.DictReader(file))
    first, second = asked[0], asked[1]
    (row,) = log.await_row(first["prediction_id"])["rows"]
    sent = {tensor["name"]: tensor["data"][0] for tensor in body(FIRST)["inputs"]}
    assert {name: row[f"in_{name}"] for name in sent if name != "customer_id"} == {k: v for k, v in sent.items() if k != "customer_id"}
    assert (row["key_customer_id"], row["status"], row["version"], row["protocol"]) == (FIRST, 200, "1", "REST")
    assert row["caller"] == "examples/prediction-log"
    log.await_once(line["prediction_id"] for line in asked)

    pushed = json.loads(log.slipway("actuals", "push", str(truths), "-d", "churn", "--key", "customer_id", "-o", "json"))
    assert pushed == {"accepted": CUSTOMERS, "duplicate": 0, "unmatched": 0, "late": 0}
    again = json.loads(log.slipway("actuals", "push", str(truths), "-d", "churn", "--key", "customer_id", "-o", "json"))
    assert again["duplicate"] == CUSTOMERS
    shown = log.slipway("trace", first["prediction_id"], "--deployment", "churn")
    assert f"predict={first['value']}" in shown

    log.slipway("erase", "churn", "--where", f"customer_id={FIRST}", "--yes")
    assert log.row(first["prediction_id"]) is None
    assert log.row(second["prediction_id"])
    assert "erase" in log.lab.tools.kubectl("describe", "modeldeployment", "churn").lower()


def test_over_grpc_and_what_failed(log: Log, url: str) -> None:
    refused = requests.post(url + INFER, data="{", headers={"x-request-id": "not-json"}, timeout=SECONDS)
    assert refused.status_code == 400
    request = ModelInferRequest(model_name="churn")
    for tensor in body(FIRST + 1)["inputs"]:
        added = request.inputs.add(name=tensor["name"], datatype=tensor["datatype"], shape=[1])
        field = {"INT64": "int64_contents", "FP64": "fp64_contents", "BYTES": "bytes_contents"}[tensor["datatype"]]
        value = tensor["data"][0]
        getattr(added.contents, field).append(value.encode() if isinstance(value, str) else value)
        if tensor.get("parameters"):
            added.parameters["key"].bool_param = True
    with log.lab.tools.forward("svc/churn", 9000) as port, grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        GRPCInferenceServiceStub(channel).ModelInfer(request, metadata=(("x-request-id", "by-grpc"),), timeout=SECONDS)

    (row,) = log.await_row("by-grpc")["rows"]
    assert (row["protocol"], row["status"], row["key_customer_id"]) == ("gRPC", 200, FIRST + 1)
    (failed,) = log.await_row("not-json")["rows"]
    assert (failed["status"], failed["rows"]) == (400, 1)
    assert failed["error"] == refused.json()["error"]


def test_the_way_to_the_table_is_told(log: Log) -> None:
    said = log.lab.tools.slipway("logs-table", "churn")
    for part in ("DuckDB", "Spark", "Trino", f"{log.lab.namespace}/churn/predictions"):
        assert part in said


def test_who_may_not_read(log: Log) -> None:
    log.lab.tools.kubectl("create", "serviceaccount", "stranger")
    token = log.lab.tools.kubectl("create", "token", "stranger").strip()
    said = failing(log.lab.tools.slipway, "erase", "churn", "--where", "customer_id=1", "--yes", "--token", token)
    assert "may not delete predictions.slipway.dev" in said


def test_what_was_answered_arrives_once_though_the_server_is_killed(log: Log) -> None:
    """Durable: each answer that somebody has is in the log, from before the kill and after it."""
    answered: list[str] = []

    def ask_until_it_breaks() -> None:
        with log.lab.tools.forward("svc/churn", 80) as port, requests.Session() as session:
            for number in range(10_000):
                try:
                    answer = session.post(f"http://127.0.0.1:{port}{INFER}", json=body(FIRST + number % 50), timeout=5)
                except requests.RequestException:
                    return
                if answer.status_code == 200:
                    answered.append(answer.headers["x-slipway-prediction-id"])
                if number == 200:
                    kill_server(log.lab)

    before = restarts(log.lab)
    ask_until_it_breaks()
    until(lambda: restarts(log.lab) > before, POD_SECONDS, "the container to be started again", every=0.5)
    assert len(answered) > 200
    log.await_once([*answered[:5], *answered[-50:]])


def test_a_store_that_is_away_costs_no_answer_and_no_row(log: Log) -> None:
    def scale(replicas: int, here: Callable[[dict[str, Any]], bool]) -> None:
        log.lab.tools.kubectl("-n", PLATFORM, "scale", "deployment/slipway-predictions", f"--replicas={replicas}")
        until(lambda: here((log.lab.kube.get("Deployment", PLATFORM, "slipway-predictions") or {})["status"]), POD_SECONDS, "the store")

    log.lab.await_reason("Serving")
    scale(0, lambda status: not status.get("replicas"))
    try:
        with log.lab.tools.forward("svc/churn", 80) as port, requests.Session() as session:
            answers = [
                session.post(f"http://127.0.0.1:{port}{INFER}", json=body(number), timeout=SECONDS) for number in range(FIRST, FIRST + 50)
            ]
        assert {answer.status_code for answer in answers} == {200}
    finally:
        scale(1, lambda status: status.get("readyReplicas") == 1)
    log.await_once(answer.headers["x-slipway-prediction-id"] for answer in answers)


def restarts(lab: Lab) -> int:
    (pod,) = lab.pods()
    return sum(status["restartCount"] for status in pod["status"].get("containerStatuses", []) if status["name"] == "model")


def kill_server(lab: Lab) -> None:
    """From outside its container, as the kernel does it: nobody is asked."""
    (pod,) = lab.pods()
    marks = (f"HOSTNAME={pod['metadata']['name']}".encode(), b"SLIPWAY_CAPTURE=")
    killed = 0
    for folder in Path("/proc").iterdir():
        if not folder.name.isdecimal():
            continue
        try:
            environment = (folder / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if all(any(variable.startswith(mark) for variable in environment) for mark in marks):
            os.kill(int(folder.name), signal.SIGKILL)
            killed += 1
    assert killed, "no process of the pod was found"
