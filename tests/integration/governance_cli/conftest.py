"""The gate's control plane and operator; each test has a staged namespace, and people who run the plugin in it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.control_plane import ControlPlane
from tests.integration.conftest import start_operator
from tests.integration.gate.gated import await_guard, governing_env, install_records
from tests.integration.governance_cli.desk import Desk
from tests.integration.ledger_store import LedgerStore, ledger_store
from tests.integration.operator import OperatorProcess
from tests.integration.platform import platform
from tests.kube import Kube

_numbers = itertools.count()
PREFIX = "desk"


@pytest.fixture(scope="package")
def plane() -> Iterator[ControlPlane]:
    with platform("desk", policies=True) as control:
        install_records(Kube(control.kubeconfig))
        yield control


@pytest.fixture(scope="package")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LedgerStore]:
    with ledger_store(tmp_path_factory.mktemp("ledger")) as running:
        yield running


@pytest.fixture(scope="package")
def governor(plane: ControlPlane, store: LedgerStore, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OperatorProcess]:
    kube = Kube(plane.kubeconfig)
    env = governing_env() | store.settings(PREFIX)
    process = start_operator(plane, kube, tmp_path_factory.mktemp("operator"), "slipway-operator-0", **env)
    await_guard(kube)
    yield process
    assert process.stop() == 0


@pytest.fixture
def desk(plane: ControlPlane, store: LedgerStore, governor: OperatorProcess, tmp_path: Path) -> Iterator[Desk]:
    """bob and carol may approve as risk, dave as platform, and alice may do what she likes."""
    kube = Kube(plane.kubeconfig)
    name = f"desk-{next(_numbers)}"
    with kube.namespace(name, **{"slipway.dev/stage": name}):
        desk = Desk(plane, kube, store, name, tmp_path, PREFIX)
        desk.appoint("bob", "risk")
        desk.appoint("carol", "risk")
        desk.appoint("dave", "platform")
        yield desk
        desk.clear()
