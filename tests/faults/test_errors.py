"""A share of all requests goes wrong for a whole journey: it ends where an undisturbed one does."""

from __future__ import annotations

import pytest

from tests.cluster.control_plane import ControlPlane
from tests.faults.oracle import Run
from tests.faults.proxy import Errors, Fault
from tests.faults.travel import all_of, travel

SHARE = 0.1


def ends_alike(plane: ControlPlane, reference: Run, errors: Errors) -> str | None:
    """What went wrong, or None. Writes may repeat here: each error is one more try."""
    try:
        travel(plane, reference, errors=errors)
    except AssertionError as error:
        return f"{errors.faults}: {error}"
    return None if errors.struck.total() >= 10 else f"{errors.faults}: only {errors.struck} came by"


def test_every_fault_at_once(plane: ControlPlane, reference: Run) -> None:
    all_of(lambda seed: ends_alike(plane, reference, Errors(SHARE, seed=seed)), range(3))


@pytest.mark.full
@pytest.mark.timeout(1800)
def test_every_fault_alone(plane: ControlPlane, reference: Run) -> None:
    all_of(lambda fault: ends_alike(plane, reference, Errors(SHARE * 2, (fault,))), Fault)
