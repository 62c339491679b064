"""The gate's control plane and operator; each test has a staged namespace, and people who run the plugin in it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.control_plane import ControlPlane
from tests.integration.gate.conftest import PREFIX, governor, plane, store
from tests.integration.governance_cli.desk import Desk
from tests.integration.ledger_store import LedgerStore
from tests.integration.operator import OperatorProcess
from tests.kube import Kube

_numbers = itertools.count()
__all__ = ["PREFIX", "desk", "governor", "plane", "store"]


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
