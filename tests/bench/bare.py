"""A bare script: it writes what the operator would write, planned by the same code, and watches nothing."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from slipway.api.parse import parse
from slipway.api.v1alpha1 import ModelDeployment, ModelVersion
from slipway.cluster.client import Cluster
from slipway.cluster.http import MERGE, ApiServer, Request
from slipway.cluster.resources import DEPLOYMENT, MODEL_DEPLOYMENT, Manifest
from slipway.plan.build import build_children
from slipway.plan.entries import children_hash
from slipway.plan.model_deployment import plan_deployment
from slipway.plan.types import Child, Observed
from slipway.reconcile.event_budget import event_manifest
from slipway.settings import Runtime, Serving
from tests.integration.operator import RUNTIMES
from tests.integration.samples import deployment, model, version
from tests.kube import Kube

SERVING = Serving(runtimes=tuple(Runtime(**entry) for entry in RUNTIMES))
T = TypeVar("T")


@asynccontextmanager
async def connected(kubeconfig: Path) -> AsyncIterator[ApiServer]:
    """The operator's own transport, as the administrator."""
    os.environ["KUBECONFIG"] = str(kubeconfig)
    server = await ApiServer.connect()
    try:
        yield server
    finally:
        await server.close()


async def for_each(items: Iterable[T], work: Callable[[T], Awaitable[object]], concurrency: int) -> None:
    """Does the work for every item, some at the same time."""
    left = iter(list(items))

    async def worker() -> None:
        for item in left:
            await work(item)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(concurrency):
            tasks.create_task(worker())


@dataclass(frozen=True)
class Team:
    """A namespace with one Model and one version of it, as the apiserver has them."""

    namespace: str
    model: Manifest
    version: Manifest

    @classmethod
    def made(cls, kube: Kube, namespace: str) -> Team:
        kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
        return cls(namespace, kube.apply(model(namespace)), kube.apply(version(namespace)))

    def deployments(self, count: int) -> list[Manifest]:
        """What its users apply."""
        return [deployment(self.namespace, f"d{number}") for number in range(count)]


async def create(server: ApiServer, manifest: Manifest) -> Manifest:
    """A ModelDeployment, by a user."""
    path = MODEL_DEPLOYMENT.path(manifest["metadata"]["namespace"])
    created: Manifest = await server(Request("POST", path, {"fieldManager": "user"}, manifest))
    return created


async def write(server: ApiServer, team: Team, manifest: Manifest) -> None:
    """A ModelDeployment, and what the operator writes until it waits for pods: children, status, Event."""
    cluster = Cluster(server)
    created = await create(server, manifest)
    children = await _children(cluster, team, created)
    now = datetime.now(UTC)
    plan = plan_deployment(created, Observed(team.model, team.version), SERVING, now)
    there = children_hash(Observed(team.model, team.version, children))
    await cluster.apply_status(created, {**plan.status, "childrenHash": there})
    await cluster.record(event_manifest(created, plan.events[0], now))


async def write_serving(server: ApiServer, team: Team, manifest: Manifest) -> None:
    """A ModelDeployment that serves: what the operator and the Deployment controller came to, without Events.

    Raises:
        AssertionError: the operator would apply something again.

    """
    cluster = Cluster(server)
    created = await create(server, manifest)
    children = await _children(cluster, team, created)
    name = ("Deployment", created["metadata"]["name"])
    children[name] = await _roll_out(server, children[name])
    plan = plan_deployment(created, Observed(team.model, team.version, children), SERVING, datetime.now(UTC))
    assert not plan.applies, plan.applies
    await cluster.apply_status(created, plan.status)


async def _children(cluster: Cluster, team: Team, owner: Manifest) -> dict[Child, Manifest]:
    wanted = build_children(parse(ModelDeployment, owner), parse(ModelVersion, team.version), SERVING)
    return {(child["kind"], child["metadata"]["name"]): await cluster.apply(child, None) for child in wanted}


async def _roll_out(server: ApiServer, child: Manifest) -> Manifest:
    """What the Deployment controller says in the end."""
    meta, replicas = child["metadata"], child["spec"]["replicas"]
    counts = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), replicas)
    status: dict[str, Any] = {"observedGeneration": meta["generation"], **counts}
    path = DEPLOYMENT.path(meta["namespace"], meta["name"], "status")
    query = {"fieldManager": "kube-controller-manager"}
    rolled_out: Manifest = await server(Request("PATCH", path, query, {"status": status}, MERGE))
    return rolled_out
