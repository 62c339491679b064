"""Kill the operator at every write of a governed life: never two starts, never a start without its entry, never a word used twice."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from tests.cluster.control_plane import ControlPlane
from tests.faults.cases import Case, chosen, every_way
from tests.faults.governed import Life, judge, live
from tests.faults.proxy import Crash, Cut
from tests.integration.gate.gated import install_records
from tests.integration.ledger_store import LedgerStore
from tests.integration.platform import platform
from tests.kube import Kube

log = logging.getLogger(__name__)

GATE = ("controllerrevisions", "modelapprovals")
"""What only the gate writes."""


@pytest.fixture(scope="module")
def governed_plane() -> Iterator[ControlPlane]:
    with platform("governed", policies=True, record_bodies=True) as control:
        install_records(Kube(control.kubeconfig))
        yield control


@pytest.fixture(scope="module")
def undisturbed(governed_plane: ControlPlane, ledgers: LedgerStore) -> Life:
    return live(governed_plane, ledgers, Crash())


def sample(undisturbed: Life) -> list[Case]:
    """The first approved revision, each way, and what becomes of an approval."""
    points = sorted(set(undisturbed.points))
    approved = next(point for point in points if point.resource == "controllerrevisions")
    answered = next(point for point in points if point.name == "first/status")
    return [*(Case(approved, cut) for cut in Cut), Case(answered, Cut.BEFORE), Case(answered, Cut.ANSWER_LOST)]


def check(plane: ControlPlane, ledgers: LedgerStore, undisturbed: Life, cases: list[Case]) -> None:
    """One after the other: each operator serves the whole cluster."""
    failures = []
    for case in cases:
        try:
            judge(undisturbed, live(plane, ledgers, Crash(*case), undisturbed))
        except AssertionError as error:
            log.warning("%s: %s", case, error)
            failures.append(f"{case}: {error}")
        else:
            log.info("%s: as undisturbed", case)
    assert not failures, f"{len(failures)} of {len(cases)}:\n" + "\n".join(failures)


def test_a_sample_of_a_governed_life(governed_plane: ControlPlane, ledgers: LedgerStore, undisturbed: Life) -> None:
    assert {point.resource for point in undisturbed.points} >= {*GATE, "deployments", "modeldeployments"}
    check(governed_plane, ledgers, undisturbed, sample(undisturbed))


@pytest.mark.full
@pytest.mark.timeout(7200)
def test_all_writes_of_a_governed_life(governed_plane: ControlPlane, ledgers: LedgerStore, undisturbed: Life) -> None:
    check(governed_plane, ledgers, undisturbed, chosen(every_way(undisturbed.points)))
