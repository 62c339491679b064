"""How long an edit takes while the operator lists 5,000 ModelDeployments and their children anew, against at rest."""

from __future__ import annotations

import asyncio
import itertools
import math
import os
import statistics

from slipway.cluster.store import Key
from tests.bench.bare import connected
from tests.bench.edits import Edits
from tests.bench.population import COUNT, TEAM, populated
from tests.bench.process import reconciled, rested, running
from tests.bench.relisting import Relisting, relisting
from tests.bench.table import Row, Table
from tests.cluster.console import step
from tests.integration.operator import OperatorProcess

SAMPLES = int(os.environ.get("SAMPLES", "300"))
"""At least, of each."""
ROUND = 60
"""Edits at rest before each new listing."""


async def run() -> Table:
    population = await populated()
    idle, busy = [], []
    with relisting(population.kubeconfig) as proxy, running(proxy.kubeconfig, SLIPWAY_FULL_PASS_SECONDS="86400") as operator:
        with step("until the operator has reconciled all"):
            reconciled(operator, COUNT)
        async with connected(population.kubeconfig) as server:
            edits = Edits(server, _keys())
            async with edits.followed():
                for number in itertools.count(1):
                    with step(f"edits at rest and during a listing, round {number}"):
                        idle += await _at_rest(edits, operator)
                        busy += await _meanwhile(edits, proxy, population.pages)
                    if len(busy) >= SAMPLES <= len(idle):
                        break
    return _table(idle, busy, population.objects)


def _keys() -> list[Key]:
    """All, each in another namespace than the one before."""
    return [(f"team-{at % teams}", f"d{at // teams}") for teams in [COUNT // TEAM] for at in range(COUNT)]


async def _at_rest(edits: Edits, operator: OperatorProcess) -> list[float]:
    assert operator.process is not None
    await asyncio.to_thread(rested, operator.process)
    left = iter(range(ROUND))

    async def going() -> bool:
        return next(left, None) is not None

    return await edits.during(going)


async def _meanwhile(edits: Edits, proxy: Relisting, pages: int) -> list[float]:
    """Edits that begin between the end of all watches and the request for the last page."""
    await proxy.begin()

    async def going() -> bool:
        return await proxy.pages() < pages

    return await edits.during(going)


def _table(idle: list[float], busy: list[float], objects: int) -> Table:
    about = (
        f"From sending an edit of a ModelDeployment until the apiserver tells of the changed Deployment; ten edits a second, {len(idle)} "
        f"at rest and {len(busy)} while all watches have expired and {objects} objects are listed anew, in turns."
    )
    rows = [
        Row("p50 at rest", 1000 * statistics.median(idle), "ms"),
        Row("p50 while listing", 1000 * statistics.median(busy), "ms"),
        Row("p99 at rest", 1000 * _p99(idle), "ms"),
        Row("p99 while listing", 1000 * _p99(busy), "ms"),
        Row("p99 while listing ÷ p99 at rest", _p99(busy) / _p99(idle), at_most=3),
    ]
    return Table("Edits while listing", about, rows)


def _p99(values: list[float]) -> float:
    return sorted(values)[math.ceil(0.99 * len(values)) - 1]
