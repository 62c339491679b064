"""500 ModelDeployments on a real apiserver without pods: the operator against a bare script that issues the same writes."""

from __future__ import annotations

import asyncio
import os
import statistics
import time
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime

from slipway.api.parse import parse
from slipway.api.v1alpha1 import ModelDeployment, ModelVersion
from slipway.cluster.client import Cluster
from slipway.cluster.http import ApiServer, Request
from slipway.cluster.resources import MODEL_DEPLOYMENT, Manifest
from slipway.plan.build import build_children
from slipway.plan.model_deployment import plan_deployment
from slipway.plan.types import Observed
from slipway.reconcile.event_budget import event_manifest
from slipway.settings import Runtime, Serving
from tests.audit import writes_to
from tests.bench.table import Row, Table
from tests.cluster.control_plane import ControlPlane
from tests.integration.operator import RUNTIMES, OperatorProcess
from tests.integration.platform import platform
from tests.integration.samples import deployment, model, version
from tests.kube import Kube
from tests.wait import until

COUNT = int(os.environ.get("COUNT", "500"))
PAIRS = int(os.environ.get("PAIRS", "3"))
CONCURRENCY = 8
WRITES_EACH = 7
"""Five children (ServiceAccount, NetworkPolicy, two Services, Deployment), the status, and the Event that says Deployed."""

SERVING = Serving(runtimes=tuple(Runtime(**entry) for entry in RUNTIMES))


async def run() -> Table:
    with platform("bench", controllers=False) as plane:
        os.environ["KUBECONFIG"] = str(plane.kubeconfig)
        server = await ApiServer.connect()
        try:
            return await _measure(plane, Kube(plane.kubeconfig), server)
        finally:
            await server.close()


async def _measure(plane: ControlPlane, kube: Kube, server: ApiServer) -> Table:
    operator = OperatorProcess(plane.kubeconfig, "bench", SLIPWAY_LEASE_SECONDS="15")
    bare, ours = [], []
    for pair in range(PAIRS):
        bare.append(await _bare(kube, server, f"bare-{pair}"))
        operator.start()
        ours.append(await _operator(kube, server, f"ours-{pair}"))
        operator.stop()
    needed = COUNT * PAIRS * WRITES_EACH
    written = writes_to(plane.audit_log, prefix="ours-") - COUNT * PAIRS  # this process made the ModelDeployments
    restart, memory = _restart(plane, kube, operator)
    about = (
        f"{COUNT} ModelDeployments to all children, status and Event written; {PAIRS} interleaved pairs, concurrency {CONCURRENCY} in both."
    )
    return Table(
        "Convergence",
        about,
        [
            Row("operator", statistics.median(ours), "s"),
            Row("bare asyncio script, the same writes", statistics.median(bare), "s"),
            Row("operator ÷ bare script", statistics.median(o / b for o, b in zip(ours, bare, strict=True)), at_most=1.5),
            Row("writes ÷ needed writes", written / needed, at_most=1.1),
            Row("writes of an operator restart and of a no-op reconcile of every object", restart, at_most=0),
            Row(f"operator memory at {2 * COUNT * PAIRS} ModelDeployments", memory, "MiB"),
        ],
    )


async def _bare(kube: Kube, server: ApiServer, namespace: str) -> float:
    """The floor: every write, planned beforehand, without watching anything."""
    _prepare(kube, namespace)
    cluster = Cluster(server)
    asked = parse(ModelVersion, version(namespace))

    async def one(manifest: Manifest) -> None:
        created = await _create(server, manifest)
        for child in build_children(parse(ModelDeployment, created), asked, SERVING):
            await cluster.apply(child, None)
        now = datetime.now(UTC)
        plan = plan_deployment(created, Observed(model=model(namespace), version=version(namespace)), SERVING, now)
        await cluster.apply_status(created, plan.status)
        await cluster.record(event_manifest(created, plan.events[0], now))

    return await _timed(one, _deployments(namespace))


async def _operator(kube: Kube, server: ApiServer, namespace: str) -> float:
    """Seconds from the first creation until the operator has written everything."""
    _prepare(kube, namespace)

    async def one(manifest: Manifest) -> None:
        await _create(server, manifest)

    began = time.monotonic()
    await _timed(one, _deployments(namespace))
    until(lambda: _recorded(kube, namespace) >= COUNT, 300, "every ModelDeployment to be written", every=0.25)
    return time.monotonic() - began


async def _timed(one: Callable[[Manifest], Awaitable[None]], manifests: Iterable[Manifest]) -> float:
    left = iter(list(manifests))

    async def worker() -> None:
        for manifest in left:
            await one(manifest)

    began = time.monotonic()
    await asyncio.gather(*(worker() for _ in range(CONCURRENCY)))
    return time.monotonic() - began


async def _create(server: ApiServer, manifest: Manifest) -> Manifest:
    path = MODEL_DEPLOYMENT.path(manifest["metadata"]["namespace"])
    created: Manifest = await server(Request("POST", path, {"fieldManager": "user"}, manifest))
    return created


def _restart(plane: ControlPlane, kube: Kube, operator: OperatorProcess) -> tuple[int, float]:
    """A new process lists everything and reconciles each object once: what it writes, and how much memory it then has.

    Half of the deployments are the bare script's: their children are as the operator would have made them.
    """
    before = writes_to(plane.audit_log)
    operator.start()
    until(lambda: _reconciled(operator) >= 2 * COUNT * PAIRS, 300, "every ModelDeployment to be reconciled")
    until(lambda: operator.metrics()["slipway_queue_depth"] == 0, 60, "an empty queue")
    memory = operator.memory_mib()
    operator.stop()
    return writes_to(plane.audit_log) - before, memory


def _recorded(kube: Kube, namespace: str) -> int:
    """Events in the namespace: the last thing written for each. Asked of the apiserver, so that the operator has only its own work."""
    found = kube.call("GET", f"/api/v1/namespaces/{namespace}/events", limit="1")
    return len(found["items"]) + int(found["metadata"].get("remainingItemCount", 0))


def _reconciled(operator: OperatorProcess) -> float:
    return operator.metrics().get('slipway_reconciles_total{kind="ModelDeployment",result="ok"}', 0)


def _prepare(kube: Kube, namespace: str) -> None:
    kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    kube.apply(model(namespace))
    kube.apply(version(namespace))


def _deployments(namespace: str) -> list[Manifest]:
    return [deployment(namespace, f"d{number}") for number in range(COUNT)]
