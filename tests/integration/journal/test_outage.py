"""A store that does not answer: what needs an entry waits, what serves goes on, and nobody is forgotten."""

from __future__ import annotations

from tests.integration.journal.team import SECONDS, Team, told
from tests.integration.samples import event_messages
from tests.kube import Manifest
from tests.wait import until


def test_what_needs_an_entry_waits_for_the_store(team: Team) -> None:
    with team.operator():
        team.register("alice", "3", "4")
        for name in ("churn", "steady", "doomed"):
            team.deploy("alice", name)
        for name in ("churn", "steady", "doomed"):
            team.await_reason("Serving", name)
        at_rest_of("steady", team)
        steady, running = team.status("steady"), team.get("Deployment")["spec"]
        team.store.server.stop()
        try:
            stopped(team)
            assert team.get("Deployment")["spec"] == running, "what serves is left alone"
            assert team.status("steady") == steady
        finally:
            team.store.server.start()
        gone_on(team)
        assert team.status("steady") == steady
        assert len(team.entries(name="steady")) == 2


def at_rest_of(name: str, team: Team) -> None:
    """Until two looks see the same status."""
    seen: list[Manifest] = []

    def same() -> bool:
        seen.append(team.status(name))
        return len(seen) > 1 and seen[-1] == seen[-2]

    until(same, SECONDS, f"{name} to be at rest", every=2)


def stopped(team: Team) -> None:
    """An upgrade, a scaling, a new deployment and a deletion, none of which the ledger can be told of."""
    seen = team.status()["observedGeneration"]
    team.deploy("bob", version="4")
    assert "what serves goes on" in team.await_reason("LedgerUnavailable")["message"]
    assert team.status()["observedGeneration"] == seen
    until(lambda: event_messages(team.kube, team.namespace, "LedgerUnavailable"), SECONDS, "the Event")
    found = [
        (e["involvedObject"]["name"], e["message"]) for e in team.kube.list("Event", team.namespace) if e["reason"] == "LedgerUnavailable"
    ]
    assert len(found) == 1, found
    team.deploy("carol", version="4", pod={"env": [{"name": "LEVEL", "value": "9"}]})
    team.deploy("carol", "late")
    team.kube.delete("ModelDeployment", team.namespace, "doomed")
    team.await_reason("LedgerUnavailable")
    team.await_reason("LedgerUnavailable", "late")
    assert team.status("late")["observedGeneration"] == -1
    assert team.status()["observedGeneration"] == seen
    assert team.kube.get("Deployment", team.namespace, "late") is None


def gone_on(team: Team) -> None:
    """By itself; whoever asked for something meanwhile is named, each for all of it."""
    team.await_reason("Serving")
    team.await_reason("Serving", "late")
    team.await_entry("Deleted", name="doomed")
    assert told(team.entries())[2:] == [
        (3, "Applied", "RolloutStarted", ("bob", "carol")),
        (3, "Serving", "Serving", ("bob", "carol")),
    ]
    assert told(team.entries(name="late")) == [
        (1, "Applied", "RolloutStarted", ("carol",)),
        (1, "Serving", "Serving", ("carol",)),
    ]


def test_a_store_that_is_away_at_the_start(team: Team) -> None:
    team.store.server.stop()
    try:
        with team.operator():
            team.register("alice", "3")
            team.deploy("alice")
            team.await_reason("LedgerUnavailable")
            assert team.kube.get("Deployment", team.namespace, "churn") is None
            team.store.server.start()
            team.await_reason("Serving")
            assert told(team.entries()) == [(1, "Applied", "RolloutStarted", ("alice",)), (1, "Serving", "Serving", ("alice",))]
    finally:
        if team.store.server.process is None:
            team.store.server.start()
