"""The elector, on a Lease kept by a function instead of an apiserver, with pretended time."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from slipway.cluster.client import Cluster
from slipway.cluster.http import Conflict, NotFound, Refused, Request, Unavailable
from slipway.cluster.leader import Elector, LeaseLost


class LeaseServer:
    """GET, POST and PUT of one Lease, with resourceVersions."""

    def __init__(self) -> None:
        self.lease: dict[str, Any] | None = None
        self.version = 0
        self.down = False

    async def __call__(self, request: Request) -> Any:
        if self.down:
            raise Unavailable(0, "Connection", "down")
        if request.method == "GET":
            if self.lease is None:
                raise NotFound(404, "NotFound", "none")
            return {**self.lease, "spec": dict(self.lease["spec"])}
        if request.method == "POST" and self.lease is not None:
            raise Refused(409, "AlreadyExists", "there")
        if request.method == "PUT" and request.body["metadata"]["resourceVersion"] != str(self.version):
            raise Conflict(409, "Conflict", "changed")
        self.version += 1
        self.lease = request.body | {"metadata": request.body["metadata"] | {"resourceVersion": str(self.version)}}
        return self.lease


@pytest.fixture
def server() -> LeaseServer:
    return LeaseServer()


class Clock:
    """Time that moves when told to."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def elector(server: LeaseServer, name: str, clock: Clock) -> Elector:
    return Elector(Cluster(server), "slipway-system", name, 10, clock)


async def test_one_leads_and_the_other_waits_for_the_whole_duration(server: LeaseServer) -> None:
    clock = Clock()
    first, second = elector(server, "a", clock), elector(server, "b", clock)
    assert await first._attempt()
    assert not await second._attempt()
    clock.now += 9
    assert await first._attempt(), "renewed"
    assert not await second._attempt(), "sees a new record: its clock starts anew"
    clock.now += 9
    assert not await second._attempt()
    clock.now += 2
    assert await second._attempt()
    assert not await first._attempt(), "the old leader learns that it lost"
    assert server.lease is not None
    assert server.lease["spec"]["leaseTransitions"] == 1


async def test_a_released_lease_is_taken_at_once(server: LeaseServer) -> None:
    clock = Clock()
    first, second = elector(server, "a", clock), elector(server, "b", clock)
    assert await first._attempt()
    await first.release()
    assert await second._attempt()


async def test_release_leaves_the_lease_of_another_alone(server: LeaseServer) -> None:
    first, second = elector(server, "a", Clock()), elector(server, "b", Clock())
    assert await first._attempt()
    await second.release()
    assert server.lease is not None
    assert server.lease["spec"]["holderIdentity"] == "a"


async def test_release_wins_over_a_renewal_that_lands_late(server: LeaseServer) -> None:
    first = elector(server, "a", Clock())
    assert await first._attempt()
    late = True

    async def racing(request: Request) -> Any:
        nonlocal late
        if request.method == "PUT" and late:
            late = False
            server.version += 1  # the renewal that was cut off
            assert server.lease is not None
            server.lease["metadata"]["resourceVersion"] = str(server.version)
        return await server(request)

    first._cluster = Cluster(racing)
    await first.release()
    assert server.lease is not None
    assert server.lease["spec"]["holderIdentity"] == ""


async def test_leadership_ends_when_renewals_hang(server: LeaseServer) -> None:
    first = Elector(Cluster(server), "slipway-system", "a", 0.3)
    running = asyncio.create_task(first.run())
    await first.leading.wait()

    async def hangs(request: Request) -> Any:
        await asyncio.Event().wait()

    first._cluster = Cluster(hangs)
    with pytest.raises(LeaseLost, match="in time"):
        await running
    assert not first.leading.is_set()


async def test_of_two_that_try_at_once_one_wins(server: LeaseServer) -> None:
    clock = Clock()
    won = await asyncio.gather(*(elector(server, name, clock)._attempt() for name in "abc"))
    assert sum(won) == 1


async def test_an_apiserver_that_does_not_answer_is_no_leadership(server: LeaseServer) -> None:
    server.down = True
    assert not await elector(server, "a", Clock())._attempt()


async def test_a_lease_that_may_not_be_written_is_said_aloud(server: LeaseServer, caplog: pytest.LogCaptureFixture) -> None:
    async def forbids(request: Request) -> Any:
        if request.method == "GET":
            return await server(request)
        raise Refused(403, "Forbidden", "may not create leases")

    unlucky = elector(server, "a", Clock())
    unlucky._cluster = Cluster(forbids)
    assert not await unlucky._attempt()
    assert "may not create leases" in caplog.text
