"""What Kubernetes does with a model's objects goes on as ever: the policies stand in nobody's way who only does their work."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest

from tests.integration.governance import cast
from tests.integration.governance.place import APPS, LABEL, Place, landed, owned, patch, workload
from tests.integration.people import Person
from tests.kube import Kube, Manifest
from tests.wait import until

RETIRED = {"phase": "Retired", "readyReplicas": 0, "observedGeneration": 2}
RUNNING = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2020-01-01T00:00:00Z"}]}
CHILDREN = ("Deployment", "Service", "ServiceAccount")


@pytest.fixture
def alive(place: Place) -> Place:
    """One whose deployment `churn` has pods."""
    place.serve(owner=place.register(), replicas=2)
    return place


def retired(place: Place, by: Person) -> None:
    """As far as `delete` is admitted."""
    landed(patch(by, place.mine(), {"spec": {"retire": True}}))
    place.report("modeldeployments", "churn", **RETIRED)


def children(place: Place) -> list[Manifest]:
    return [found for kind in CHILDREN if (found := place.kube.get(kind, place.namespace, "churn"))]


def bury(place: Place) -> None:
    """What the kubelet does in the end: no node runs these pods."""
    for pod in place.kube.list("Pod", place.namespace):
        place.kube.delete("Pod", place.namespace, pod["metadata"]["name"], gracePeriodSeconds="0")


def emptied(place: Place) -> bool:
    bury(place)
    return not children(place) and not place.replica_sets() and not place.kube.list("Pod", place.namespace)


def without_pods(place: Place) -> bool:
    bury(place)
    return not place.kube.list("Pod", place.namespace)


class TestDeletion:
    @pytest.mark.parametrize("how", ["Background", "Foreground"])
    def test_the_garbage_collector_takes_all(self, alive: Place, mallory: Person, how: str) -> None:
        retired(alive, mallory)
        landed(mallory.send("DELETE", alive.mine(), {"propagationPolicy": how}))
        until(partial(emptied, alive), 120, "the children to go")
        until(lambda: alive.kube.get("ModelDeployment", alive.namespace, "churn") is None, 120, "the deployment to go")

    def test_orphans_stay_and_may_be_deleted(self, alive: Place, mallory: Person) -> None:
        retired(alive, mallory)
        landed(mallory.send("DELETE", alive.mine(), {"propagationPolicy": "Orphan"}))
        until(lambda: alive.kube.get("ModelDeployment", alive.namespace, "churn") is None, 120, "the deployment to go")
        assert len(children(alive)) == len(CHILDREN)
        assert not any("ownerReferences" in child["metadata"] for child in children(alive))
        landed(mallory.send("DELETE", alive.path(APPS, "deployments", "churn")))
        until(partial(without_pods, alive), 120, "its pods to go")

    def test_the_operator_deletes_what_is_not_wanted_any_more(self, alive: Place, operator: Person) -> None:
        meta = owned("churn", alive.kube.get("ModelDeployment", alive.namespace, "churn"))
        budget = {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": meta, "spec": {"maxUnavailable": 1}}
        alive.operate("/apis/policy/v1", "poddisruptionbudgets", budget)
        landed(operator.send("DELETE", alive.path("/apis/policy/v1", "poddisruptionbudgets", "churn")))


class TestPods:
    def test_a_rolling_update(self, alive: Place) -> None:
        before = alive.replica_sets()
        owner = alive.kube.get("ModelDeployment", alive.namespace, "churn")
        manifest = workload("Deployment", owned("churn", owner), "churn", replicas=2)
        manifest["spec"]["template"]["spec"]["containers"][0]["image"] = "registry.example/model:2"
        alive.operate(APPS, "deployments", manifest)
        until(lambda: len(alive.replica_sets()) > len(before), 60, "another ReplicaSet")
        until(lambda: "registry.example/model:2" in images(alive), 60, "a pod of the new image")
        for pod in alive.pods():
            ready(alive, pod)
        until(lambda: ready_all(alive) and images(alive) == {"registry.example/model:2"}, 120, "the old pods to go")

    def test_scaling_by_the_operator(self, alive: Place) -> None:
        owner = alive.kube.get("ModelDeployment", alive.namespace, "churn")
        for replicas in (4, 1):
            alive.operate(APPS, "deployments", workload("Deployment", owned("churn", owner), "churn", replicas=replicas))
            until(partial(has_pods, alive, replicas), 60, f"{replicas} pods")

    def test_scaling_by_the_autoscaler(self, alive: Place) -> None:
        scaler = cast.controller(alive.plane, "horizontal-pod-autoscaler")
        landed(patch(scaler, alive.path(APPS, "deployments", "churn", "scale"), {"spec": {"replicas": 3}}))
        until(lambda: len(alive.pods()) == 3, 60, "three pods")

    def test_eviction(self, alive: Place, mallory: Person) -> None:
        """As `kubectl drain` does it."""
        gone = {pod["metadata"]["name"] for pod in alive.pods()}
        for name in gone:
            eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}
            landed(mallory.send("POST", alive.path("/api/v1", "pods", name, "eviction"), eviction))
        until(lambda: len(fresh(alive, gone)) == 2, 60, "other pods in their place")

    def test_deleting_pods(self, alive: Place, mallory: Person) -> None:
        """What comes in their place is the same."""
        gone = {pod["metadata"]["name"] for pod in alive.pods()}
        landed(mallory.send("DELETE", alive.path("/api/v1", "pods") + f"?labelSelector={LABEL}%3Dchurn"))
        until(lambda: len(fresh(alive, gone)) == 2, 60, "other pods in their place")

    def test_scheduling_and_the_kubelet(self, alive: Place, kube: Kube) -> None:
        kube.call("POST", "/api/v1/nodes", {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-1"}})
        name = alive.pods()[0]["metadata"]["name"]
        binding = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": name}, "target": {"kind": "Node", "name": "node-1"}}
        scheduler = Person(alive.plane, "system:kube-scheduler")
        landed(scheduler.send("POST", alive.path("/api/v1", "pods", name, "binding"), binding))
        kubelet = Person(alive.plane, "system:node:node-1", ("system:nodes", "system:masters"))
        status = {"status": RUNNING | {"podIP": "10.1.2.3", "podIPs": [{"ip": "10.1.2.3"}]}}
        landed(patch(kubelet, alive.path("/api/v1", "pods", name, "status"), status))
        until(lambda: "10.1.2.3" in json.dumps(slices(alive)), 60, "the pod's address in a slice")


class TestControllers:
    def test_a_repaired_service(self, alive: Place, kube: Kube) -> None:
        """Slices follow a change of the Service."""
        service = kube.get("Service", alive.namespace, "churn") or {}
        manifest = {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": owned("churn", None) | {"labels": service["metadata"]["labels"] | {"x": "y"}},
        }
        alive.operate("/api/v1", "services", manifest | {"spec": {"selector": {LABEL: "churn"}, "ports": [{"name": "grpc", "port": 9000}]}})
        until(lambda: '"x": "y"' in json.dumps(slices(alive)), 60, "the slice to carry the Service's label")


def has_pods(place: Place, number: int) -> bool:
    return len(place.pods()) == number


def images(place: Place) -> set[str]:
    return {pod["spec"]["containers"][0]["image"] for pod in place.pods()}


def fresh(place: Place, old: set[str]) -> list[str]:
    return [name for pod in place.pods() if (name := pod["metadata"]["name"]) not in old]


def slices(place: Place) -> list[Any]:
    items: list[Any] = place.kube.call("GET", place.path("/apis/discovery.k8s.io/v1", "endpointslices"), labelSelector=f"{LABEL}=churn")[
        "items"
    ]
    return items


def ready(place: Place, pod: Manifest) -> None:
    """What the kubelet reports."""
    answer = patch(Person(place.plane, "kubelet"), place.path("/api/v1", "pods", pod["metadata"]["name"], "status"), {"status": RUNNING})
    assert answer.landed or answer.code == 404, answer.message


def ready_all(place: Place) -> bool:
    for pod in place.pods():
        ready(place, pod)
    for pod in place.kube.list("Pod", place.namespace):
        if "deletionTimestamp" in pod["metadata"]:
            place.kube.delete("Pod", place.namespace, pod["metadata"]["name"], gracePeriodSeconds="0")
    return True
