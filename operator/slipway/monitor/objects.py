"""What a run asks of the apiserver: the objects it is about, and its own part of the monitor's status."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from slipway.api.types import API_VERSION
from slipway.api.v1alpha1.model_monitor import ModelMonitorSpec, Run
from slipway.cluster.client import Cluster
from slipway.cluster.http import APPLY, Conflict, NotFound, Request, Transport, Unavailable
from slipway.cluster.resources import MODEL, MODEL_DEPLOYMENT, MODEL_MONITOR, MODEL_VERSION, Manifest
from slipway.monitor.settings import Who

FIELD_MANAGER = "slipway-monitor"
TRIES = 5
PAUSE_SECONDS = 2.0


class Missing(Exception):
    """There is nothing to look at; the message says what is missing."""


class Another(Exception):
    """The monitor was deleted, or its name is another object's by now: nobody waits for this run."""


@dataclass(frozen=True)
class Objects:
    """What a run is about, as the apiserver had it at the run's start."""

    monitor: Manifest
    deployment: Manifest
    model: Manifest
    version: Manifest
    """Empty where the ModelVersion is gone."""
    spec: ModelMonitorSpec = field(repr=False)

    @property
    def namespace(self) -> str:
        return str(self.monitor["metadata"]["namespace"])

    @property
    def run(self) -> Manifest:
        """`status.run` of the run before; empty before the first."""
        found: Manifest = (self.monitor.get("status") or {}).get("run") or {}
        return found


def patient(send: Transport, pause: float = PAUSE_SECONDS) -> Transport:
    """The transport, which asks again where the apiserver does not answer: everything that a run asks may be asked twice."""

    async def carried(request: Request) -> Any:
        for _ in range(TRIES - 1):
            try:
                return await send(request)
            except Unavailable:
                await asyncio.sleep(pause)
        return await send(request)

    return carried


async def monitor_of(send: Transport, who: Who) -> Manifest:
    """The ModelMonitor. Raises Another, ApiError."""
    found = await Cluster(send).get(MODEL_MONITOR, who.namespace, who.name)
    if found is None or (who.uid and found["metadata"]["uid"] != who.uid):
        raise Another(f"the ModelMonitor {who.namespace}/{who.name} of this run is gone")
    return found


async def objects_of(send: Transport, monitor: Manifest) -> Objects:
    """What the monitor is about. Raises Missing, ApiError, and pydantic's ValidationError for a spec of another release."""
    cluster, namespace = Cluster(send), monitor["metadata"]["namespace"]
    spec = ModelMonitorSpec.model_validate(monitor["spec"])
    deployment = await cluster.get(MODEL_DEPLOYMENT, namespace, spec.deployment)
    if deployment is None:
        raise Missing(f"there is no ModelDeployment {spec.deployment} in namespace {namespace}")
    name, version = deployment["spec"]["model"], deployment["spec"]["version"]
    model = await cluster.get(MODEL, namespace, name)
    if model is None:
        raise Missing(f"there is no Model {name} in namespace {namespace}")
    return Objects(monitor, deployment, model, await cluster.get(MODEL_VERSION, namespace, f"{name}-{version}") or {}, spec)


async def tell(send: Transport, monitor: Manifest, run: Run) -> None:
    """Writes `status.run` of exactly this monitor, and nothing else of it.

    Raises Another where the monitor is gone, ApiError where it could not be written.
    """
    meta = monitor["metadata"]
    body = {
        "apiVersion": API_VERSION,
        "kind": MODEL_MONITOR.kind,
        "metadata": {"name": meta["name"], "namespace": meta["namespace"], "uid": meta["uid"]},
        "status": {"run": plain(run)},
    }
    path = MODEL_MONITOR.path(meta["namespace"], meta["name"], "status")
    try:
        await send(Request("PATCH", path, {"fieldManager": FIELD_MANAGER, "force": "true"}, body, APPLY))
    except (Conflict, NotFound) as error:
        raise Another(error.message) from error


def plain(run: Run) -> dict[str, Any]:
    """The run as the apiserver takes it: without what is not known."""
    return run.model_dump(mode="json", by_alias=True, exclude_none=True)
