"""Nothing that serves goes by the back door."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.governance import cast
from tests.integration.governance.place import Place, landed, patch, refused
from tests.integration.people import Person
from tests.integration.samples import deployment, model, version
from tests.kube import Kube
from tests.wait import until

OWNER = {"apiVersion": "v1", "kind": "ConfigMap", "name": "gone", "uid": "1"}
SERVING: dict[str, Any] = {"observedGeneration": 1, "phase": "Serving", "approvedRevision": "v1:" + "3" * 64, "readyReplicas": 1}


@pytest.fixture(scope="module")
def alice(serving: Place, kube: Kube, mallory: Person) -> Person:
    """As mighty as mallory."""
    cast.bind(kube, "mighty", "alice@example.com")
    who = cast.person(serving.plane, "alice@example.com")
    cast.await_right(who, "delete", "modeldeployments")
    return who


def served(place: Place, by: Person) -> None:
    place.kube.apply(model(place.namespace))
    place.kube.apply(version(place.namespace))
    landed(by.send("POST", place.mine(name=""), deployment(place.namespace)))
    place.report("modeldeployments", "churn", **SERVING)
    place.report("models", "churn", deployments=1)
    place.report("modelversions", "churn-3", deployments=1)


class TestModelDeployments:
    def test_one_that_serves_is_retired_first(self, place: Place, alice: Person, mallory: Person) -> None:
        served(place, alice)
        said = (
            "may not delete ModelDeployment churn: set spec.retire: true, have it approved, and delete it when its status.phase is Retired"
        )
        for who in (alice, mallory, Person(place.plane, "admin")):
            refused(who.send("DELETE", place.mine()), f"{who.name} {said}")
        refused(mallory.send("DELETE", place.mine(name="")), said)
        landed(patch(alice, place.mine(), {"spec": {"retire": True}}))
        refused(alice.send("DELETE", place.mine()), said)

    def test_by_those_who_asked_for_that(self, place: Place, alice: Person, mallory: Person) -> None:
        served(place, alice)
        landed(patch(alice, place.mine(), {"spec": {"retire": True}}))
        place.report("modeldeployments", "churn", phase="Retired", readyReplicas=0, observedGeneration=2)
        refused(mallory.send("DELETE", place.mine()), 'it is retired, and those who asked for that may delete it: "alice@example.com"')
        landed(alice.send("DELETE", place.mine()))

    def test_a_part_of_a_name_is_no_name(self, place: Place, alice: Person, kube: Kube) -> None:
        served(place, alice)
        landed(patch(alice, place.mine(), {"spec": {"retire": True}}))
        place.report("modeldeployments", "churn", phase="Retired")
        for name in ("alice", "example.com", 'alice@example.com"', '","'):
            refused(Person(place.plane, name).send("DELETE", place.mine()), "those who asked for that may delete it")

    def test_coming_back_closes_the_door(self, place: Place, alice: Person) -> None:
        served(place, alice)
        landed(patch(alice, place.mine(), {"spec": {"retire": True}}))
        place.report("modeldeployments", "churn", phase="Retired", observedGeneration=2)
        landed(patch(alice, place.mine(), {"spec": {"retire": False}}))
        refused(alice.send("DELETE", place.mine()), "set spec.retire: true, have it approved")

    def test_what_was_never_approved_and_serves_nobody_is_free(self, place: Place, mallory: Person) -> None:
        place.register()
        landed(mallory.send("DELETE", place.mine()))
        place.register()
        place.report("modeldeployments", "churn", observedGeneration=1, readyReplicas=1)
        refused(mallory.send("DELETE", place.mine()), "set spec.retire: true")
        place.report("modeldeployments", "churn", observedGeneration=1, readyReplicas=0)
        landed(mallory.send("DELETE", place.mine()))

    def test_where_no_stage_is_rights_decide(self, place_of: Any, alice: Person, mallory: Person) -> None:
        place = place_of(stage=None)
        served(place, alice)
        landed(mallory.send("DELETE", place.mine()))


class TestRegistered:
    @pytest.mark.parametrize(("plural", "name", "kind"), [("models", "churn", "Model"), ("modelversions", "churn-3", "ModelVersion")])
    def test_what_serves_is_kept(self, place: Place, alice: Person, mallory: Person, plural: str, name: str, kind: str) -> None:
        served(place, alice)
        path = place.mine(plural, name)
        said = f"mallory may not delete {kind} {name}: 1 ModelDeployments serve it; retire them, or let them serve something else, before"
        refused(mallory.send("DELETE", path), said)
        refused(mallory.send("DELETE", place.mine(plural, "")), said)
        place.report(plural, name, deployments=0)
        landed(mallory.send("DELETE", path))


class TestOwners:
    """The garbage collector deletes what has an owner that is not there; so nobody gives it one."""

    @pytest.mark.parametrize(("plural", "name"), [("modeldeployments", "churn"), ("models", "churn"), ("modelversions", "churn-3")])
    def test_nobody_gives_one(self, serving: Place, mallory: Person, plural: str, name: str) -> None:
        answer = patch(mallory, serving.mine(plural, name), {"metadata": {"ownerReferences": [OWNER]}})
        refused(answer, "metadata.ownerReferences must be left out where a namespace has a stage: deleting the owner would delete this")

    def test_nor_at_creation(self, place: Place, mallory: Person) -> None:
        manifest = model(place.namespace)
        manifest["metadata"]["ownerReferences"] = [OWNER]
        refused(mallory.send("POST", place.mine("models", ""), manifest), "metadata.ownerReferences must be left out")

    def test_those_from_before_the_stage_may_stay_or_go(self, place_of: Any, mallory: Person, kube: Kube) -> None:
        place: Place = place_of(stage=None)
        owner = kube.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "owner", "namespace": place.namespace}})[
            "metadata"
        ]
        manifest = model(place.namespace)
        manifest["metadata"]["ownerReferences"] = [OWNER | {"name": "owner", "uid": owner["uid"]}]
        landed(mallory.send("POST", place.mine("models", ""), manifest))
        kube.call(
            "PATCH",
            f"/api/v1/namespaces/{place.namespace}",
            {"metadata": {"labels": {"slipway.dev/stage": "x"}}},
            "application/merge-patch+json",
        )
        until(
            lambda: not mallory.send("POST", place.mine("models", "") + "?dryRun=All", owned_model(place)).landed, 60, "the stage to count"
        )
        landed(patch(mallory, place.mine("models", "churn"), {"spec": {"description": "who leaves?"}}))
        landed(patch(mallory, place.mine("models", "churn"), {"metadata": {"ownerReferences": None}}))


def owned_model(place: Place) -> dict[str, Any]:
    manifest = model(place.namespace, "another")
    manifest["metadata"]["ownerReferences"] = [OWNER]
    return manifest
