"""ModelDeployments on a real apiserver without pods: the operator against a bare script that issues the same writes."""

from __future__ import annotations

import functools
import os
import statistics
import time
from dataclasses import dataclass

from slipway.cluster.http import ApiServer
from tests.audit import writes_to
from tests.bench.bare import Team, connected, create, for_each, write
from tests.bench.process import reconciled, running
from tests.bench.table import Row, Table
from tests.cluster.console import step
from tests.cluster.control_plane import ControlPlane
from tests.integration.platform import platform
from tests.kube import Kube
from tests.wait import until

PAIRS = int(os.environ.get("PAIRS", "3"))
CONCURRENCY = 8
WRITES_EACH = 7
"""Five children (ServiceAccount, NetworkPolicy, two Services, Deployment), the status, and the Event that says Deployed."""


async def run(count: int) -> Table:
    count = int(os.environ.get("COUNT", count))
    with platform("bench", controllers=False) as plane:
        async with connected(plane.kubeconfig) as server:
            return await Bench(count, plane, Kube(plane.kubeconfig), server).run()


@dataclass
class Bench:
    """One control plane, used for all pairs."""

    count: int
    plane: ControlPlane
    kube: Kube
    server: ApiServer

    async def run(self) -> Table:
        bare, ours = [], []
        for pair in range(PAIRS):
            with step(f"{self.count} by a bare script, {pair + 1} of {PAIRS}"):
                bare.append(await self._bare(f"bare-{pair}"))
            with step(f"{self.count} by the operator, {pair + 1} of {PAIRS}"), running(self.plane.kubeconfig) as operator:
                reconciled(operator, 0)
                ours.append(await self._operator(f"ours-{pair}"))
                reconciled(operator, 0)
        needed = self.count * PAIRS * WRITES_EACH
        written = writes_to(self.plane.audit_log, prefix="ours-") - self.count * PAIRS  # this process made the ModelDeployments
        restart, memory = self._restart()
        total = 2 * self.count * PAIRS
        about = (
            f"{self.count} ModelDeployments to all children, status and Event written; {PAIRS} interleaved pairs, "
            f"concurrency {CONCURRENCY} in both."
        )
        rows = [
            Row("operator", statistics.median(ours), "s"),
            Row("bare asyncio script, the same writes", statistics.median(bare), "s"),
            Row("operator ÷ bare script", statistics.median(o / b for o, b in zip(ours, bare, strict=True)), at_most=1.5),
            Row("writes ÷ needed writes", written / needed, at_most=1.1),
            Row("writes of an operator restart and of a no-op reconcile of every object", restart, at_most=0),
            Row(f"operator memory at {total} ModelDeployments", memory, "MiB"),
        ]
        return Table(f"Convergence of {self.count}", about, rows)

    async def _bare(self, namespace: str) -> float:
        """The floor: every write, without watching anything."""
        team = Team.made(self.kube, namespace)
        began = time.monotonic()
        await for_each(team.deployments(self.count), functools.partial(write, self.server, team), CONCURRENCY)
        return time.monotonic() - began

    async def _operator(self, namespace: str) -> float:
        """Seconds from the first creation until the operator has written everything."""
        team = Team.made(self.kube, namespace)
        began = time.monotonic()
        await for_each(team.deployments(self.count), functools.partial(create, self.server), CONCURRENCY)
        until(lambda: self._recorded(namespace) >= self.count, 300, "every ModelDeployment to be written", every=0.25)
        return time.monotonic() - began

    def _restart(self) -> tuple[int, float]:
        """A new process lists everything and reconciles each object once: what it writes, and how much memory it then has."""
        total = 2 * self.count * PAIRS
        before = writes_to(self.plane.audit_log)
        with step("a restart"), running(self.plane.kubeconfig) as operator:
            reconciled(operator, total)
            memory = operator.memory_mib()
        return writes_to(self.plane.audit_log) - before, memory

    def _recorded(self, namespace: str) -> int:
        """Events in the namespace: the last thing written for each. Asked of the apiserver, so that the operator has only its own work."""
        found = self.kube.call("GET", f"/api/v1/namespaces/{namespace}/events", limit="1")
        return len(found["items"]) + int(found["metadata"].get("remainingItemCount", 0))
