"""Kill the operator at every write it makes in a whole journey, each in several ways: it ends in the same place, with the same writes."""

from __future__ import annotations

from functools import partial

import pytest

from tests.cluster.control_plane import ControlPlane
from tests.faults.cases import Case, chosen, every_way
from tests.faults.oracle import Run, judge
from tests.faults.proxy import Crash, Cut, WritePoint
from tests.faults.travel import all_of, travel, verdict
from tests.integration.ledger_store import LedgerStore

SAMPLE = 12


def certain(reference: Run, point: WritePoint) -> bool:
    """Whether every run has it. Later writes of a status, Events, and tries that met a conflict, others may not have."""
    if point.name.endswith("/status"):
        return point.number == 0
    verbs = {"PATCH": ("create", "patch"), "PUT": ("update",), "DELETE": ("delete",)}.get(point.verb, ())
    return point.number < sum(reference.writes[verb, point.resource, point.name] for verb in verbs)


def sample(reference: Run) -> list[Case]:
    """Writes spread over the whole matrix, each way as often."""
    points = [point for point in sorted(set(reference.points)) if certain(reference, point)]
    chosen = [points[number * len(points) // SAMPLE] for number in range(SAMPLE)]
    return [Case(point, list(Cut)[number % len(Cut)]) for number, point in enumerate(chosen)]


def check(plane: ControlPlane, ledgers: LedgerStore, reference: Run, cases: list[Case]) -> None:
    def run(case: Case) -> str | None:
        journey = partial(travel, plane, ledgers, reference, crash=Crash(*case))
        return verdict(reference, str(case), journey, must_strike=certain(reference, case.point))

    all_of(run, cases)


def test_two_undisturbed_runs_are_equal(plane: ControlPlane, ledgers: LedgerStore, reference: Run) -> None:
    again = travel(plane, ledgers, reference)
    judge(reference, again)
    assert again.starts == 1
    assert len({point for point in reference.points if certain(reference, point)}) >= 15, reference.points


@pytest.mark.timeout(1200)
def test_a_sample_of_the_matrix(plane: ControlPlane, ledgers: LedgerStore, reference: Run) -> None:
    check(plane, ledgers, reference, sample(reference))


@pytest.mark.full
@pytest.mark.timeout(7200)
def test_the_whole_matrix(plane: ControlPlane, ledgers: LedgerStore, reference: Run) -> None:
    check(plane, ledgers, reference, chosen(every_way(reference.points)))
