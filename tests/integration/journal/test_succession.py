"""A leader that is paused with its put on the way, while another leads: the ledger has each entry once."""

from __future__ import annotations

import asyncio
import signal

import pytest

from slipway.ledger.verify import Report, verify
from tests.faults.proxy import StoreProxy
from tests.faults.recorded import unrecorded
from tests.integration.journal.team import SECONDS, Team, told
from tests.integration.ledger_store import BUCKET
from tests.integration.operator import OperatorProcess
from tests.wait import until


@pytest.mark.full
@pytest.mark.parametrize("first", [True, False], ids=["its-put-is-first", "the-other-was-first"])
def test_a_put_of_a_paused_leader(team: Team, first: bool) -> None:
    with StoreProxy(team.store.server.port) as proxy:
        leader = team.start("slipway-operator-a", SLIPWAY_LEDGER_ENDPOINT=proxy.url)
        try:
            team.serve()
            with team.operator("slipway-operator-b"):
                pause_and_succeed(team, leader, proxy, first)
                team.deploy("carol", version="3")
                team.await_reason("Serving")
        finally:
            leader.end()
    assert told(team.entries())[2:] == [
        (2, "Applied", "RolloutStarted", ("bob",)),
        (2, "Serving", "Serving", ("bob",)),
        (3, "Applied", "RolloutStarted", ("carol",)),
        (3, "Serving", "Serving", ("carol",)),
    ]
    assert not unrecorded(team.store.durable(team.prefix), team.plane.audit_log, team.namespace)
    report = asyncio.run(rescan(team))
    assert (report.wrong, report.size) == (None, len(team.store.entries(team.prefix)))


def pause_and_succeed(team: Team, leader: OperatorProcess, proxy: StoreProxy, first: bool) -> None:
    proxy.holds = "slot"
    team.deploy("bob", version="4")
    until(proxy.held.is_set, SECONDS, "the leader's put")
    leader.signal(signal.SIGSTOP)
    if first:
        proxy.release()
    team.await_reason("Serving")
    proxy.release()
    until(lambda: proxy.answer, SECONDS, "the put to arrive")
    assert proxy.answer == (200 if first else 412)
    leader.signal(signal.SIGCONT)
    assert leader.wait() == 1, "the deposed leader ends"


async def rescan(team: Team) -> Report:
    async with team.store.server.open(BUCKET, team.prefix) as store:
        return await verify(store, team.store.signer(team.prefix).verifier)
