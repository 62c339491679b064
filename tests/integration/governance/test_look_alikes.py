"""Whatever carries the label comes from the operator and Kubernetes' controllers, or not at all: it would take a model's callers."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.governance import cast
from tests.integration.governance.place import (
    APPS,
    BATCH,
    LABEL,
    SLICES,
    Place,
    landed,
    owned,
    patch,
    pod_template,
    refused,
    service,
    workload,
)
from tests.integration.people import Person
from tests.kube import Manifest

CORE, POLICY, SCALING, NET = "/api/v1", "/apis/policy/v1", "/apis/autoscaling/v2", "/apis/networking.k8s.io/v1"
FREE = {"metadata": {"labels": {LABEL: "free"}}}


def plain(name: str) -> dict[str, Any]:
    """Without the label on the object itself."""
    return {"name": name}


def job(meta: dict[str, Any]) -> Manifest:
    template = pod_template("churn")
    template["spec"]["restartPolicy"] = "Never"
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": {"template": template}}


def cron_job(meta: dict[str, Any]) -> Manifest:
    spec = {"schedule": "0 0 * * *", "jobTemplate": {"spec": job(meta)["spec"]}}
    return {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": meta, "spec": spec}


def pod(meta: dict[str, Any]) -> Manifest:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": pod_template("churn")["spec"]}


def slice_of(meta: dict[str, Any]) -> Manifest:
    endpoint = {"addresses": ["10.6.6.6"], "conditions": {"ready": True}}
    return {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": meta, "addressType": "IPv4", "endpoints": [endpoint]}


def controller(meta: dict[str, Any]) -> Manifest:
    spec = {"selector": {LABEL: "churn", "app": "x"}, "template": pod_template("churn")}
    return {"apiVersion": "v1", "kind": "ReplicationController", "metadata": meta, "spec": spec}


def budget(meta: dict[str, Any]) -> Manifest:
    spec = {"minAvailable": 9, "selector": {"matchLabels": {LABEL: "churn"}}}
    return {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": meta, "spec": spec}


def network_policy(meta: dict[str, Any]) -> Manifest:
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": meta, "spec": {"podSelector": {}, "ingress": [{}]}}


LABELLED = owned("fake", None)
FAKES: dict[str, tuple[str, str, Manifest]] = {
    "pod": (CORE, "pods", pod(LABELLED)),
    "replicaset": (APPS, "replicasets", workload("ReplicaSet", LABELLED, "churn")),
    "replicaset-by-template": (APPS, "replicasets", workload("ReplicaSet", plain("fake"), "churn")),
    "deployment": (APPS, "deployments", workload("Deployment", LABELLED, "churn")),
    "deployment-by-template": (APPS, "deployments", workload("Deployment", plain("fake"), "churn")),
    "statefulset-by-template": (APPS, "statefulsets", workload("StatefulSet", plain("fake"), "churn")),
    "daemonset-by-template": (APPS, "daemonsets", workload("DaemonSet", plain("fake"), "churn")),
    "replicationcontroller-by-template": (CORE, "replicationcontrollers", controller(plain("fake"))),
    "job-by-template": (BATCH, "jobs", job(plain("fake"))),
    "cronjob-by-template": (BATCH, "cronjobs", cron_job(plain("fake"))),
    "service": (CORE, "services", service(LABELLED)),
    "serviceaccount": (CORE, "serviceaccounts", {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": LABELLED}),
    "poddisruptionbudget": (POLICY, "poddisruptionbudgets", budget(LABELLED)),
    "networkpolicy": (NET, "networkpolicies", network_policy(LABELLED)),
}


@pytest.mark.parametrize("fake", FAKES)
def test_nobody_makes_one(serving: Place, mallory: Person, fake: str) -> None:
    root, plural, manifest = FAKES[fake]
    answer = mallory.send("POST", serving.path(root, plural), manifest)
    refused(answer, f"mallory may not create {plural} with the label slipway.dev/deployment, which is for what Slipway makes: leave it out")


@pytest.mark.parametrize("labels", [{"kubernetes.io/service-name": "churn"}, {LABEL: "churn"}, {"kubernetes.io/service-name": "another"}])
def test_nobody_makes_a_slice(serving: Place, mallory: Person, labels: dict[str, str]) -> None:
    answer = mallory.send("POST", serving.path(SLICES, "endpointslices"), slice_of({"name": "fake", "labels": labels}))
    refused(
        answer,
        "mallory may not write endpointslices/fake: it could take a model's callers. Give your Service a selector, or write Endpoints",
    )


def test_nobody_makes_labelled_endpoints(serving: Place, mallory: Person) -> None:
    manifest = {"apiVersion": "v1", "kind": "Endpoints", "metadata": owned("fake", None)}
    refused(mallory.send("POST", serving.path(CORE, "endpoints"), manifest), "mallory may not write endpoints/fake")


def test_a_controller_makes_only_its_own(serving: Place) -> None:
    """A Job's, a StatefulSet's or a ReplicaSet's look-alike from before the stage would come through them."""
    for name, (root, plural, manifest) in {
        "job-controller": FAKES["pod"],
        "statefulset-controller": FAKES["pod"],
        "daemon-set-controller": FAKES["pod"],
        "replicaset-controller": FAKES["replicaset"],
        "deployment-controller": FAKES["deployment-by-template"],
        "cronjob-controller": FAKES["job-by-template"],
    }.items():
        refused(cast.controller(serving.plane, name).send("POST", serving.path(root, plural), manifest), f"{name} may not create {plural}")


class TestFree:
    """What has not to do with models is nobody's business."""

    def test_workloads_without_the_label(self, place: Place, mallory: Person) -> None:
        template = {"metadata": {"labels": {"app": "x"}}, "spec": pod_template("x")["spec"]}
        spec = {"selector": {"matchLabels": {"app": "x"}}, "template": template}
        landed(
            mallory.send(
                "POST",
                place.path(APPS, "deployments"),
                {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": plain("free"), "spec": spec},
            )
        )
        path = place.path(APPS, "deployments", "free")
        landed(patch(mallory, path, {"spec": {"replicas": 2}}))
        refused(patch(mallory, path, {"spec": {"template": FREE}}), "may not change deployments/free: change the ModelDeployment instead")
        refused(patch(mallory, path, FREE), "may not change deployments/free")
        landed(mallory.send("DELETE", path))

    def test_a_service_of_ones_own_that_selects_a_models_pods(self, place: Place, mallory: Person) -> None:
        """It only reads."""
        spec = {"selector": {LABEL: "churn"}, "ports": [{"port": 80}]}
        landed(
            mallory.send(
                "POST", place.path(CORE, "services"), {"apiVersion": "v1", "kind": "Service", "metadata": plain("mine"), "spec": spec}
            )
        )

    def test_endpoints_of_a_service_without_a_selector(self, place: Place, mallory: Person) -> None:
        subsets = [{"addresses": [{"ip": "192.0.2.1"}], "ports": [{"port": 80}]}]
        manifest = {"apiVersion": "v1", "kind": "Endpoints", "metadata": plain("outside"), "subsets": subsets}
        landed(mallory.send("POST", place.path(CORE, "endpoints"), manifest))

    def test_what_has_no_owner_any_more_may_be_deleted(self, place: Place, mallory: Person) -> None:
        place.operate(CORE, "services", service(owned("orphan", None)))
        landed(mallory.send("DELETE", place.path(CORE, "services", "orphan")))
