"""5,000 ModelDeployments that serve, with all their children, on a real apiserver without pods: made once for all benches."""

from __future__ import annotations

import functools
import math
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson

from slipway.cluster.client import PAGE
from slipway.cluster.http import ApiServer
from slipway.cluster.resources import WATCHED, Resource
from slipway.reconcile.engine import label_selector
from tests.audit import writes_to
from tests.bench.bare import Team, connected, for_each, write_serving
from tests.bench.process import reconciled, running
from tests.cluster.console import step
from tests.cluster.control_plane import ControlPlane
from tests.integration.platform import platform
from tests.kube import Kube

COUNT = int(os.environ.get("COUNT", "5000"))
TEAM = 100
"""ModelDeployments in one namespace, of one version of one Model."""
CONCURRENCY = 16

_kept = ExitStack()
_made: list[Population] = []


@dataclass(frozen=True)
class Population:
    """A control plane full of objects, and an operator's memory before there were any."""

    plane: ControlPlane
    empty_mib: float
    """Resident memory of an operator that had nothing to watch."""
    objects: int
    """That an operator watches, of all kinds."""
    pages: int
    """In which an operator lists them."""
    json_mib: float
    """All of them as the apiserver lists them."""

    @property
    def kubeconfig(self) -> Path:
        return self.plane.kubeconfig

    def writes(self) -> int:
        """How many operators have made so far."""
        return writes_to(self.plane.audit_log)


@contextmanager
def kept() -> Iterator[None]:
    """What `populated` makes is there for all that follow, until the block ends."""
    with _kept:
        yield
    _made.clear()


async def populated() -> Population:
    """The population, made when it is asked for first; inside `kept`."""
    if not _made:
        plane = _kept.enter_context(platform("population", controllers=False))
        _made.append(await _populate(plane))
    return _made[0]


async def _populate(plane: ControlPlane) -> Population:
    with step("operator memory with nothing to watch"), running(plane.kubeconfig) as operator:
        reconciled(operator, 0)
        empty = operator.memory_mib()
    kube = Kube(plane.kubeconfig)
    async with connected(plane.kubeconfig) as server:
        with step(f"{COUNT} ModelDeployments with all their children"):
            for first in range(0, COUNT, TEAM):
                team = Team.made(kube, f"team-{first // TEAM}")
                await for_each(team.deployments(min(TEAM, COUNT - first)), functools.partial(write_serving, server, team), CONCURRENCY)
        before = writes_to(plane.audit_log)
        with step("status of Models and ModelVersions, by an operator"), running(plane.kubeconfig) as operator:
            reconciled(operator, COUNT)
        written = writes_to(plane.audit_log) - before
        assert written <= 4 * -(-COUNT // TEAM), f"not as the operator would have made it: it wrote {written} times"
        sizes = [await _size(server, resource) for resource in WATCHED]
    numbers = [number for number, _ in sizes]
    pages = sum(max(1, math.ceil(number / PAGE)) for number in numbers)
    return Population(plane, empty, sum(numbers), pages, sum(size for _, size in sizes) / 2**20)


async def _size(server: ApiServer, resource: Resource) -> tuple[int, int]:
    """How many objects of a kind an operator watches, and their bytes as the apiserver lists them."""
    selector = label_selector(resource)
    query = {"labelSelector": selector} if selector else {}
    response = await server.open("GET", server.address + resource.path(), params=query)
    async with response:
        listed = await response.read()
    return len(orjson.loads(listed)["items"] or []), len(listed)
