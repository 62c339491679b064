"""A token of audience slipway writes a model's prediction log: its own pods have one, and nobody else."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.governance import cast
from tests.integration.governance.place import APPS, BATCH, Place, landed, owned, patch, refused, workload
from tests.integration.people import Answer, Person
from tests.kube import Manifest
from tests.wait import until

CORE = "/api/v1"
MINE = {"app": "mine"}
NODE = "node-1"
MESSAGE = "mallory may not write {} with a token of audience slipway: it is for pods that Slipway makes"


def projected(audience: str = "slipway") -> dict[str, Any]:
    source = {"serviceAccountToken": {"audience": audience, "expirationSeconds": 3600, "path": "token"}}
    return {"name": "token", "projected": {"sources": [{"configMap": {"name": "x", "optional": True}}, source]}}


def pod_spec(audience: str = "slipway", **more: Any) -> dict[str, Any]:
    """Without any label of Slipway's, and as the model's own ServiceAccount."""
    container = {"name": "c", "image": "registry.example/c:1"}
    return {"serviceAccountName": "churn", "containers": [container], "volumes": [projected(audience)]} | more


def template(audience: str = "slipway", **more: Any) -> dict[str, Any]:
    return {"metadata": {"labels": MINE}, "spec": pod_spec(audience, **more)}


def made(api: str, kind: str, spec: dict[str, Any]) -> Manifest:
    return {"apiVersion": api, "kind": kind, "metadata": {"name": "mine"}, "spec": spec}


def templated(kind: str, audience: str = "slipway") -> Manifest:
    return made("apps/v1", kind, {"selector": {"matchLabels": MINE}, "template": template(audience)})


JOB = {"template": template(restartPolicy="Never")}
WAYS: dict[str, tuple[str, Manifest]] = {
    "pods": (CORE, made("v1", "Pod", pod_spec())),
    "replicationcontrollers": (CORE, made("v1", "ReplicationController", {"selector": MINE, "template": template()})),
    "deployments": (APPS, templated("Deployment")),
    "replicasets": (APPS, templated("ReplicaSet")),
    "statefulsets": (APPS, templated("StatefulSet")),
    "daemonsets": (APPS, templated("DaemonSet")),
    "jobs": (BATCH, made("batch/v1", "Job", JOB)),
    "cronjobs": (BATCH, made("batch/v1", "CronJob", {"schedule": "0 0 * * *", "jobTemplate": {"spec": JOB}})),
}


def ask(who: Person, place: Place, *audiences: str, pod: Manifest | None = None) -> Answer:
    bound = {"kind": "Pod", "apiVersion": "v1", "name": pod["metadata"]["name"], "uid": pod["metadata"]["uid"]} if pod else None
    spec = {"audiences": list(audiences), "boundObjectRef": bound}
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
    return who.send("POST", place.path(CORE, "serviceaccounts", "churn", "token"), body)


@pytest.mark.parametrize("audiences", [("slipway",), ("other", "slipway")])
def test_nobody_asks_for_one(serving: Place, mallory: Person, audiences: tuple[str, ...]) -> None:
    refused(ask(mallory, serving, *audiences), "mallory may not ask for a token of audience slipway of serviceaccounts/churn")


def test_other_tokens_are_free(serving: Place, mallory: Person) -> None:
    landed(ask(mallory, serving, "vault"))
    landed(ask(mallory, serving))


@pytest.mark.parametrize("plural", WAYS)
def test_nobody_has_a_pod_get_one(serving: Place, mallory: Person, plural: str) -> None:
    root, manifest = WAYS[plural]
    refused(mallory.send("POST", serving.path(root, plural), manifest), MESSAGE.format(plural))


def test_nor_adds_it_later(place: Place, mallory: Person) -> None:
    landed(mallory.send("POST", place.path(APPS, "deployments"), templated("Deployment", "vault")))
    change = {"spec": {"template": {"spec": {"volumes": [projected()]}}}}
    refused(patch(mallory, place.path(APPS, "deployments", "mine"), change), MESSAGE.format("deployments"))


def test_a_controller_makes_only_its_own(serving: Place) -> None:
    for name, plural in {"job-controller": "pods", "replicaset-controller": "replicasets", "deployment-controller": "deployments"}.items():
        root, manifest = WAYS[plural]
        refused(cast.controller(serving.plane, name).send("POST", serving.path(root, plural), manifest), f"{name} may not write {plural}")


def test_a_models_pods_have_it_and_the_kubelet_asks(place: Place) -> None:
    """All the way from the operator's Deployment to the pods, with the sidecar that uses it."""
    meta = owned("churn", place.register())
    place.operate(CORE, "serviceaccounts", {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta})
    deployment = workload("Deployment", meta, "churn")
    sidecar = {"name": "capture", "image": "registry.example/model:1", "restartPolicy": "Always"}
    deployment["spec"]["template"]["spec"] |= {"initContainers": [sidecar], "volumes": [projected()]}
    place.operate(APPS, "deployments", deployment)
    until(place.pods, 60, "its pod")
    (pod,) = place.pods()
    assert [container["name"] for container in pod["spec"]["initContainers"]] == ["capture"]
    binding = {
        "apiVersion": "v1",
        "kind": "Binding",
        "metadata": {"name": pod["metadata"]["name"]},
        "target": {"kind": "Node", "name": NODE},
    }
    landed(Person(place.plane, "admin").send("POST", place.path(CORE, "pods", pod["metadata"]["name"], "binding"), binding))
    kubelet = Person(place.plane, f"system:node:{NODE}", ("system:authenticated", "system:nodes"))
    landed(ask(kubelet, place, "slipway", pod=pod))
