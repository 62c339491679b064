"""A namespace's stage, and a namespace that has one, belong to those who write the policies."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.governance import cast
from tests.integration.governance.place import STAGE, Place, landed, patch, refused
from tests.integration.people import Person
from tests.kube import Kube
from tests.wait import until

NAMESPACES = "/api/v1/namespaces"


@pytest.fixture(scope="module", autouse=True)
def in_effect(mallory: Person) -> None:
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "probed", "labels": {STAGE: "x"}}}
    until(lambda: not mallory.send("POST", f"{NAMESPACES}?dryRun=All", body).landed, 60, "the policy to hold")


@pytest.fixture(scope="module")
def paula(serving: Place, kube: Kube) -> Person:
    """A policy admin who may write namespaces."""
    writes = [{"apiGroups": [""], "resources": ["namespaces"], "verbs": ["create", "update", "patch", "delete"]}]
    cast.cluster_role(kube, "writes-namespaces", writes)
    for role in ("writes-namespaces", "slipway-policy-admin"):
        cast.bind(kube, role, "paula")
    who = cast.person(serving.plane, "paula")
    cast.await_right(who, "update", "approvalpolicies")
    cast.await_right(who, "delete", "namespaces", group="")
    return who


@pytest.mark.parametrize("value", [None, "staging", ""])
@pytest.mark.parametrize("subresource", ["", "/status"])
def test_nobody_else_changes_a_stage(serving: Place, mallory: Person, value: str | None, subresource: str) -> None:
    path = f"{NAMESPACES}/{serving.namespace}{subresource}"
    answer = patch(mallory, path, {"metadata": {"labels": {STAGE: value}}})
    refused(
        answer,
        f"mallory may not set, change or remove slipway.dev/stage of namespace {serving.namespace}: "
        "ask somebody who may update approvalpolicies (ClusterRole slipway-policy-admin)",
    )


def test_nor_by_finalizing(serving: Place, mallory: Person, kube: Kube) -> None:
    found = kube.get("Namespace", None, serving.namespace) or {}
    del found["metadata"]["labels"][STAGE]
    refused(mallory.send("PUT", f"{NAMESPACES}/{serving.namespace}/finalize", found), "may not set, change or remove slipway.dev/stage")


def test_nor_gives_one(place_of: Any, mallory: Person) -> None:
    place = place_of(stage=None)
    refused(
        patch(mallory, f"{NAMESPACES}/{place.namespace}", {"metadata": {"labels": {STAGE: "staging"}}}), "may not set, change or remove"
    )
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "new", "labels": {STAGE: "staging"}}}
    refused(mallory.send("POST", NAMESPACES, body), "may not set, change or remove slipway.dev/stage of namespace new")


def test_nor_deletes_one_that_has_it(serving: Place, mallory: Person) -> None:
    answer = mallory.send("DELETE", f"{NAMESPACES}/{serving.namespace}")
    refused(
        answer, f"mallory may not delete namespace {serving.namespace}, which has a stage: ask somebody who may update approvalpolicies"
    )


def test_nor_lets_the_garbage_collector_do_it(serving: Place) -> None:
    collector = cast.person(serving.plane, "system:serviceaccount:kube-system:generic-garbage-collector")
    until(lambda: cast.may(collector, "delete", "namespaces", group=""), 60, "the collector's rights")
    refused(collector.send("DELETE", f"{NAMESPACES}/{serving.namespace}"), "may not delete namespace")


def test_everything_else_about_namespaces_is_free(serving: Place, place_of: Any, mallory: Person) -> None:
    landed(patch(mallory, f"{NAMESPACES}/{serving.namespace}", {"metadata": {"labels": {"team": "growth"}}}))
    landed(mallory.send("DELETE", f"{NAMESPACES}/{place_of(stage=None).namespace}"))


def test_a_policy_admin_does_all_that(place_of: Any, paula: Person, kube: Kube) -> None:
    """And a namespace goes with all that is in it."""
    place: Place = place_of(stage=None)
    path = f"{NAMESPACES}/{place.namespace}"
    for stage in ("staging", None, "production"):
        landed(patch(paula, path, {"metadata": {"labels": {STAGE: stage}}}))
    owner = place.register()
    place.serve(owner=owner)
    place.report("modeldeployments", "churn", readyReplicas=1, approvedRevision="v1:0")
    place.report("modelversions", "churn-3", deployments=1)
    landed(paula.send("DELETE", path))
    until(lambda: all_but_pods_gone(place), 120, "the namespace to be emptied")
    for pod in kube.list("Pod", place.namespace):  # no node ends them
        kube.delete("Pod", place.namespace, pod["metadata"]["name"], gracePeriodSeconds="0")
    until(lambda: kube.get("Namespace", None, place.namespace) is None, 120, "the namespace to go")


def all_but_pods_gone(place: Place) -> bool:
    kinds = ("ModelDeployment", "ModelVersion", "Model", "Deployment", "Service")
    return not any(place.kube.list(kind, place.namespace) for kind in kinds)
