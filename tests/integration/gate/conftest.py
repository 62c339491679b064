"""One control plane with the chart's policies and a ledger, one operator that governs; each test has a staged namespace of its own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.control_plane import ControlPlane
from tests.integration.conftest import start_operator
from tests.integration.gate.gated import Gated, await_guard, governing_env, install_records
from tests.integration.ledger_store import LedgerStore, ledger_store
from tests.integration.operator import OperatorProcess
from tests.integration.platform import platform
from tests.kube import Kube

_numbers = itertools.count()
PREFIX = "gate"


@pytest.fixture(scope="package")
def plane() -> Iterator[ControlPlane]:
    with platform("gate", policies=True) as control:
        install_records(Kube(control.kubeconfig))
        yield control


@pytest.fixture(scope="package")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LedgerStore]:
    with ledger_store(tmp_path_factory.mktemp("ledger")) as running:
        yield running


@pytest.fixture(scope="package")
def governor(plane: ControlPlane, store: LedgerStore, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OperatorProcess]:
    """The operator, for tests that do not end it."""
    env = governing_env() | store.settings(PREFIX)
    process = start_operator(plane, Kube(plane.kubeconfig), tmp_path_factory.mktemp("operator"), "slipway-operator-0", **env)
    await_guard(Kube(plane.kubeconfig))
    yield process
    assert process.stop() == 0


@pytest.fixture
def gated(plane: ControlPlane, store: LedgerStore, governor: OperatorProcess, tmp_path: Path) -> Iterator[Gated]:
    """A namespace with a stage of its own."""
    kube = Kube(plane.kubeconfig)
    name = f"gate-{next(_numbers)}"
    with kube.namespace(name, **{"slipway.dev/stage": name}):
        gated = Gated(plane, kube, store, name, tmp_path, PREFIX)
        yield gated
        gated.clear()
