"""A restarted operator that is served an old view first, as by a lagging cache: nothing that it plans on it lands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from aiohttp import web

from tests.audit import writes
from tests.cluster.control_plane import ControlPlane
from tests.faults.lab import Lab, behind_proxy
from tests.faults.proxy import Call
from tests.faults.state import difference, snapshot
from tests.integration.samples import apply_all, deployment, model, version
from tests.wait import until

SECONDS = 60


@contextmanager
def restarted_on(plane: ControlPlane, old: Callable[[Lab], None], new: Callable[[Lab], None]) -> Iterator[Lab]:
    """An operator that has seen the state that `old` makes, wrote what `new` asks for, and starts anew on the first."""
    with behind_proxy(plane) as lab, lab.operator:
        old(lab)
        assert lab.proxy.keep_view() > 8
        new(lab)
        starts = lab.operator.starts
        lab.proxy.serve_old_view()
        lab.operator.kill()
        until(lambda: lab.operator.starts > starts, SECONDS, "a new start")
        yield lab


def test_an_old_version_does_not_come_back(plane: ControlPlane) -> None:
    def old(lab: Lab) -> None:
        apply_all(lab.kube, lab.namespace, replicas=2)
        await_version(lab, "3")

    with restarted_on(plane, old, upgraded) as lab:
        unchanged_until_released(lab)


def test_children_that_are_not_in_the_old_view_are_not_applied_over(plane: ControlPlane) -> None:
    """In the old view the deployment has no children yet and asks for another version."""

    def old(lab: Lab) -> None:
        lab.proxy.respond = _refuse_children
        apply_all(lab.kube, lab.namespace)
        until(lambda: len(lab.proxy.crash.seen) >= 2, SECONDS, "the operator to try")
        lab.proxy.keep_view()
        lab.proxy.respond = lambda _: None

    with restarted_on(plane, old, upgraded) as lab:
        unchanged_until_released(lab)


def _refuse_children(call: Call) -> web.Response | None:
    return web.json_response({"kind": "Status", "code": 503}, status=503) if call.write and call.resource != "leases" else None


def test_a_deleted_deployment_does_not_come_back(plane: ControlPlane) -> None:
    def old(lab: Lab) -> None:
        apply_all(lab.kube, lab.namespace)
        await_version(lab, "3")

    def new(lab: Lab) -> None:
        lab.kube.delete("ModelDeployment", lab.namespace, "churn")
        until(lambda: not children(lab), SECONDS, "the children to be collected")

    with restarted_on(plane, old, new) as lab:
        acts(lab)
        lab.proxy.release()
        until(lambda: not children(lab), SECONDS, "nothing to be left")


def upgraded(lab: Lab) -> None:
    lab.kube.apply(version(lab.namespace, "4"))
    lab.kube.apply(model(lab.namespace, description="newer"))
    lab.kube.apply(deployment(lab.namespace, version="4"))
    await_version(lab, "4")
    until(lambda: lab.kube.get("PodDisruptionBudget", lab.namespace, "churn") is None, SECONDS, "the budget to go")


def await_version(lab: Lab, number: str) -> None:
    def there() -> bool:
        child = lab.kube.get("Deployment", lab.namespace, "churn")
        status = (lab.kube.get("ModelDeployment", lab.namespace, "churn") or {}).get("status", {})
        return (
            child is not None
            and child["spec"]["template"]["metadata"]["labels"]["slipway.dev/version"] == number
            and status["observedGeneration"] == (lab.kube.get("ModelDeployment", lab.namespace, "churn") or {})["metadata"]["generation"]
        )

    until(there, SECONDS, f"version {number}")


def children(lab: Lab) -> dict[str, Any]:
    kinds = ("Deployment", "Service", "ServiceAccount", "NetworkPolicy", "ModelDeployment")
    return {name: found for name, found in snapshot(lab.kube, lab.namespace).items() if name.partition("/")[0] in kinds}


def acts(lab: Lab) -> None:
    """Until the new process has planned on the old view."""

    def planned() -> bool:
        try:
            metrics = lab.operator.operator.metrics()
        except OSError:  # not up yet
            return False
        return lab.proxy.old_view.given > 0 and any(
            count for name, count in metrics.items() if name.startswith('slipway_reconciles_total{kind="ModelDeployment"')
        )

    until(planned, SECONDS, "the new process to reconcile")


def unchanged_until_released(lab: Lab) -> None:
    """What it does on the old view changes nothing; then it sees the new one and finds nothing to do; an edit works."""
    before, written = snapshot(lab.kube, lab.namespace), accepted(lab)
    acts(lab)
    found = snapshot(lab.kube, lab.namespace)
    assert found == before, difference(before, found)
    assert accepted(lab) == written
    lab.proxy.release()
    lab.kube.apply(deployment(lab.namespace, version="4", replicas=2))
    until(lambda: lab.kube.get("PodDisruptionBudget", lab.namespace, "churn"), SECONDS, "an edit to arrive")


def accepted(lab: Lab) -> list[str]:
    entries = writes(lab.plane.audit_log, user_agent="slipway-operator/", namespace=lab.namespace)
    return [f"{entry['verb']} {entry['objectRef']['resource']}/{entry['objectRef']['name']}" for entry in entries]
