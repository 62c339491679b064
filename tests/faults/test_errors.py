"""A share of all requests goes wrong for a whole journey: it ends where an undisturbed one does."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.cluster.control_plane import ControlPlane
from tests.faults.oracle import Run
from tests.faults.proxy import Errors, Fault
from tests.faults.travel import all_of, travel
from tests.integration.ledger_store import LedgerStore

SHARE = 0.15


def ends_alike(plane: ControlPlane, ledgers: LedgerStore, reference: Run, errors: Errors) -> str | None:
    """What went wrong, or None. Writes may repeat here: each error is one more try."""
    try:
        travel(plane, ledgers, reference, errors=errors)
    except AssertionError as error:
        return f"{errors.faults}: {error}"
    return None


def check(plane: ControlPlane, ledgers: LedgerStore, reference: Run, cases: list[Errors]) -> None:
    all_of(lambda errors: ends_alike(plane, ledgers, reference, errors), cases)
    struck = sum((errors.struck for errors in cases), Counter[Fault]())
    assert all(struck[fault] for fault in Fault), struck


def test_every_fault_at_once(plane: ControlPlane, ledgers: LedgerStore, reference: Run) -> None:
    check(plane, ledgers, reference, [Errors(SHARE, seed=seed) for seed in range(3)])


@pytest.mark.full
@pytest.mark.timeout(1800)
def test_every_fault_alone(plane: ControlPlane, ledgers: LedgerStore, reference: Run) -> None:
    check(plane, ledgers, reference, [Errors(SHARE * 2, (fault,)) for fault in Fault])
