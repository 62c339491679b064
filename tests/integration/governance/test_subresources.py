"""The ways round: scale, exec, attach, ephemeral containers, resize, status."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.governance import cast
from tests.integration.governance.place import APPS, Place, landed, patch, refused
from tests.integration.people import Person
from tests.kube import Kube
from tests.wait import until

STRATEGIC = "application/strategic-merge-patch+json"
DEBUG = {"spec": {"ephemeralContainers": [{"name": "debug", "image": "registry.example/debug:1", "targetContainerName": "model"}]}}
RESIZE = {"spec": {"containers": [{"name": "model", "resources": {"requests": {"cpu": "20m"}}}]}}


@pytest.fixture(scope="module")
def oscar(serving: Place, kube: Kube) -> Person:
    """As mighty as mallory, and with the verb `override` in this namespace."""
    cast.cluster_role(kube, "overrides", [{"apiGroups": ["slipway.dev"], "resources": ["modeldeployments"], "verbs": ["override"]}])
    cast.cluster_role(kube, "mighty", cast.MIGHTY)
    cast.bind(kube, "mighty", "oscar-the-mighty")
    cast.bind(kube, "overrides", "oscar-the-mighty", serving.namespace)
    who = cast.person(serving.plane, "oscar-the-mighty")
    cast.await_right(who, "override", "modeldeployments", serving.namespace)
    cast.await_right(who, "create", "pods/exec", serving.namespace, group="")
    return who


class TestScale:
    @pytest.mark.parametrize("replicas", [0, 9])
    def test_a_child(self, serving: Place, mallory: Person, replicas: int) -> None:
        (replica_set,) = serving.replica_sets()
        for plural, name in (("deployments", "churn"), ("replicasets", replica_set)):
            answer = patch(mallory, serving.path(APPS, plural, name, "scale"), {"spec": {"replicas": replicas}})
            refused(
                answer, f"mallory may not scale {plural}/{name}, which belongs to a ModelDeployment: change replicas or autoscaling there"
            )

    def test_a_model_deployment_to_and_from_nothing(self, place: Place, mallory: Person) -> None:
        """Between other numbers it is no change that an approval covers."""
        place.register()
        path = place.mine(subresource="scale")
        landed(patch(mallory, path, {"spec": {"replicas": 3}}))
        said = "to start or stop a ModelDeployment is a change that carries a name: edit its spec.replicas"
        refused(patch(mallory, path, {"spec": {"replicas": 0}}), said)
        landed(patch(mallory, place.mine(), {"spec": {"replicas": 0}}))
        refused(patch(mallory, path, {"spec": {"replicas": 1}}), said)

    def test_what_is_not_a_models(self, place: Place, mallory: Person) -> None:
        template = {"metadata": {"labels": {"app": "x"}}, "spec": {"containers": [{"name": "a", "image": "a"}]}}
        spec = {"selector": {"matchLabels": {"app": "x"}}, "replicas": 0, "template": template}
        manifest = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "mine"}, "spec": spec}
        landed(mallory.send("POST", place.path(APPS, "deployments"), manifest))
        landed(patch(mallory, place.path(APPS, "deployments", "mine", "scale"), {"spec": {"replicas": 1}}))


class TestPods:
    @pytest.mark.parametrize("way", ["exec", "attach"])
    def test_nobody_goes_into_one(self, serving: Place, mallory: Person, way: str) -> None:
        name = serving.pods()[0]["metadata"]["name"]
        query = "?command=sh&stdout=true" if way == "exec" else "?stdout=true"
        answer = mallory.send("POST", serving.path("/api/v1", "pods", name, way) + query)
        refused(answer, f"{serving.namespace} has a stage, so mallory may not go into its pods: read their logs, or, in an emergency")

    def test_nor_into_any_other_of_the_namespace(self, place: Place, mallory: Person) -> None:
        """The apiserver does not tell a policy whose pod it is."""
        place.register()
        until(lambda: place.kube.get("ServiceAccount", place.namespace, "default"), 60, "the namespace's service account")
        manifest = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "mine"}, "spec": {"containers": [{"name": "a", "image": "a"}]}}
        landed(mallory.send("POST", place.path("/api/v1", "pods"), manifest))
        refused(mallory.send("POST", place.path("/api/v1", "pods", "mine", "exec") + "?command=sh&stdout=true"), "may not go into its pods")
        landed(patch(mallory, place.path("/api/v1", "pods", "mine", "ephemeralcontainers"), {"spec": debug("a")}, STRATEGIC))

    @pytest.mark.parametrize(("way", "body"), [("ephemeralcontainers", DEBUG), ("resize", RESIZE)])
    def test_nobody_changes_one(self, serving: Place, mallory: Person, way: str, body: Any) -> None:
        name = serving.pods()[0]["metadata"]["name"]
        answer = patch(mallory, serving.path("/api/v1", "pods", name, way), body, STRATEGIC)
        refused(answer, f"mallory may not change pods/{name} through {way}: it belongs to a ModelDeployment")


class TestOverride:
    """For emergencies, and where it was granted."""

    def test_it_opens_these_ways(self, serving: Place, oscar: Person) -> None:
        name = serving.pods()[0]["metadata"]["name"]
        answer = oscar.send("POST", serving.path("/api/v1", "pods", name, "exec") + "?command=sh&stdout=true")
        assert "does not have a host assigned" in answer.message, "past the policies, where a node would be asked"
        landed(patch(oscar, serving.path("/api/v1", "pods", name, "ephemeralcontainers") + "?dryRun=All", DEBUG, STRATEGIC))
        landed(
            oscar.send("PATCH", serving.path(APPS, "deployments", "churn", "scale") + "?dryRun=All", {"spec": {"replicas": 3}}, STRATEGIC)
        )

    def test_but_not_to_change_what_was_approved(self, serving: Place, oscar: Person) -> None:
        refused(patch(oscar, serving.path(APPS, "deployments", "churn"), {"spec": {"replicas": 9}}), "may not change deployments/churn")


class TestStatus:
    @pytest.mark.parametrize(("plural", "name"), [("modeldeployments", "churn"), ("models", "churn"), ("modelversions", "churn-3")])
    def test_the_operator_alone_writes_it(self, serving: Place, mallory: Person, plural: str, name: str) -> None:
        answer = patch(mallory, serving.mine(plural, name, "status"), {"status": {"observedGeneration": 9}})
        refused(answer, f"mallory may not write the status of {plural}/{name}: it is the operator's; change the spec instead")

    def test_also_where_no_stage_is(self, place_of: Any, mallory: Person) -> None:
        place = place_of(stage=None)
        place.register()
        refused(patch(mallory, place.mine(subresource="status"), {"status": {"approvedRevision": "v1:0"}}), "may not write the status of")
        place.report("modeldeployments", "churn", observedGeneration=1)


def debug(container: str) -> dict[str, Any]:
    return {"ephemeralContainers": [{"name": "debug", "image": "registry.example/debug:1", "targetContainerName": container}]}
