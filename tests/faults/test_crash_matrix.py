"""Kill the operator at every write it makes in a whole journey, each in several ways: it ends in the same place, with the same writes."""

from __future__ import annotations

from functools import partial

import pytest

from tests.cluster.control_plane import ControlPlane
from tests.faults.oracle import Run, judge
from tests.faults.proxy import Crash, Cut, WritePoint
from tests.faults.travel import all_of, travel, verdict

SAMPLE = 12

Case = tuple[WritePoint, Cut]


def certain(point: WritePoint) -> bool:
    """Whether every undisturbed run has it: later writes of a status, and Events, may be one where another run has two."""
    return point.number == 0 or not (point.name.endswith("/status") or point.resource == "events")


def matrix(reference: Run) -> list[Case]:
    """Every write of the undisturbed run, every way, in an order that does not depend on the run's timing."""
    return [(point, cut) for point in sorted(set(reference.points)) for cut in Cut]


def sample(reference: Run) -> list[Case]:
    """Writes spread over the whole matrix, each way as often."""
    points = [point for point in sorted(set(reference.points)) if certain(point)]
    chosen = [points[number * len(points) // SAMPLE] for number in range(SAMPLE)]
    return [(point, list(Cut)[number % len(Cut)]) for number, point in enumerate(chosen)]


def check(plane: ControlPlane, reference: Run, cases: list[Case]) -> None:
    def run(case: Case) -> str | None:
        point, cut = case
        journey = partial(travel, plane, reference, crash=Crash(point, cut))
        return verdict(reference, f"{point}, {cut.value}", journey, must_strike=certain(point))

    all_of(run, cases)


def test_two_undisturbed_runs_are_equal(plane: ControlPlane, reference: Run) -> None:
    again = travel(plane, reference)
    judge(reference, again)
    assert again.starts == 1
    assert len(set(filter(certain, reference.points))) >= 12, reference.points


def test_a_sample_of_the_matrix(plane: ControlPlane, reference: Run) -> None:
    check(plane, reference, sample(reference))


@pytest.mark.full
@pytest.mark.timeout(7200)
def test_the_whole_matrix(plane: ControlPlane, reference: Run) -> None:
    check(plane, reference, matrix(reference))
