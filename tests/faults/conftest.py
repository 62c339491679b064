"""One control plane for all journeys, which records what is written; and the undisturbed journey that others are compared with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.control_plane import ControlPlane
from tests.faults.oracle import Run
from tests.faults.travel import travel
from tests.integration.ledger_store import LedgerStore, ledger_store
from tests.integration.platform import platform


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.integration)


@pytest.fixture(scope="session")
def plane() -> Iterator[ControlPlane]:
    with platform("faults", record_bodies=True) as control:
        yield control


@pytest.fixture(scope="session")
def ledgers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LedgerStore]:
    with ledger_store(tmp_path_factory.mktemp("ledgers")) as store:
        yield store


@pytest.fixture(scope="session")
def reference(plane: ControlPlane, ledgers: LedgerStore) -> Run:
    return travel(plane, ledgers)
