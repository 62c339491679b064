"""The objects that the integration tests apply."""

from __future__ import annotations

from typing import Any

from tests.kube import Kube, Manifest
from tests.wait import until

API = "slipway.dev/v1alpha1"
DIGEST = "sha256:" + "a" * 64


def model(namespace: str, name: str = "churn", **spec: Any) -> Manifest:
    return {
        "apiVersion": API,
        "kind": "Model",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"task": "BinaryClassification"} | spec,
    }


def version(namespace: str, number: str = "3", of: str = "churn", **spec: Any) -> Manifest:
    artifact = {"uri": f"s3://models/{of}/{number}/", "digest": DIGEST}
    whole = {"model": of, "version": number, "format": {"name": "sklearn"}, "artifact": artifact} | spec
    return {"apiVersion": API, "kind": "ModelVersion", "metadata": {"name": f"{of}-{number}", "namespace": namespace}, "spec": whole}


def deployment(namespace: str, name: str = "churn", **spec: Any) -> Manifest:
    whole = {"model": "churn", "version": "3"} | spec
    return {"apiVersion": API, "kind": "ModelDeployment", "metadata": {"name": name, "namespace": namespace}, "spec": whole}


def monitor(namespace: str, name: str = "churn-quality", **spec: Any) -> Manifest:
    whole = {"deployment": "churn", "drift": {}, "serviceHealth": {"maxErrorRate": 0.01}} | spec
    return {"apiVersion": API, "kind": "ModelMonitor", "metadata": {"name": name, "namespace": namespace}, "spec": whole}


def apply_all(kube: Kube, namespace: str, **spec: Any) -> Manifest:
    """A Model, its version 3 and a deployment of it."""
    kube.apply(model(namespace))
    kube.apply(version(namespace))
    return kube.apply(deployment(namespace, **spec))


def await_reason(
    kube: Kube, namespace: str, reason: str, name: str = "churn", kind: str = "Ready", of: str = "ModelDeployment"
) -> Manifest:
    """The condition, once it has that reason for the present generation."""

    def there() -> Manifest | None:
        condition = kube.condition(name, namespace, kind, of)
        return condition if condition and condition["reason"] == reason else None

    found: Manifest = until(there, 20, f"{of} {name}: {kind} with reason {reason}, not {kube.condition(name, namespace, kind, of)}")
    return found


def await_child(kube: Kube, kind: str, namespace: str, name: str = "churn") -> Manifest:
    found: Manifest = until(lambda: kube.get(kind, namespace, name), 20, f"{kind} {name}")
    return found


def await_gone(kube: Kube, kind: str, namespace: str, name: str = "churn") -> None:
    until(lambda: kube.get(kind, namespace, name) is None, 20, f"{kind} {name} to go")


def event_messages(kube: Kube, namespace: str, reason: str) -> list[str]:
    """What Events of that reason said about ModelDeployments."""
    return [
        event["message"]
        for event in kube.list("Event", namespace)
        if event["reason"] == reason and event["involvedObject"]["kind"] == "ModelDeployment"
    ]
