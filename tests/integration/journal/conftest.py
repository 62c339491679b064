"""One control plane with the chart's policies and one S3 server; each test has a namespace and a ledger of its own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.control_plane import ControlPlane
from tests.integration.identity import chart
from tests.integration.journal.team import Team
from tests.integration.ledger_store import LedgerStore, ledger_store
from tests.integration.platform import platform
from tests.kube import Kube

_numbers = itertools.count()


@pytest.fixture(scope="package")
def plane() -> Iterator[ControlPlane]:
    """A control plane of its own, with what the chart has for the ledger."""
    with platform("ledger", policies=True, record_bodies=True) as control:
        for manifest in chart():
            if (manifest["kind"], manifest["metadata"]["name"]) == ("ConfigMap", "slipway-ledger"):
                Kube(control.kubeconfig).apply(manifest)
        yield control


@pytest.fixture(scope="package")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LedgerStore]:
    with ledger_store(tmp_path_factory.mktemp("ledger")) as running:
        yield running


@pytest.fixture
def team(plane: ControlPlane, store: LedgerStore, tmp_path: Path) -> Iterator[Team]:
    kube = Kube(plane.kubeconfig)
    with kube.namespace(f"ledger-{next(_numbers)}") as namespace:
        yield Team(plane, kube, store, namespace, tmp_path, prefix=namespace)
