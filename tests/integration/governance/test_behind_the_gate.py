"""What Slipway made is changed by the operator alone, whatever rights somebody has on Kubernetes' own objects."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from tests.integration.governance import cast
from tests.integration.governance.place import APPS, LABEL, SLICES, Place, landed, owned, patch, refused, service
from tests.integration.people import JSON_PATCH, MERGE, Person
from tests.wait import until

IMAGE: Any = {"spec": {"template": {"spec": {"containers": [{"name": "model", "image": "registry.example/evil:1"}]}}}}
STRATEGIC = "application/strategic-merge-patch+json"
RESTART: Any = {"spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "now"}}}}}
FAKE_OWNER = {"apiVersion": "v1", "kind": "ConfigMap", "name": "gone", "uid": "11111111-2222-3333-4444-555555555555"}

CHANGES: dict[str, tuple[str, str, Any, str]] = {
    "image": (APPS, "deployments", IMAGE, STRATEGIC),
    "restart": (APPS, "deployments", RESTART, MERGE),
    "replicas": (APPS, "deployments", {"spec": {"replicas": 9}}, MERGE),
    "pause": (APPS, "deployments", {"spec": {"paused": True}}, MERGE),
    "label": (APPS, "deployments", {"metadata": {"labels": {"a": "b"}}}, MERGE),
    "label-away": (APPS, "deployments", {"metadata": {"labels": {LABEL: None}}}, MERGE),
    "hash": (APPS, "deployments", {"metadata": {"annotations": {"slipway.dev/manifest-hash": "1"}}}, MERGE),
    "hash-away": (APPS, "deployments", {"metadata": {"annotations": {"slipway.dev/manifest-hash": None}}}, MERGE),
    "owner": (APPS, "deployments", {"metadata": {"ownerReferences": [FAKE_OWNER]}}, MERGE),
    "owner-away": (APPS, "deployments", [{"op": "remove", "path": "/metadata/ownerReferences"}], JSON_PATCH),
    "selector": ("/api/v1", "services", {"spec": {"selector": {"app": "mine"}}}, MERGE),
    "service-label": ("/api/v1", "services", {"metadata": {"labels": {LABEL: None}}}, MERGE),
    "service-owner": ("/api/v1", "services", {"metadata": {"ownerReferences": None}}, MERGE),
    "token": ("/api/v1", "serviceaccounts", {"automountServiceAccountToken": True}, MERGE),
}


@pytest.mark.parametrize("change", CHANGES)
def test_nobody_changes_what_slipway_made(serving: Place, mallory: Person, change: str) -> None:
    root, plural, body, kind = CHANGES[change]
    answer = patch(mallory, serving.path(root, plural, "churn"), body, kind)
    refused(answer, f"mallory may not change {plural}/churn, which belongs to ModelDeployment churn: change the ModelDeployment instead")


@pytest.mark.parametrize("plural", ["deployments", "services", "serviceaccounts"])
def test_nobody_deletes_it(serving: Place, mallory: Person, plural: str) -> None:
    root = APPS if plural == "deployments" else "/api/v1"
    for path in (serving.path(root, plural, "churn"), serving.path(root, plural) + f"?labelSelector={LABEL}"):
        refused(mallory.send("DELETE", path), f"mallory may not delete {plural}/churn, which belongs to ModelDeployment churn")


def test_not_even_the_administrator(serving: Place) -> None:
    """Who may delete policies, or take the stage away, has a way; it leaves its mark."""
    admin = Person(serving.plane, "admin")
    refused(patch(admin, serving.path(APPS, "deployments", "churn"), IMAGE, STRATEGIC), "admin may not change deployments/churn")


@pytest.mark.parametrize("body", [{"metadata": {"annotations": {"a": "b"}}}, {"metadata": {"annotations": {"a": None}}}])
def test_others_may_annotate_it(serving: Place, mallory: Person, body: Any) -> None:
    landed(patch(mallory, serving.path(APPS, "deployments", "churn"), body))
    landed(patch(mallory, serving.path("/api/v1", "services", "churn"), body))


class TestBelow:
    """ReplicaSets, pods and slices, which Kubernetes made of that."""

    @pytest.mark.parametrize("body", [IMAGE, {"spec": {"replicas": 0}}, {"metadata": {"labels": {LABEL: None}}}])
    def test_a_replica_set(self, serving: Place, mallory: Person, body: Any) -> None:
        (name,) = serving.replica_sets()
        refused(patch(mallory, serving.path(APPS, "replicasets", name), body, STRATEGIC), f"mallory may not change replicasets/{name}")
        refused(mallory.send("DELETE", serving.path(APPS, "replicasets", name)), f"mallory may not delete replicasets/{name}")

    @pytest.mark.parametrize(
        "body",
        [
            {"spec": {"containers": [{"name": "model", "image": "registry.example/evil:1"}]}},
            {"metadata": {"labels": {"a": "b"}}},
            {"metadata": {"labels": {"app": "y"}}},
            {"metadata": {"labels": {LABEL: None}}},
            {"metadata": {"labels": {LABEL: "other"}}},
            {"metadata": {"annotations": {"slipway.dev/digest": "sha256:0"}}},
            {"metadata": {"ownerReferences": [{"$patch": "replace"}]}},
        ],
        ids=["image", "add-label", "change-label", "remove-label", "move", "digest", "owner"],
    )
    def test_a_pod(self, serving: Place, mallory: Person, body: Any) -> None:
        name = serving.pods()[0]["metadata"]["name"]
        refused(patch(mallory, serving.path("/api/v1", "pods", name), body, STRATEGIC), f"mallory may not change pods/{name}")

    def test_a_slice(self, serving: Place, mallory: Person) -> None:
        (name,) = serving.slices()
        path = serving.path(SLICES, "endpointslices", name)
        endpoints = {"endpoints": [{"addresses": ["10.6.6.6"]}]}
        for answer in (patch(mallory, path, endpoints), patch(mallory, path, {"metadata": {"labels": {LABEL: None}}})):
            refused(answer, f"mallory may not write endpointslices/{name}: it could take a model's callers")
        refused(mallory.send("DELETE", path), f"mallory may not write endpointslices/{name}")

    def test_the_endpoints(self, serving: Place, mallory: Person) -> None:
        path = serving.path("/api/v1", "endpoints", "churn")
        until(lambda: mallory.send("GET", path).landed, 60, "Endpoints of the Service")
        body = {"subsets": [{"addresses": [{"ip": "10.6.6.6"}], "ports": [{"name": "http", "port": 8080}]}]}
        refused(patch(mallory, path, body), "mallory may not write endpoints/churn")


class TestRevisions:
    """What is written down as approved."""

    def test_nobody_forges_changes_or_deletes_one(self, place: Place, operator: Person, mallory: Person) -> None:
        owner = place.register()
        revision = {"apiVersion": "apps/v1", "kind": "ControllerRevision", "metadata": owned("churn", owner), "revision": 1}
        path = place.path(APPS, "controllerrevisions")
        forged = revision | {"metadata": owned("churn-2", owner), "data": {"approved": {}}}
        refused(mallory.send("POST", path, forged), "may not create controllerrevisions with the label slipway.dev/deployment")
        landed(operator.send("POST", path, revision | {"data": {"approved": {"how": "Approved"}}}))
        refused(patch(mallory, f"{path}/churn", {"revision": 2}), "mallory may not change controllerrevisions/churn")
        refused(mallory.send("DELETE", f"{path}/churn"), "mallory may not delete controllerrevisions/churn")
        landed(operator.send("DELETE", f"{path}/churn"))

    def test_a_deposed_operator_writes_none(self, serving: Place) -> None:
        deposed = Person(serving.plane, cast.operator(serving.plane).name, pod="slipway-operator-1")
        revision = {"apiVersion": "apps/v1", "kind": "ControllerRevision", "metadata": owned("churn-1", None), "revision": 1, "data": {}}
        refused(
            deposed.send("POST", serving.path(APPS, "controllerrevisions"), revision),
            "slipway: deposed:",
            "the leader is slipway-operator-0",
        )


def test_where_no_stage_is_rights_decide(place_of: Any, mallory: Person) -> None:
    place = place_of(stage=None)
    place.operate("/api/v1", "services", service(owned("churn", None)))
    landed(patch(mallory, place.path("/api/v1", "services", "churn"), {"spec": {"selector": {"app": "mine"}}}))
    landed(mallory.send("DELETE", place.path("/api/v1", "services", "churn")))
    until(partial(place.kube.get, "ServiceAccount", place.namespace, "default"), 60, "the namespace's service account")
