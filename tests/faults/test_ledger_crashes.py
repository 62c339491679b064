"""Kill the operator at every put to its ledger's store, each in several ways: the ledger has each transition once, before its effect."""

from __future__ import annotations

import threading
from functools import partial

import pytest

from tests.cluster.control_plane import ControlPlane
from tests.faults.cases import Case, chosen, every_way
from tests.faults.lab import Lab
from tests.faults.oracle import Run, judge
from tests.faults.proxy import Crash, Cut, WritePoint
from tests.faults.travel import all_of, travel, verdict
from tests.integration.ledger_store import LedgerStore
from tests.wait import until

SAMPLE = 4


def certain(point: WritePoint) -> bool:
    """Whether every run has it: a put for each object, and for each entry of the ModelDeployment, which come one by one.

    How often a checkpoint is due depends on how long the run takes.
    """
    return point.number < {"inventory": 5, "slot": 11}.get(point.resource, 0)


def sample(reference: Run) -> list[Case]:
    points = [point for point in sorted(set(reference.puts)) if certain(point)]
    return [Case(points[number * len(points) // SAMPLE], cut) for number, cut in zip(range(SAMPLE), Cut, strict=True)]


def check(plane: ControlPlane, ledgers: LedgerStore, reference: Run, cases: list[Case]) -> None:
    def run(case: Case) -> str | None:
        journey = partial(travel, plane, ledgers, reference, store_crash=Crash(*case))
        return verdict(reference, str(case), journey, must_strike=certain(case.point))

    all_of(run, cases)


@pytest.mark.timeout(1200)
def test_a_sample_of_the_puts(plane: ControlPlane, ledgers: LedgerStore, reference: Run) -> None:
    assert len({point for point in reference.puts if certain(point)}) == 16, reference.puts
    check(plane, ledgers, reference, sample(reference))


@pytest.mark.full
@pytest.mark.timeout(7200)
def test_all_puts(plane: ControlPlane, ledgers: LedgerStore, reference: Run) -> None:
    check(plane, ledgers, reference, chosen(every_way(reference.puts)))


@pytest.mark.full
@pytest.mark.timeout(1800)
def test_two_minutes_without_a_store(plane: ControlPlane, ledgers: LedgerStore, reference: Run) -> None:
    """In the middle of a journey, for everything that the operator asks of it."""
    result = travel(plane, ledgers, reference, meanwhile=away)
    judge(reference, result)
    assert result.starts == 1


def away(lab: Lab) -> None:
    store = lab.store
    assert store
    until(lambda: sum(point.resource == "slot" for point in store.crash.seen) >= 6, 120, "the journey to be under way")
    store.away = True
    threading.Event().wait(120)
    store.away = False
