"""What is wrong, from conditions and pods: pure functions over what the apiserver gave."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from slipway.cli.advice import advice
from slipway.cli.cluster import Json

WAITING = {"PodInitializing", "ContainerCreating"}
"""A container that waits for these is on its way, not in trouble."""
REASONS = {
    "ErrImagePull": "ImagePullFailed",
    "ImagePullBackOff": "ImagePullFailed",
    "InvalidImageName": "ImagePullFailed",
    "ErrImageNeverPull": "ImagePullFailed",
    "CrashLoopBackOff": "CrashLoop",
    "CreateContainerConfigError": "ContainerConfigInvalid",
    "CreateContainerError": "ContainerConfigInvalid",
    "RunContainerError": "ContainerConfigInvalid",
    "Error": "CrashLoop",
}
"""The kubelet's words in Slipway's."""
CAPTURE, CAPTURE_FAILED = "capture", "CaptureFailed"


@dataclass(frozen=True)
class Trouble:
    """Why a pod is not ready: where (a container, or the pod), the reason in Slipway's words, the message."""

    where: str
    reason: str
    message: str


@dataclass(frozen=True)
class Problem:
    """Something wrong with a deployment, and what to do."""

    reason: str
    message: str
    advice: str


def conditions(thing: Json) -> dict[str, Json]:
    """The object's conditions by type."""
    return {condition["type"]: condition for condition in thing.get("status", {}).get("conditions") or []}


def problem(deployment: Json) -> Problem | None:
    """The one thing that keeps a ModelDeployment from being Ready, or what is asked for from starting; or None."""
    found = conditions(deployment)
    behind = deployment.get("status", {}).get("observedGeneration", -1) < deployment["metadata"].get("generation", 0)
    if behind or "Ready" not in found:
        return _problem(deployment, "NotObserved", "the operator has not seen the latest change")
    ready = found["Ready"]
    if ready["status"] == "True":
        return gate_problem(deployment)
    stalled = found.get("Stalled", {})
    cause = stalled if stalled.get("status") == "True" else ready
    return _problem(deployment, cause["reason"], cause.get("message", ""))


def gate_problem(deployment: Json) -> Problem | None:
    """Why what is asked for may not start; meanwhile what was approved before may serve well."""
    approved = conditions(deployment).get("Approved", {})
    if approved.get("status") != "False":
        return None
    return _problem(deployment, approved.get("reason", ""), approved.get("message", ""))


def problems(deployment: Json, pods: Sequence[Json]) -> list[Problem]:
    """All that is wrong: what the conditions say, then what pods add to it."""
    first = problem(deployment)
    found = [first] if first else []
    gate = gate_problem(deployment)
    if gate and first and first.reason not in (gate.reason, "NotObserved"):
        found.append(gate)
    contested = conditions(deployment).get("Contested", {})
    if contested.get("status") == "True" and not (first and first.reason == contested["reason"]):
        found.append(_problem(deployment, contested["reason"], contested.get("message", "")))
    for trouble in (trouble for pod in pods for trouble in troubles(pod)):
        if trouble.reason not in {known.reason for known in found}:
            found.append(_problem(deployment, trouble.reason, trouble.message))
    return found


def _problem(deployment: Json, reason: str, message: str) -> Problem:
    metadata, spec = deployment["metadata"], deployment["spec"]
    text = advice(
        reason,
        name=metadata["name"],
        namespace=metadata.get("namespace", ""),
        model=spec.get("model", ""),
        version=spec.get("version", ""),
    )
    return Problem(reason, message, text)


def is_ready(pod: Json) -> bool:
    """Whether the pod takes requests."""
    return conditions(pod).get("Ready", {}).get("status") == "True" and "deletionTimestamp" not in pod["metadata"]


def troubles(pod: Json) -> list[Trouble]:
    """Why a pod is not ready; empty for one that is ready, starting or ending."""
    if is_ready(pod) or "deletionTimestamp" in pod["metadata"]:
        return []
    status = pod.get("status", {})
    scheduled = conditions(pod).get("PodScheduled", {})
    if scheduled.get("status") == "False":
        return [Trouble("pod", scheduled.get("reason", "Unschedulable"), scheduled.get("message", ""))]
    if status.get("phase") == "Failed" and status.get("reason"):
        return [Trouble("pod", status["reason"], status.get("message", ""))]
    found = [trouble for container in _containers(status) if (trouble := _of_container(container))]
    return sorted(map(_of_capture, found), key=lambda trouble: trouble.reason == CAPTURE_FAILED)


def restarts(pod: Json) -> int:
    """How often its containers started again."""
    return sum(container.get("restartCount", 0) for container in _containers(pod.get("status", {})))


def _containers(status: Json) -> Iterable[Json]:
    return [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]


def _of_container(container: Json) -> Trouble | None:
    state, where = container.get("state", {}), container["name"]
    waiting = state.get("waiting", {})
    ended = state.get("terminated") or container.get("lastState", {}).get("terminated") or {}
    waits = waiting.get("reason", "")
    if container.get("ready") or (waits in WAITING and not ended) or ended.get("exitCode") == 0:
        return None
    if said := _own_words(ended.get("message", "")):
        return Trouble(where, *said)
    if ended.get("reason") == "OOMKilled":
        return Trouble(where, "OOMKilled", "ran out of memory")
    if ended:
        message = ended.get("message", "").strip().rpartition("\n")[2]
        return Trouble(where, "CrashLoop", message or f"ended with exit code {ended.get('exitCode')}")
    if waits:
        return Trouble(where, REASONS.get(waits, waits), waiting.get("message", ""))
    return None


def _of_capture(trouble: Trouble) -> Trouble:
    """What sends the prediction log has troubles of its own, which are not the model's; its image is."""
    if trouble.where != CAPTURE or trouble.reason == "ImagePullFailed":
        return trouble
    return replace(trouble, reason=CAPTURE_FAILED)


def _own_words(message: str) -> tuple[str, str] | None:
    """The termination message of Slipway's containers: one line of JSON."""
    try:
        said = json.loads(message)
        return str(said["reason"]), str(said["message"])
    except (ValueError, TypeError, KeyError):
        return None
