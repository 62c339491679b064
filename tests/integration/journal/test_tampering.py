"""A ledger that is not what was written: nothing new starts, and a person is told."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

from slipway.ledger.slots import slot_path
from tests.integration.journal.team import SECONDS, Team
from tests.integration.ledger_store import BUCKET, LedgerStore
from tests.integration.samples import event_messages
from tests.wait import until


def test_a_slot_of_somebody_else_stops_changes(team: Team) -> None:
    with team.operator():
        team.serve()
        asyncio.run(forge(team.store, team.prefix, len(team.store.entries(team.prefix))))
        judge_forked(team)


async def forge(store: LedgerStore, prefix: str, size: int) -> None:
    """Somebody without the key puts a slot after the last one."""
    async with store.server.open(BUCKET, prefix) as opened:
        await opened.create(slot_path(size), b"not of this log's writers\n")


def test_a_log_that_was_taken_away_is_missed(team: Team, tmp_path: Path) -> None:
    """While no operator ran. The anchor knows that there was one."""
    anchored = team.store.settings(team.prefix, anchor=tmp_path / "anchor")
    with team.operator(**anchored):
        team.serve()
    shutil.rmtree(team.store.path(team.prefix))
    with team.operator(**anchored):
        judge_forked(team)


def judge_forked(team: Team) -> None:
    """A change waits for a person; what serves goes on."""
    running = team.get("Deployment")["spec"]
    team.deploy("bob", version="4")
    assert "not what was written" in team.await_reason("LedgerForked", kind="Stalled")["message"]
    assert team.status()["observedGeneration"] == 1
    assert team.get("Deployment")["spec"] == running
    assert team.kube.condition("churn", team.namespace, "Available")["status"] == "True"  # type: ignore[index]
    until(lambda: any("LedgerForked" in said for said in event_messages(team.kube, team.namespace, "Stalled")), SECONDS, "the Event")
