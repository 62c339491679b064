"""1,000 ModelMonitors on a real apiserver with the CronJob controller, without nodes: what they cost the operator, and when they run."""

from __future__ import annotations

import asyncio
import functools
import json
import os
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from slipway.cluster.http import APPLY, ApiServer, Request
from slipway.cluster.resources import MODEL_MONITOR
from tests.bench.bare import Team, connected, for_each, write_serving
from tests.bench.process import cpu_seconds, rested, running
from tests.bench.table import Row, Table
from tests.cluster.console import step
from tests.integration.operator import OperatorProcess
from tests.integration.platform import platform
from tests.integration.samples import monitor
from tests.kube import Kube, Manifest

COUNT = int(os.environ.get("MONITORS", "1000"))
TEAM = 100
CONCURRENCY = 16
SECONDS = float(os.environ.get("REST", "60"))
MINUTES = int(os.environ.get("MINUTES", "4"))
SCHEDULE, SLOTS = "*/15 * * * *", 15
CHECKS = 50
"""As many as a status holds."""
SETTINGS = {
    "SLIPWAY_MONITORING": json.dumps({"image": "registry.example/slipway-monitor:bench", "log_secret": "slipway-predictions"}),
    "SLIPWAY_COLLECTOR_URL": "http://slipway-collector.slipway-system.svc:8080",
}


async def run() -> Table:
    """One operator; the runs' results are written by this process."""
    with platform("monitors") as plane:
        async with connected(plane.kubeconfig) as server:
            kube = Kube(plane.kubeconfig)
            teams = await _population(kube, server)
            with running(plane.kubeconfig, **SETTINGS) as operator:
                return await _Bench(kube, server, operator, teams).run()


async def _population(kube: Kube, server: ApiServer) -> list[Team]:
    teams = []
    with step(f"{COUNT} ModelDeployments that serve"):
        for first in range(0, COUNT, TEAM):
            team = Team.made(kube, f"team-{first // TEAM}")
            await for_each(team.deployments(min(TEAM, COUNT - first)), functools.partial(write_serving, server, team), CONCURRENCY)
            teams.append(team)
    return teams


@dataclass
class _Bench:
    kube: Kube
    server: ApiServer
    operator: OperatorProcess
    teams: list[Team]

    async def run(self) -> Table:
        with step("until the operator has looked at all deployments"):
            self._reconciled("ModelDeployment")
        before, memory = self._cpu(), self.operator.memory_mib()
        with step(f"{COUNT} ModelMonitors, until their CronJobs are there"):
            began = time.monotonic()
            await for_each(self._monitors(), self._create, CONCURRENCY)
            taken = self._reconciled("ModelMonitor") - began
        making, grown = self._cpu() - before, self.operator.memory_mib() - memory
        with step(f"{SECONDS:g} s at rest"):
            before = self._cpu()
            await asyncio.sleep(SECONDS)
            rest = self._cpu() - before
        with step(f"a result of {CHECKS} checks for each"):
            before = self._cpu()
            await for_each(self._monitors(), self._report, CONCURRENCY)
            self._reconciled("ModelMonitor")
            results = self._cpu() - before
        starts = await self._starts()
        rows = [
            Row(f"until {COUNT} CronJobs are there", taken, "s"),
            Row("the operator's CPU a monitor, until its CronJob and status are written", 1000 * making / COUNT, "ms"),
            Row("memory a monitor", 1024 * grown / COUNT, "KiB"),
            Row(f"CPU in {SECONDS:g} s at rest", 100 * rest / SECONDS, "% of a core", at_most=2),
            Row(
                f"the operator's CPU a result of {CHECKS} checks: status, condition of the deployment, Events", 1000 * results / COUNT, "ms"
            ),
            Row(f"CPU if each runs every 15 minutes: {COUNT / 900:.1f} results a second", 100 * results / 900, "% of a core", at_most=10),
            Row(f"Jobs started in one minute, most ÷ mean, over {MINUTES} whole minutes", max(starts) / (COUNT / SLOTS), at_most=1.5),
            Row("Jobs started in one minute, least ÷ mean", min(starts) / (COUNT / SLOTS), at_least=0.5),
        ]
        about = (
            f"{COUNT} ModelMonitors with schedule `{SCHEDULE}`, each of a ModelDeployment of its own, {len(self.teams)} namespaces; a real "
            "apiserver with its CronJob controller, no nodes: pods stay pending."
        )
        return Table(f"{COUNT} monitors", about, rows)

    def _monitors(self) -> list[Manifest]:
        return [
            monitor(team.namespace, f"m{number}", deployment=f"d{number}", schedule=SCHEDULE)
            for place, team in enumerate(self.teams)
            for number in range(min(TEAM, COUNT - place * TEAM))
        ]

    async def _create(self, manifest: Manifest) -> None:
        await self.server(Request("POST", MODEL_MONITOR.path(manifest["metadata"]["namespace"]), {"fieldManager": "user"}, manifest))

    async def _report(self, manifest: Manifest) -> None:
        meta = manifest["metadata"]
        body = {key: manifest[key] for key in ("apiVersion", "kind")} | {"metadata": {"name": meta["name"]}, "status": {"run": _result()}}
        path = MODEL_MONITOR.path(meta["namespace"], meta["name"], "status")
        await self.server(Request("PATCH", path, {"fieldManager": "slipway-monitor", "force": "true"}, body, APPLY))

    async def _starts(self) -> list[int]:
        """How many Jobs the CronJob controller made for each whole minute from now on."""
        now = datetime.now(UTC)
        begin = now.replace(second=0, microsecond=0) + timedelta(minutes=1)
        with step(f"the Jobs of {MINUTES} minutes"):
            await asyncio.sleep((begin - now).total_seconds() + 60 * MINUTES + 5)
        made = Counter(job["metadata"]["annotations"]["batch.kubernetes.io/cronjob-scheduled-timestamp"] for job in self._jobs())
        minutes = [(begin + timedelta(minutes=minute)).strftime("%Y-%m-%dT%H:%M:%SZ") for minute in range(MINUTES)]
        return [made[minute] for minute in minutes]

    def _jobs(self) -> list[Manifest]:
        return self.kube.list("Job", "slipway-system")

    def _cpu(self) -> float:
        assert self.operator.process is not None
        return cpu_seconds(self.operator.process)

    def _reconciled(self, kind: str) -> float:
        """Waits until all of a kind were reconciled and the operator rests; returns since when."""
        assert self.operator.process is not None
        while True:
            since = rested(self.operator.process)
            try:
                metrics = self.operator.metrics()
            except OSError:  # not listening yet
                continue
            done = metrics.get(f'slipway_reconciles_total{{kind="{kind}",result="ok"}}', 0)
            if done >= COUNT and metrics["slipway_queue_depth"] == 0 and metrics["slipway_leader"] == 1:
                return since


def _result() -> dict[str, Any]:
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    check = {"check": "Drift", "measure": "psi", "value": 0.31, "threshold": 0.2, "rows": 9000, "pValue": 0.0001, "verdict": "Critical"}
    return {
        "id": now,
        "finishedAt": now,
        "windowFrom": now,
        "windowTo": now,
        "rows": 9000,
        "version": "1",
        "verdict": "Critical",
        "message": "feature_0 drifted: psi 0.31 (p 0.0001)",
        "checks": [check | {"column": f"feature_{number}", "message": "drifted"} for number in range(CHECKS)],
        "truths": {"matched": 800, "waiting": 7, "unmatched": 1, "late": 0},
    }
