"""What the demo does on the cluster and checks: answers, an upgrade under load, a tampered artifact."""

from __future__ import annotations

import base64
import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import fsspec
import grpc
import joblib
import numpy as np
import yaml
from mlserver.grpc.dataplane_pb2 import InferParameter, ModelInferRequest
from mlserver.grpc.dataplane_pb2_grpc import GRPCInferenceServiceStub
from sklearn.datasets import load_breast_cancer

PLATFORM = "slipway-system"
TOLERANCE = 1e-9
Answers = dict[str, Any]


class Mismatch(Exception):
    """The cluster did not do what it should; the text says what."""


class Tools:
    """kubectl and the plugin, on the demo's cluster and namespace."""

    def __init__(self, root: Path, kubeconfig: Path, namespace: str) -> None:
        self.namespace = namespace
        self.root = root
        binary = subprocess.run(
            [root / ".venv/bin/python", "-c", "from tests.cluster.tools import binary; print(binary('kubectl'))"],
            check=True,
            capture_output=True,
            text=True,
            cwd=root,
        ).stdout.strip()
        self._kubectl = binary
        self._env = os.environ | {"KUBECONFIG": str(kubeconfig), "KUBECTL": binary, "COLUMNS": "160"}

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        where = [] if "-n" in arguments else ["-n", self.namespace]
        return self._run([self._kubectl, *where, *arguments], stdin)

    def slipway(self, *arguments: str) -> str:
        """`kubectl slipway`, as kubectl runs it."""
        where = [] if arguments[0] == "audit" else ["-n", self.namespace]  # the ledger is the whole platform's
        return self._run([str(self.root / ".venv/bin/kubectl-slipway"), *arguments, *where])

    def reset_namespace(self) -> None:
        """A fresh namespace, so that the demo can be run again."""
        self._run([self._kubectl, "delete", "namespace", self.namespace, "--ignore-not-found", "--wait"])
        self._run([self._kubectl, "create", "namespace", self.namespace])

    @contextmanager
    def forward(self, target: str, port: int, namespace: str = "") -> Iterator[int]:
        """A local port that leads to a Service's port."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            local = listener.getsockname()[1]
        command = [self._kubectl, "-n", namespace or self.namespace, "port-forward", target, f"{local}:{port}"]
        child = subprocess.Popen(command, env=self._env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            assert child.stdout is not None
            if "Forwarding" not in child.stdout.readline():
                raise Mismatch(f"kubectl port-forward {target} did not start")
            yield local
        finally:
            child.terminate()
            child.wait()

    def _run(self, command: list[str], stdin: str | None = None) -> str:
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=self._env, input=stdin)
        return done.stdout or done.stderr


def compare_answers(tools: Tools, name: str, model_file: Path, version: str) -> str:
    """Sends every row over REST and gRPC; raises Mismatch when an answer differs from the local model's."""
    rows = load_breast_cancer().data
    model = joblib.load(model_file)
    wanted = {"predict": model.predict(rows), "predict_proba": model.predict_proba(rows)}
    answers = {"REST": _over_rest(tools, name, rows), "gRPC": _over_grpc(tools, name, rows)}
    for protocol, (served, got) in answers.items():
        if served != version:
            raise Mismatch(f"{protocol}: version {served} answered, not {version}")
        for output, expected in wanted.items():
            if not np.allclose(got[output].reshape(expected.shape), expected, atol=TOLERANCE, rtol=0):
                raise Mismatch(f"{protocol}: {output} differs from the local model's")
    return f"{len(rows)} of {len(rows)} rows equal over REST and gRPC (labels and probabilities), answered by version {version}"


def _over_rest(tools: Tools, name: str, rows: np.ndarray) -> tuple[str, Answers]:
    file = tools.root / "build/quickstart/rows.json"
    file.write_text(json.dumps(rows.tolist()))
    answer = json.loads(tools.slipway("predict", name, "-f", str(file), "-o", "json"))
    return answer["model_version"], {output["name"]: np.array(output["data"]) for output in answer["outputs"]}


def _over_grpc(tools: Tools, name: str, rows: np.ndarray) -> tuple[str, Answers]:
    request = ModelInferRequest(model_name=name)
    tensor = request.inputs.add(name="input", datatype="FP64", shape=rows.shape)
    tensor.contents.fp64_contents.extend(rows.ravel().tolist())
    tensor.parameters["content_type"].CopyFrom(InferParameter(string_param="np"))
    with tools.forward(f"svc/{name}", 9000) as port, grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        answer = GRPCInferenceServiceStub(channel).ModelInfer(request, timeout=60)
    return answer.model_version, {output.name: _values(output, index, answer) for index, output in enumerate(answer.outputs)}


def _values(output: Any, index: int, answer: Any) -> np.ndarray:
    """A gRPC output's numbers, from wherever the server put them."""
    if answer.raw_output_contents:
        kind = {"FP64": np.float64, "INT64": np.int64}[output.datatype]
        return np.frombuffer(answer.raw_output_contents[index], kind)
    return np.array([*output.contents.fp64_contents, *output.contents.int64_contents, *output.contents.int_contents])


def upgrade_under_load(tools: Tools, name: str, model: Path, here: Path) -> dict[str, Any]:
    """Pushes version 2 and rolls it out while callers inside the cluster go on; returns what they saw."""
    start_load(tools, name, here)
    _until(lambda: _tally(tools)["ok"] > 50, 60, "the load to run")
    tools.slipway("push", str(model), "--model", name, "--version", "2")
    change = json.dumps({"spec": {"version": "2"}})
    tools.kubectl("patch", "modeldeployment", name, "--type=merge", "-p", change)
    tools.kubectl("wait", f"modeldeployment/{name}", "--for=jsonpath={.status.version}=2", "--timeout=180s")
    tools.kubectl("wait", f"modeldeployment/{name}", "--for=condition=Ready", "--timeout=180s")
    seen = _tally(tools)["versions"].get("2", 0)
    _until(lambda: _tally(tools)["versions"].get("2", 0) > seen + 100, 60, "version 2 to answer the load")
    tools.kubectl("exec", "load", "--", "touch", "/tmp/stop")
    _until(lambda: "FINAL" in tools.kubectl("logs", "load"), 30, "the load to end")
    tally = _tally(tools)
    tools.kubectl("delete", "pod", "load", "--wait=false")
    return tally


def start_load(tools: Tools, name: str, here: Path) -> None:
    """A pod that calls the model's Service, with the runtime image (it has aiohttp)."""
    image = json.loads(tools.kubectl("get", "deployment", name, "-o", "json"))["spec"]["template"]["spec"]["containers"][0]["image"]
    row = load_breast_cancer().data[0].tolist()
    url = f"http://{name}.{tools.namespace}/v2/models/{name}/infer"
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "load"},
        "spec": {
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 0,
            "containers": [
                {
                    "name": "load",
                    "image": image,
                    "command": ["python3", "-c", (here / "load.py").read_text()],
                    "env": [{"name": "URL", "value": url}, {"name": "ROW", "value": json.dumps(row)}],
                }
            ],
        },
    }
    tools.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(pod))
    tools.kubectl("wait", "pod/load", "--for=condition=Ready", "--timeout=60s")


def _tally(tools: Tools) -> dict[str, Any]:
    lines = tools.kubectl("logs", "load", "--tail=1").splitlines()
    empty = {"ok": 0, "versions": {}, "failed": 0, "failures": {}}
    tally: dict[str, Any] = json.loads(lines[-1].removeprefix("FINAL ")) if lines else empty
    return tally


def tampered_is_refused(tools: Tools, name: str, model: Path) -> str:
    """Pushes a version, changes one byte in the store behind its back, deploys it: it must stall, and the first model go on."""
    tools.slipway("push", str(model), "--model", name, "--version", "3")
    tamper(tools, f"slipway-models/{tools.namespace}/{name}/3/model.joblib")
    deployment = {
        "apiVersion": "slipway.dev/v1alpha1",
        "kind": "ModelDeployment",
        "metadata": {"name": "tampered"},
        "spec": {"model": name, "version": "3"},
    }
    tools.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(deployment))
    tools.kubectl("wait", "modeldeployment/tampered", "--for=condition=Stalled", "--timeout=120s")
    conditions = json.loads(tools.kubectl("get", "modeldeployment", "tampered", "-o", "json"))["status"]["conditions"]
    stalled = next(condition for condition in conditions if condition["type"] == "Stalled")
    if stalled["reason"] != "DigestMismatch":
        raise Mismatch(f"the tampered artifact stalled with {stalled['reason']}: {stalled['message']}")
    return f"Stalled/{stalled['reason']}: {stalled['message']}"


def tamper(tools: Tools, key: str) -> None:
    """Flips a byte of an object in the embedded store."""
    with object_store(tools) as store:
        content = bytearray(store.cat_file(key))
        content[len(content) // 2] ^= 1
        store.pipe_file(key, bytes(content))


def forget_artifacts(tools: Tools) -> None:
    """Removes what an earlier demo pushed: a version's bytes are never overwritten, and the tampered one would be in the way."""
    with object_store(tools) as store:
        folder = f"slipway-models/{tools.namespace}"
        if store.exists(folder):
            store.rm(folder, recursive=True)


@contextmanager
def object_store(tools: Tools) -> Iterator[Any]:
    """The embedded store, with the platform's own credentials."""
    secret = json.loads(tools.kubectl("get", "secret", "slipway-object-store", "-n", PLATFORM, "-o", "json"))["data"]
    value = {name: base64.b64decode(text).decode() for name, text in secret.items()}
    with tools.forward("svc/slipway-object-store", 9000, PLATFORM) as port:
        yield fsspec.filesystem(
            "s3",
            key=value["AWS_ACCESS_KEY_ID"],
            secret=value["AWS_SECRET_ACCESS_KEY"],
            client_kwargs={"endpoint_url": f"http://127.0.0.1:{port}", "region_name": value["AWS_REGION"]},
            config_kwargs={"s3": {"addressing_style": "path"}},
            skip_instance_cache=True,
        )


def _until(condition: Any, seconds: float, what: str) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise Mismatch(f"waited {seconds:.0f} s for {what}")
        time.sleep(0.2)
