"""Which CronJobs are deleted when no watch tells of their monitor."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from slipway.cluster.client import Cluster
from slipway.cluster.http import NotFound, Request
from slipway.cluster.resources import CRON_JOB, MODEL_MONITOR, Manifest, Resource
from slipway.cluster.store import Store
from slipway.plan.model_monitor import Platform
from slipway.plan.names import monitor_labels
from slipway.reconcile.monitors import Monitors
from slipway.reconcile.queue import ObjectKey

CRON: Manifest = {
    "apiVersion": "batch/v1",
    "kind": "CronJob",
    "metadata": {
        "name": "q-1",
        "namespace": "slipway-system",
        "uid": "uid-cron",
        "resourceVersion": "5",
        "labels": monitor_labels("growth", "q", "uid-q"),
    },
}
MONITOR: Manifest = {
    "apiVersion": "slipway.dev/v1alpha1",
    "kind": "ModelMonitor",
    "metadata": {"name": "q", "namespace": "growth", "uid": "uid-q", "resourceVersion": "4", "generation": 1},
    "spec": {"deployment": "churn"},
}


class Apiserver:
    def __init__(self, *objects: Manifest) -> None:
        self.objects = {(o["kind"], o["metadata"]["name"]): o for o in objects}
        self.asked: list[str] = []
        self.deleted: list[str] = []

    async def __call__(self, request: Request) -> Any:
        self.asked.append(request.path)
        kind = "CronJob" if "/cronjobs/" in request.path else "ModelMonitor"
        found = self.objects.get((kind, request.path.rsplit("/", 1)[-1]))
        if found is None:
            raise NotFound(404, "NotFound", "none")
        if request.method == "DELETE":
            self.deleted.append(request.path)
        return found


def monitors(apiserver: Apiserver, served: tuple[str, ...] = ()) -> tuple[Monitors, list[tuple[Resource, str | None]]]:
    store, told = Store(), list[tuple[Resource, str | None]]()
    store.put(CRON_JOB, CRON)

    def tell(resource: Resource, event: str | None, manifest: Manifest) -> None:
        told.append((resource, event))

    now = datetime(2026, 11, 23, tzinfo=UTC)
    return Monitors(store, tell, Cluster(apiserver), Platform(), served, lambda: now), told


@pytest.mark.parametrize("served", [(), ("growth", "risk")])
async def test_of_a_monitor_that_is_gone(served: tuple[str, ...]) -> None:
    apiserver = Apiserver(CRON)
    await monitors(apiserver, served)[0].clean(ObjectKey("ModelMonitor", "growth", "q"))
    assert apiserver.deleted == [CRON_JOB.path("slipway-system", "q-1")]
    assert apiserver.asked[0] == MODEL_MONITOR.path("growth", "q"), "asked once more, before"


async def test_not_of_one_that_the_watch_has_not_told_of() -> None:
    apiserver = Apiserver(CRON, MONITOR)
    found, told = monitors(apiserver)
    await found.clean(ObjectKey("ModelMonitor", "growth", "q"))
    assert not apiserver.deleted
    assert told == [(MODEL_MONITOR, None)]


async def test_of_a_namespace_that_is_not_served_any_more() -> None:
    """There, nothing may be asked."""
    apiserver = Apiserver(CRON, MONITOR)
    await monitors(apiserver, ("risk",))[0].clean(ObjectKey("ModelMonitor", "growth", "q"))
    assert apiserver.deleted == [CRON_JOB.path("slipway-system", "q-1")]
    assert MODEL_MONITOR.path("growth", "q") not in apiserver.asked


async def test_not_one_that_took_its_name_meanwhile() -> None:
    other = CRON | {"metadata": CRON["metadata"] | {"uid": "uid-other", "resourceVersion": "9"}}
    apiserver = Apiserver(other)
    await monitors(apiserver)[0].clean(ObjectKey("ModelMonitor", "growth", "q"))
    assert not apiserver.deleted
