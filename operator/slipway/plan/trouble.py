"""Why pods do not come up, in one readable line: what kubelet, scheduler and our own containers say, by cause."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import orjson

from slipway.api.conditions import Reason
from slipway.cluster.resources import Manifest
from slipway.plan.names import CAPTURE_CONTAINER
from slipway.plan.types import Refusal, Trouble

_PULL = {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"}
_CONFIG = {"CreateContainerConfigError", "CreateContainerError", "RunContainerError"}
_OWN_REASONS = {str(reason) for reason in Reason}
_ADMISSION = ("admission webhook", "failed calling webhook", "ValidatingAdmissionPolicy", "violates PodSecurity", "denied the request")
_PASSING = re.compile(r"failed to sync \w+ cache")
"""Kubelet has just not heard of a Secret or ConfigMap yet."""
_MAX_MESSAGE = 500

MOUNT_EVENTS = frozenset(
    {
        "FailedAttachVolume",
        "FailedCreatePodContainer",
        "FailedCreatePodSandBox",
        "FailedMapVolume",
        "FailedMount",
        "FailedPrepareDynamicResources",
        "NetworkNotReady",
    }
)
"""Reasons of Warning Events that say why not one container of a pod could be created; others (a webhook's, an autoscaler's) do not."""


def pods_trouble(pods: tuple[Manifest, ...], mount_warnings: Mapping[str, str]) -> Trouble | None:
    """The first trouble of the given pods: what a person must solve before the rest, the model's before that of its log."""
    found = [trouble for pod in pods for trouble in _pod_troubles(pod, mount_warnings)]
    found.sort(key=lambda trouble: (not trouble.stalled, trouble.reason is Reason.CAPTURE_FAILED))
    return found[0] if found else None


def deployment_trouble(deployment: Manifest | None) -> Trouble | None:
    """What the Deployment's own conditions say, if they speak about its present spec: pods that may not be created, no progress."""
    if deployment is None or not is_observed(deployment):
        return None
    conditions = {c["type"]: c for c in deployment.get("status", {}).get("conditions", [])}
    failure = conditions.get("ReplicaFailure", {})
    if failure.get("status") == "True":
        return refusal_trouble(Refusal("Pod", "", failure.get("message", "")))
    progressing = conditions.get("Progressing", {})
    if progressing.get("reason") == "ProgressDeadlineExceeded":
        return Trouble(
            Reason.PROGRESS_DEADLINE_EXCEEDED,
            "the roll-out made no progress for ten minutes; look at the pods with `kubectl slipway status`",
        )
    return None


def refusal_trouble(refusal: Refusal) -> Trouble:
    """The apiserver's refusal of a child, by its cause."""
    text = refusal.message
    subject = f"{refusal.kind} {refusal.name}".strip()
    if refusal.foreign:
        reason = Reason.NAME_CONFLICT
        text = f"{subject} exists and is not Slipway's: delete or rename it, or choose another name for the ModelDeployment"
    elif (
        "exceeded quota" in text
        or "LimitRange" in text
        or ("must specify" in text and "quota" in text)
        or ("maximum " in text and "usage per" in text)
    ):
        reason = Reason.QUOTA_EXCEEDED
    elif any(mark in text for mark in _ADMISSION):
        reason = Reason.ADMISSION_REFUSED
    else:
        reason = Reason.API_REFUSED
        text = f"{subject}: {text}"
    return Trouble(reason, one_line(text))


def is_observed(deployment: Manifest) -> bool:
    """Whether its status speaks about its present spec: before, conditions and counts are those of the spec before."""
    return bool(deployment.get("status", {}).get("observedGeneration", 0) >= deployment["metadata"]["generation"])


def is_terminal(pod: Manifest) -> bool:
    """Ended for good, as an evicted pod has; it stays listed, and another takes its place."""
    return pod.get("status", {}).get("phase") in ("Failed", "Succeeded")


def is_ready(pod: Manifest) -> bool:
    """Ready and not on its way out."""
    if "deletionTimestamp" in pod["metadata"] or is_terminal(pod):
        return False
    return any(c["type"] == "Ready" and c["status"] == "True" for c in pod.get("status", {}).get("conditions", []))


def awaits_containers(pod: Manifest) -> bool:
    """Scheduled, but not one container could be created yet: then only Events tell why."""
    status = pod.get("status", {})
    statuses = [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]
    waiting = [s.get("state", {}).get("waiting", {}).get("reason") for s in statuses]
    return (
        status.get("phase") == "Pending"
        and "deletionTimestamp" not in pod["metadata"]
        and bool(waiting)
        and all(reason in ("PodInitializing", "ContainerCreating") for reason in waiting)
    )


def one_line(text: str) -> str:
    """Printable, one line, bounded."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= _MAX_MESSAGE else line[: _MAX_MESSAGE - 1] + "…"


def _pod_troubles(pod: Manifest, mount_warnings: Mapping[str, str]) -> Iterator[Trouble]:
    if is_ready(pod) or "deletionTimestamp" in pod["metadata"]:
        return
    status = pod.get("status", {})
    for condition in status.get("conditions", []):
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            yield Trouble(Reason.UNSCHEDULABLE, one_line(f"no node fits a pod: {condition.get('message', '')}"), stalled=False)
    warning = mount_warnings.get(pod["metadata"].get("uid", ""))
    if warning and awaits_containers(pod):
        yield _mount_trouble(warning)
    if is_terminal(pod) and status.get("reason"):
        yield Trouble(
            Reason.UNSCHEDULABLE, one_line(f"the node ended a pod ({status['reason']}): {status.get('message', '')}"), stalled=False
        )
        return  # its containers only tell that they were ended
    for container in [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]:
        find = _capture_trouble if container["name"] == CAPTURE_CONTAINER else _container_trouble
        if trouble := find(container):
            yield trouble


def _mount_trouble(warning: str) -> Trouble:
    missing = "MountVolume" in warning and "not found" in warning
    reason = Reason.SECRET_MISSING if missing else Reason.CONTAINER_CONFIG_INVALID
    cause = warning.rpartition(" : ")[2]  # after kubelet's "MountVolume.SetUp failed for volume …"
    return Trouble(reason, one_line(cause + (": create it in this namespace" if missing else "")), stalled=not _PASSING.search(warning))


def _capture_trouble(container: Manifest) -> Trouble | None:
    """What keeps the prediction log from being sent is not the model's failure; its image is the model's own."""
    if "running" in container.get("state", {}):
        return None
    trouble = _container_trouble(container)
    if trouble is None or trouble.reason is Reason.IMAGE_PULL_FAILED:
        return trouble
    return Trouble(Reason.CAPTURE_FAILED, one_line(f"the prediction log is not sent (the model is not at fault): {trouble.message}"))


def _container_trouble(container: Manifest) -> Trouble | None:
    name = container["name"]
    waiting = container.get("state", {}).get("waiting", {})
    reason, message = waiting.get("reason", ""), waiting.get("message", "")
    if reason in _PULL:
        return Trouble(Reason.IMAGE_PULL_FAILED, one_line(f"image {container.get('image', '')} cannot be pulled: {message}"))
    if reason in _CONFIG:
        missing = "not found" in message
        return Trouble(
            Reason.SECRET_MISSING if missing else Reason.CONTAINER_CONFIG_INVALID,
            one_line(message + (": create it in this namespace" if missing else "")),
            stalled=not _PASSING.search(message),
        )
    terminated = container.get("state", {}).get("terminated") or container.get("lastState", {}).get("terminated")
    if terminated and (terminated.get("exitCode", 0) != 0 or reason == "CrashLoopBackOff"):
        return _terminated(name, terminated)
    return None


def _terminated(name: str, terminated: Manifest) -> Trouble:
    """What a container said when it ended: our own ones in JSON, others in their log's last lines."""
    message = terminated.get("message", "").strip()
    try:
        said = orjson.loads(message.splitlines()[-1] if message else "")
        if said["reason"] in _OWN_REASONS:
            return Trouble(Reason(said["reason"]), one_line(str(said["message"])))
    except (orjson.JSONDecodeError, KeyError, TypeError):
        pass
    if terminated.get("reason") == "OOMKilled" and name == CAPTURE_CONTAINER:
        return Trouble(Reason.CRASH_LOOP, f"container {name} found no memory: see to the node's, and to the namespace's LimitRange")
    if terminated.get("reason") == "OOMKilled":
        return Trouble(Reason.CRASH_LOOP, f"container {name} used more memory than its limit: raise spec.resources.limits.memory")
    last = message.splitlines()[-1] if message else "no message; see its log"
    return Trouble(Reason.CRASH_LOOP, one_line(f"container {name} ended with exit code {terminated.get('exitCode')}: {last}"))
