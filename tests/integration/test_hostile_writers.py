"""Somebody who changes what is ours as fast as the apiserver lets them: repairs stay few, the conflict is named, others are not slowed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from slipway.reconcile.contests import FREE_REPAIRS
from slipway.reconcile.status_writer import STATUS_BUDGET
from tests.audit import writes
from tests.cluster.control_plane import ControlPlane
from tests.integration.samples import apply_all, await_child, await_reason, deployment, event_messages
from tests.kube import Kube, Manifest, Refusal
from tests.wait import until

pytestmark = pytest.mark.usefixtures("operator")

ENOUGH = 200
"""Hostile writes that make a fight: many times what the operator may answer."""
MOST_REPAIRS = FREE_REPAIRS + 8
"""More would take a fight of ten minutes."""


class Enemy:
    """Writes in a thread of its own until told to stop."""

    def __init__(self, plane: ControlPlane, act: Callable[[Kube, int], None]) -> None:
        self.writes = 0
        self.began = time.monotonic()
        self._kube = Kube(plane.kubeconfig)
        self._act = act
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.is_set():
            with suppress(Refusal):  # what is not there cannot be changed
                self._act(self._kube, self.writes)
                self.writes += 1

    def stop(self) -> float:
        """Returns for how many seconds it fought."""
        self._stop.set()
        self._thread.join(60)
        assert not self._thread.is_alive()
        return time.monotonic() - self.began


@contextmanager
def enemy(plane: ControlPlane, act: Callable[[Kube, int], None]) -> Iterator[Enemy]:
    fighter = Enemy(plane, act)
    try:
        yield fighter
    finally:
        fighter.stop()


def patch(kube: Kube, path: str, change: Manifest) -> None:
    kube.call("PATCH", path, change, "application/merge-patch+json", fieldManager="flipper")


def ours(plane: ControlPlane, namespace: str, resource: str, subresource: str | None = None) -> int:
    """The operator's accepted writes to the resource called churn."""
    found = writes(plane.audit_log, user_agent="slipway-operator/", namespace=namespace)
    references = [entry["objectRef"] for entry in found]
    return sum(
        1
        for reference in references
        if (reference["namespace"], reference["resource"], reference.get("name")) == (namespace, resource, "churn")
        and reference.get("subresource") == subresource
    )


def contested(kube: Kube, namespace: str) -> str:
    condition = kube.condition("churn", namespace, "Contested")
    return str(condition["message"]) if condition else ""


def test_a_template_that_is_flipped_without_end(kube: Kube, namespace: str, control_plane: ControlPlane) -> None:
    apply_all(kube, namespace)
    await_reason(kube, namespace, "Progressing")
    await_child(kube, "Deployment", namespace)
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/churn"

    def flip(admin: Kube, number: int) -> None:
        patch(admin, path, {"spec": {"template": {"spec": {"priorityClassName": None, "hostname": f"evil-{number}", "subdomain": "x"}}}})
        change = [{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": f"evil:{number}"}]
        admin.call("PATCH", path, change, "application/json-patch+json", fieldManager="flipper")

    with enemy(control_plane, flip) as fighter:
        until(lambda: "Deployment churn is changed again and again by field manager flipper" in contested(kube, namespace), 60, "a name")
        kube.apply(deployment(namespace, "other"))
        await_child(kube, "Deployment", namespace, "other")
        await_reason(kube, namespace, "Progressing", "other")
        until(lambda: fighter.writes >= ENOUGH, 60, "a fight")
        seconds = fighter.stop()
    assert ours(control_plane, namespace, "deployments") <= MOST_REPAIRS
    assert ours(control_plane, namespace, "modeldeployments", "status") <= STATUS_BUDGET[0] + 2 + seconds / STATUS_BUDGET[1]
    assert await_reason(kube, namespace, "ChildContested")["status"] == "False"
    assert len(event_messages(kube, namespace, "Contested")) == 1


def test_a_service_that_is_deleted_without_end(kube: Kube, namespace: str, control_plane: ControlPlane) -> None:
    apply_all(kube, namespace)
    await_reason(kube, namespace, "Progressing")
    await_child(kube, "Service", namespace)
    path = f"/api/v1/namespaces/{namespace}/services/churn"
    with enemy(control_plane, lambda admin, _: admin.call("DELETE", path)) as fighter:
        until(lambda: "Service churn is deleted or changed again and again" in contested(kube, namespace), 60, "the contest to be said")
        kube.apply(deployment(namespace, "other"))
        await_child(kube, "Service", namespace, "other")
        fighter.stop()
    assert FREE_REPAIRS <= ours(control_plane, namespace, "services") <= MOST_REPAIRS
    assert len(event_messages(kube, namespace, "Contested")) == 1
    await_child(kube, "Service", namespace)  # the enemy has gone: the next repair, after the wait, holds


def test_a_status_that_is_written_without_end(kube: Kube, namespace: str, control_plane: ControlPlane) -> None:
    apply_all(kube, namespace)
    await_reason(kube, namespace, "Progressing")
    path = f"/apis/slipway.dev/v1alpha1/namespaces/{namespace}/modeldeployments/churn/status"

    def lie(admin: Kube, number: int) -> None:
        patch(admin, path, {"status": {"phase": "Serving", "readyReplicas": number}})

    with enemy(control_plane, lie) as fighter:
        said = "the status is changed again and again by field manager flipper"
        until(lambda: said in contested(kube, namespace), 60, "the condition")
        until(lambda: any(said in message for message in event_messages(kube, namespace, "Contested")), 60, "the Event")
        kube.apply(deployment(namespace, "other"))
        await_reason(kube, namespace, "Progressing", "other")
        until(lambda: fighter.writes >= ENOUGH, 60, "a fight")
        seconds = fighter.stop()
    assert ours(control_plane, namespace, "modeldeployments", "status") <= STATUS_BUDGET[0] + 2 + seconds / STATUS_BUDGET[1]
    until(lambda: (kube.get("ModelDeployment", namespace, "churn") or {})["status"]["phase"] == "Progressing", 30, "the truth")
