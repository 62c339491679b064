"""What the end-to-end tests do on the cluster: a namespace with a model that was pushed once, and questions about it."""

from __future__ import annotations

import copy
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from examples.quickstart.checks import Tools, start_load
from sklearn.datasets import load_breast_cancer

from tests.integration.samples import API, deployment, model
from tests.kube import Kube, Manifest
from tests.wait import until

ROOT = Path(__file__).parents[2]
QUICKSTART = ROOT / "examples/quickstart"
PLATFORM = "slipway-system"
STORE_SECRET = "slipway-artifact-store"
ROWS: list[list[float]] = load_breast_cancer().data[:3].tolist()
POD_SECONDS = 120
"""For a model's pod to come up while others use the two cores as well."""


@dataclass(frozen=True)
class Pushed:
    """Version 1 of `churn` as `kubectl slipway push` registered it, and what it must answer to ROWS."""

    folder: Path
    spec: Manifest
    secret: dict[str, str]
    labels: list[int]

    @property
    def artifact(self) -> Manifest:
        found: Manifest = self.spec["artifact"]
        return found


@dataclass(frozen=True)
class Lab:
    """One namespace, with hands on it."""

    kube: Kube
    tools: Tools
    namespace: str
    pushed: Pushed

    @classmethod
    def of(cls, kube: Kube, tools: Tools, namespace: str, pushed: Pushed) -> Lab:
        return cls(kube, at(tools, namespace), namespace, pushed)

    # what is asked for

    def register(self, version: str = "1", **spec: Any) -> None:
        """Model `churn` and a version of it: the pushed one, with the given fields changed; None leaves a field out."""
        self.kube.apply(model(self.namespace))
        self.secret(STORE_SECRET, self.pushed.secret)
        whole = {key: self.pushed.spec[key] for key in ("format", "artifact")} | {"model": "churn", "version": version} | spec
        self.kube.apply(
            {
                "apiVersion": API,
                "kind": "ModelVersion",
                "metadata": {"name": f"churn-{version}", "namespace": self.namespace},
                "spec": {key: value for key, value in whole.items() if value is not None},
            }
        )

    def secret(self, name: str, data: dict[str, str]) -> None:
        """`data` in base64, as the apiserver gives it."""
        self.kube.apply(
            {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": self.namespace}, "type": "Opaque", "data": data}
        )

    def deploy(self, name: str = "churn", **spec: Any) -> None:
        self.kube.apply(deployment(self.namespace, name, **({"version": "1"} | spec)))

    def serve(self, name: str = "churn", **spec: Any) -> None:
        """The pushed version, deployed and ready."""
        self.register()
        self.deploy(name, **spec)
        self.await_reason("Serving", name)

    # what became of it

    def condition(self, kind: str, name: str = "churn") -> Manifest | None:
        return self.kube.condition(name, self.namespace, kind)

    def await_reason(self, reason: str, name: str = "churn", kind: str = "Ready") -> Manifest:
        """The condition, once it has that reason for the present generation."""

        def there() -> Manifest | None:
            found = self.condition(kind, name)
            return found if found and found["reason"] == reason else None

        try:
            return until(there, POD_SECONDS, f"{kind} of {name} with reason {reason}", every=0.3) or {}
        except AssertionError as error:
            raise AssertionError(f"{error}; it is {self.status(name).get('conditions')}") from None

    def status(self, name: str = "churn") -> Manifest:
        found: Manifest = (self.kube.get("ModelDeployment", self.namespace, name) or {}).get("status", {})
        return found

    def pods(self, name: str = "churn") -> list[Manifest]:
        """The deployment's pods that are not on their way out."""
        found = self.kube.list("Pod", self.namespace, labelSelector=f"slipway.dev/deployment={name}")
        return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]

    def ready_pods(self, name: str = "churn") -> list[str]:
        return [pod["metadata"]["name"] for pod in self.pods(name) if is_ready(pod)]

    def await_pods(self, count: int, name: str = "churn") -> list[str]:
        """The names of the ready pods, once they are `count` and no other is there."""

        def there() -> list[str]:
            ready = self.ready_pods(name)
            return ready if len(ready) == count == len(self.pods(name)) else []

        return until(there, POD_SECONDS, f"{count} ready pods of {name}", every=0.3)

    def predict(self, name: str = "churn", rows: list[list[float]] | None = None) -> Manifest:
        """The model's reply to `kubectl slipway predict`."""
        file = self.pushed.folder.parent / "rows.json"
        file.write_text(json.dumps(rows or ROWS))
        answer: Manifest = json.loads(self.tools.slipway("predict", name, "-f", str(file), "-o", "json"))
        return answer

    def assert_answers(self, version: str = "1", name: str = "churn") -> None:
        """The pushed model's own labels for ROWS, from that version."""
        answer = self.predict(name)
        assert answer["model_version"] == version
        assert {output["name"]: output["data"] for output in answer["outputs"]}["predict"] == self.pushed.labels

    # a load

    def start_load(self, name: str = "churn") -> None:
        """The demo's callers, in a pod called `load`."""
        start_load(self.tools, name, QUICKSTART)
        self.await_more_answers()

    def await_more_answers(self, more: int = 50) -> None:
        before = self.tally()["ok"]
        until(lambda: self.tally()["ok"] > before + more, 60, f"{more} more answers under load", every=0.3)

    def stop_load(self) -> Manifest:
        """What the callers saw."""
        self.tools.kubectl("exec", "load", "--", "touch", "/tmp/stop")
        until(lambda: "FINAL" in self.tools.kubectl("logs", "load", "--tail=1"), 30, "the load to end", every=0.3)
        return self.tally()

    def tally(self) -> Manifest:
        lines = self.tools.kubectl("logs", "load", "--tail=1").splitlines()
        found: Manifest = json.loads(lines[-1].removeprefix("FINAL ")) if lines else {"ok": 0, "failed": 0, "failures": {}}
        return found


def at(tools: Tools, namespace: str) -> Tools:
    """The same programs, on another namespace."""
    there = copy.copy(tools)
    there.namespace = namespace
    return there


def is_ready(pod: Manifest) -> bool:
    return any(c["type"] == "Ready" and c["status"] == "True" for c in pod.get("status", {}).get("conditions", []))


def assert_readable(message: str, *parts: str) -> None:
    """One line for a person, that says each of the parts."""
    assert message.strip() == message
    assert 10 < len(message) <= 500
    assert "\n" not in message
    for noise in ("Traceback", '{"', "\x1b", " object at 0x"):
        assert noise not in message, message
    for part in parts:
        assert part in message, message


def failing(command: Any, *arguments: str) -> str:
    """What a command that must fail said on stderr."""
    try:
        said = command(*arguments)
    except subprocess.CalledProcessError as error:
        return str(error.stderr)
    raise AssertionError(f"{arguments} did not fail: {said}")


def helper_pod(namespace: str, name: str, image: str, program: str, **spec: Any) -> Manifest:
    """A pod that runs a Python program: a server of files, a filler of volumes."""
    mounts = spec.pop("mounts", {})
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": {"app": name}},
        "spec": {
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 0,
            "automountServiceAccountToken": False,
            "containers": [
                {
                    "name": name,
                    "image": image,
                    "command": ["python3", "-c", program],
                    "volumeMounts": [{"name": volume, "mountPath": path} for volume, path in mounts.items()],
                }
                | spec.pop("container", {})
            ],
        }
        | spec,
    }
