"""A namespace with a stage in which a model serves, made as the operator would make it; controllers make the rest."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from tests.cluster.control_plane import ControlPlane
from tests.integration.governance.cast import operator
from tests.integration.people import APPLY, MERGE, Answer, Person
from tests.integration.samples import API, deployment, model, version
from tests.kube import Kube, Manifest
from tests.wait import until

OURS = "/apis/slipway.dev/v1alpha1"
APPS, BATCH, SLICES = "/apis/apps/v1", "/apis/batch/v1", "/apis/discovery.k8s.io/v1"
STAGE = "slipway.dev/stage"
LABEL = "slipway.dev/deployment"
REVISION = "v1:" + "3f" * 32


@dataclass(frozen=True)
class Place:
    """The namespace and its ModelDeployment `churn`."""

    plane: ControlPlane
    kube: Kube
    namespace: str

    def path(self, root: str, plural: str, name: str = "", subresource: str = "") -> str:
        return "/".join(filter(None, [f"{root}/namespaces/{self.namespace}", plural, name, subresource]))

    def mine(self, plural: str = "modeldeployments", name: str = "churn", subresource: str = "") -> str:
        return self.path(OURS, plural, name, subresource)

    def operate(self, root: str, plural: str, manifest: Manifest) -> Manifest:
        """The operator applies a child."""
        path = self.path(root, plural, manifest["metadata"]["name"])
        return landed(operator(self.plane).send("PATCH", f"{path}?fieldManager=slipway&force=true", manifest, APPLY))

    def report(self, plural: str, name: str, **status: Any) -> None:
        """The operator writes a status, and is seen to have."""
        body = {"status": status}
        landed(operator(self.plane).send("PATCH", self.mine(plural, name, "status"), body, MERGE))

    def register(self) -> Manifest:
        """A Model, a version and a deployment of it, by the administrator."""
        self.kube.apply(model(self.namespace))
        self.kube.apply(version(self.namespace))
        return self.kube.apply(deployment(self.namespace))

    def serve(self, name: str = "churn", owner: Manifest | None = None, replicas: int = 1) -> None:
        """The children of a deployment; pods and slices follow by Kubernetes' own controllers."""
        meta = owned(name, owner)
        self.operate("/api/v1", "serviceaccounts", {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta})
        self.operate("/api/v1", "services", service(meta))
        self.operate(APPS, "deployments", workload("Deployment", meta, name, replicas=replicas))
        until(partial(self.pods, name, replicas), 60, f"{replicas} pods of {name}")
        until(partial(self.slices, name), 60, f"the EndpointSlice of {name}")

    def pods(self, name: str = "churn", at_least: int = 1) -> list[Manifest]:
        """Those that are not going; none before there are so many."""
        found = [
            p for p in self.kube.list("Pod", self.namespace, labelSelector=f"{LABEL}={name}") if "deletionTimestamp" not in p["metadata"]
        ]
        return found if len(found) >= at_least else []

    def slices(self, name: str = "churn") -> list[str]:
        return self.names(SLICES, "endpointslices", name)

    def replica_sets(self, name: str = "churn") -> list[str]:
        return self.names(APPS, "replicasets", name)

    def names(self, root: str, plural: str, name: str) -> list[str]:
        items = self.kube.call("GET", self.path(root, plural), labelSelector=f"{LABEL}={name}")["items"]
        return [item["metadata"]["name"] for item in items]


def owned(name: str, owner: Manifest | None) -> dict[str, Any]:
    meta: dict[str, Any] = {"name": name, "labels": {LABEL: name, "app.kubernetes.io/managed-by": "slipway"}}
    meta["annotations"] = {"slipway.dev/manifest-hash": "0"}
    if owner:
        reference = {"apiVersion": API, "kind": "ModelDeployment", "name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"]}
        meta["ownerReferences"] = [reference | {"controller": True, "blockOwnerDeletion": False}]
    return meta


def service(meta: dict[str, Any]) -> Manifest:
    spec = {"selector": {LABEL: meta["name"]}, "ports": [{"name": "http", "port": 80, "targetPort": 8080}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec}


def pod_template(label: str, **more: Any) -> Manifest:
    container = {"name": "model", "image": "registry.example/model:1", "resources": {"requests": {"cpu": "10m"}}}
    return {"metadata": {"labels": {LABEL: label, "app": "x"}}, "spec": {"serviceAccountName": label, "containers": [container]} | more}


def workload(kind: str, meta: dict[str, Any], label: str, replicas: int = 1) -> Manifest:
    """A Deployment, ReplicaSet or StatefulSet whose pods carry the label."""
    selector = {"matchLabels": {LABEL: label}} if kind != "ReplicationController" else {LABEL: label}
    spec: dict[str, Any] = {"replicas": replicas, "selector": selector, "template": pod_template(label)}
    if kind == "DaemonSet":
        del spec["replicas"]
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": meta, "spec": spec}


def approval(**spec: Any) -> Manifest:
    whole = {"deployment": "churn", "revision": REVISION, "as": "risk", "decision": "Approve"} | spec
    return {"apiVersion": API, "kind": "ModelApproval", "metadata": {"generateName": "churn-"}, "spec": whole}


def landed(answer: Answer) -> Manifest:
    assert answer.landed, answer.message
    return answer.body


def refused(answer: Answer, *said: str) -> None:
    """One of our policies refuses, and says all this."""
    assert answer.code == 403, answer
    assert "slipway: " in answer.message, answer.message
    for words in said:
        assert words in answer.message, answer.message


def patch(who: Person, path: str, change: Any, kind: str = MERGE) -> Answer:
    return who.send("PATCH", f"{path}{'&' if '?' in path else '?'}fieldManager=somebody", change, kind)
