"""Watch events that never arrive: what they would have told is found out all the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.cluster.control_plane import ControlPlane
from tests.faults.lab import Lab, behind_proxy
from tests.faults.proxy import Gap
from tests.integration.samples import apply_all, deployment, version
from tests.kube import Kube, Manifest
from tests.wait import until

SECONDS = 60
CHURN = ("Service", "churn")


@pytest.fixture
def lab(plane: ControlPlane) -> Iterator[Lab]:
    """With a full pass every second."""
    with behind_proxy(plane, SLIPWAY_FULL_PASS_SECONDS="1") as found, found.operator:
        apply_all(found.kube, found.namespace)
        await_children(found.kube, found.namespace, "churn")
        yield found


def await_children(kube: Kube, namespace: str, name: str) -> None:
    until(lambda: kube.get("Deployment", namespace, name), SECONDS, f"the children of {name}")


def lose(lab: Lab, resource: str, kind: str, name: str) -> Callable[[], bool]:
    """From now on events of that type about that object are lost; the answer tells whether one was."""
    lab.proxy.watches.lost = lambda of, event: (of, event["type"], event["object"]["metadata"]["name"]) == (resource, kind, name)
    return lambda: bool(lab.proxy.watches.swallowed)


def test_a_childs_deletion(lab: Lab) -> None:
    before = lab.kube.get("Service", lab.namespace, "churn") or {}
    lost = lose(lab, "services", "DELETED", "churn")
    lab.kube.delete("Service", lab.namespace, "churn")

    def made_again() -> Manifest | None:
        found = lab.kube.get("Service", lab.namespace, "churn")
        return found if found and found["metadata"]["uid"] != before["metadata"]["uid"] else None

    until(made_again, SECONDS, "the Service to be made again")
    assert lost()


def test_a_deployments_deletion(lab: Lab) -> None:
    lab.kube.apply(deployment(lab.namespace, "other"))
    await_children(lab.kube, lab.namespace, "other")
    until(lambda: users(lab) == 2, SECONDS, "both to be counted")
    lost = lose(lab, "modeldeployments", "DELETED", "other")
    lab.kube.delete("ModelDeployment", lab.namespace, "other")
    until(lambda: users(lab) == 1, SECONDS, "the deletion to be counted")
    until(lambda: lab.kube.get("Deployment", lab.namespace, "other") is None, SECONDS, "the children to be collected")
    assert lost()


def users(lab: Lab) -> int:
    return int((lab.kube.get("Model", lab.namespace, "churn") or {}).get("status", {}).get("deployments", 0))


def test_a_creation(lab: Lab) -> None:
    lost = lose(lab, "modeldeployments", "ADDED", "other")
    lab.kube.apply(deployment(lab.namespace, "other"))
    await_children(lab.kube, lab.namespace, "other")
    assert lost()


def test_an_edit(lab: Lab) -> None:
    lost = lose(lab, "modeldeployments", "MODIFIED", "churn")
    lab.kube.apply(deployment(lab.namespace, replicas=3))
    until(lambda: lab.kube.get("PodDisruptionBudget", lab.namespace, "churn"), SECONDS, "the edit to arrive")
    assert lost()


def test_a_gap_that_ends_in_410(plane: ControlPlane) -> None:
    """Creations, an edit and a deletion in the gap; the stream says that it expired. No full pass comes to help but for the deletion."""
    with behind_proxy(plane, SLIPWAY_FULL_PASS_SECONDS="2") as lab, lab.operator:
        apply_all(lab.kube, lab.namespace)
        await_children(lab.kube, lab.namespace, "churn")
        told = sum(lab.proxy.watches.events.values())
        assert told
        seen = lab.proxy.watches.events["modeldeployments"]
        lab.proxy.watches.gap = Gap("modeldeployments", seen + 1, seen + 4)
        lab.kube.apply(version(lab.namespace, "4"))
        lab.kube.apply(deployment(lab.namespace, "second"))
        lab.kube.apply(deployment(lab.namespace, "third"))
        lab.kube.apply(deployment(lab.namespace, version="4"))
        lab.kube.delete("ModelDeployment", lab.namespace, "third")
        await_children(lab.kube, lab.namespace, "second")
        until(lambda: serves(lab, "4"), SECONDS, "version 4")
        until(lambda: users(lab) == 2, SECONDS, "the deletion to be counted")
        assert len(lab.proxy.watches.swallowed) == 4
        until(lambda: lab.kube.get("Deployment", lab.namespace, "third") is None, SECONDS, "no children to be left")


def serves(lab: Lab, number: str) -> bool:
    child = lab.kube.get("Deployment", lab.namespace, "churn") or {}
    return bool(child["spec"]["template"]["metadata"]["labels"]["slipway.dev/version"] == number)


def test_a_frozen_watch_holds_up_nobody_else_and_is_opened_anew(plane: ControlPlane) -> None:
    """No full pass comes to help: the silence itself is noticed."""
    with behind_proxy(plane, SLIPWAY_WATCH_INACTIVITY_SECONDS="5", SLIPWAY_FULL_PASS_SECONDS="3600") as lab, lab.operator:
        apply_all(lab.kube, lab.namespace)
        lab.kube.apply(deployment(lab.namespace, "other"))
        await_children(lab.kube, lab.namespace, "churn")
        await_children(lab.kube, lab.namespace, "other")
        until(lambda: lab.proxy.freeze("modeldeployments"), SECONDS, "an open watch")  # a quiet one is opened anew every five seconds
        opened = lab.proxy.watches.opened["modeldeployments"]
        lab.kube.apply(deployment(lab.namespace, replicas=3))
        lab.kube.delete("Service", lab.namespace, "other")
        until(lambda: lab.kube.get("Service", lab.namespace, "other"), SECONDS, "others' events to be heard")
        until(lambda: lab.kube.get("PodDisruptionBudget", lab.namespace, "churn"), SECONDS, "the edit to arrive")
        assert lab.proxy.watches.opened["modeldeployments"] > opened


def test_a_version_that_its_watch_has_not_told_of_is_not_called_missing(plane: ControlPlane) -> None:
    """How it ended would be told twice: missing, and then as it is."""
    with behind_proxy(plane, SLIPWAY_FULL_PASS_SECONDS="3600") as lab, lab.operator:
        apply_all(lab.kube, lab.namespace)
        await_children(lab.kube, lab.namespace, "churn")
        assert lab.proxy.freeze("modelversions")
        lab.kube.apply(version(lab.namespace, "4"))
        lab.kube.apply(deployment(lab.namespace, version="4"))
        until(lambda: serves(lab, "4"), SECONDS, "version 4")
        told = {event["reason"] for event in lab.kube.list("Event", lab.namespace)}
        assert "Stalled" not in told
