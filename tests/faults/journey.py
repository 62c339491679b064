"""One life of a ModelDeployment, step by step: create, upgrade, failed fetch, recovery, scale, delete. The test acts as kubelet."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.faults.state import CHILDREN, difference, snapshot
from tests.integration.samples import deployment, model, version
from tests.kube import Kube, Manifest, Refusal
from tests.wait import until

STEP_SECONDS = 90


@dataclass(frozen=True)
class Step:
    """Something the user or the cluster does, and how one sees that all that follows from it has happened."""

    name: str
    act: Callable[[Kube, str], None]
    reached: Callable[[Kube, str], bool]


def run(kube: Kube, namespace: str, expected: dict[str, Any] | None = None) -> dict[str, Any]:
    """The whole journey; returns what each step ended in, without what differs from run to run.

    With `expected`, what another run returned, each step takes until its state is that one.
    """
    states = {}
    for step in JOURNEY:
        step.act(kube, namespace)

        def arrived(step: Step = step) -> bool:
            if step.name != "delete":
                be_kubelet(kube, namespace)
            return step.reached(kube, namespace)

        until(arrived, STEP_SECONDS, f"step {step.name} in {namespace}")
        states[step.name] = snapshot(kube, namespace) if expected is None else _equal(kube, namespace, step.name, expected[step.name])
    return states


def _equal(kube: Kube, namespace: str, step: str, expected: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}

    def same() -> bool:
        found.clear()
        found.update(snapshot(kube, namespace))
        return found == expected

    try:
        until(same, STEP_SECONDS, step)
    except AssertionError:
        raise AssertionError(f"step {step} in {namespace}: {difference(expected, found)}") from None
    return found


def be_kubelet(kube: Kube, namespace: str) -> None:
    """Pods of a broken version fail to fetch, all others become ready; so the real controllers do the rest."""
    for pod in kube.list("Pod", namespace):
        if "deletionTimestamp" in pod["metadata"]:
            kube.delete("Pod", namespace, pod["metadata"]["name"], gracePeriodSeconds="0")
            continue
        broken = pod["metadata"]["labels"]["slipway.dev/version"] == "broken"
        wanted = _failing() if broken else _ready()
        if pod.get("status", {}).get("conditions") != wanted["conditions"]:
            try:
                kube.patch("Pod", namespace, pod["metadata"]["name"], {"status": wanted}, "status")
            except Refusal as error:
                if error.code != 404:
                    raise


def _ready() -> Manifest:
    running = {"name": "model", "image": "i", "imageID": "i", "ready": True, "restartCount": 0, "state": {"running": {"startedAt": _TIME}}}
    return {"phase": "Running", "conditions": [_condition("True")], "containerStatuses": [running]}


def _failing() -> Manifest:
    said = json.dumps({"reason": "DigestMismatch", "message": "not the registered bytes"})
    ended = {"exitCode": 1, "message": said, "reason": "Error", "startedAt": _TIME, "finishedAt": _TIME, "containerID": "c"}
    fetch = {"name": "fetch", "image": "i", "imageID": "i", "ready": False, "restartCount": 1, "state": {"terminated": ended}}
    return {"phase": "Pending", "conditions": [_condition("False")], "initContainerStatuses": [fetch]}


_TIME = "2026-11-23T12:00:00Z"


def _condition(status: str) -> Manifest:
    return {"type": "Ready", "status": status, "lastProbeTime": None, "lastTransitionTime": _TIME, "observedGeneration": 1}


def _reason(kube: Kube, namespace: str, kind: str, reason: str) -> bool:
    condition = kube.condition("churn", namespace, kind)
    return condition is not None and condition["reason"] == reason and condition["status"] == "True"


def _counted(kube: Kube, namespace: str, number: str) -> bool:
    """The counts in the status of the Model and its versions, which may lag by a second, are there."""
    counts = (kube.get("Model", namespace, "churn") or {}).get("status", {})
    versions = kube.list("ModelVersion", namespace)
    return (
        counts.get("deployments") == 1
        and counts.get("versions") == len(versions)
        and all(found.get("status", {}).get("deployments") == int(found["spec"]["version"] == number) for found in versions)
    )


def _serves(number: str, replicas: int) -> Callable[[Kube, str], bool]:
    def reached(kube: Kube, namespace: str) -> bool:
        status = (kube.get("ModelDeployment", namespace, "churn") or {}).get("status", {})
        return (
            _reason(kube, namespace, "Ready", "Serving")
            and status.get("version") == number
            and _replicas(status) == (replicas, replicas, replicas)
            and _counted(kube, namespace, number)
            and (kube.get("PodDisruptionBudget", namespace, "churn") is not None) == (replicas > 1)
        )

    return reached


def _replicas(status: Manifest) -> tuple[int, int, int]:
    """Of any version, of the asked one, ready."""
    return status.get("replicas", 0), status.get("updatedReplicas", 0), status.get("readyReplicas", 0)


def _stalls_counted(kube: Kube, namespace: str) -> bool:
    status = (kube.get("ModelDeployment", namespace, "churn") or {}).get("status", {})
    stalled = _reason(kube, namespace, "Stalled", "DigestMismatch") and _replicas(status) == (2, 1, 1)
    return stalled and _counted(kube, namespace, "broken")


def _create(kube: Kube, namespace: str) -> None:
    kube.apply(model(namespace))
    kube.apply(version(namespace))
    kube.apply(deployment(namespace))


def _upgrade_to(number: str) -> Callable[[Kube, str], None]:
    def act(kube: Kube, namespace: str) -> None:
        kube.apply(version(namespace, number))
        kube.apply(deployment(namespace, version=number))

    return act


def _all_gone(kube: Kube, namespace: str) -> bool:
    counts = (kube.get("Model", namespace, "churn") or {}).get("status", {})
    left = [child for kind in CHILDREN for child in kube.list(kind, namespace) if child["metadata"]["name"] != "default"]
    return not left and kube.get("ModelDeployment", namespace, "churn") is None and counts.get("deployments") == 0


JOURNEY = (
    Step("create", _create, _serves("3", 1)),
    Step("upgrade", _upgrade_to("4"), _serves("4", 1)),
    Step(
        "failed fetch",
        _upgrade_to("broken"),
        _stalls_counted,
    ),
    Step("recovery", _upgrade_to("4"), _serves("4", 1)),
    Step("scale", lambda kube, namespace: _scale(kube, namespace, 3), _serves("4", 3)),
    Step("delete", lambda kube, namespace: kube.delete("ModelDeployment", namespace, "churn"), _all_gone),
)


def _scale(kube: Kube, namespace: str, replicas: int) -> None:
    kube.patch("ModelDeployment", namespace, "churn", {"spec": {"replicas": replicas}}, "scale")
