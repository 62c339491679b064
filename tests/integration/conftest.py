"""A real apiserver with real controllers, without a node: started once for all integration tests."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.control_plane import ControlPlane
from tests.integration.identity import operator_token
from tests.integration.operator import OperatorProcess, token_kubeconfig
from tests.integration.platform import platform
from tests.kube import Kube

_numbers = itertools.count()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.integration)


@pytest.fixture(scope="session")
def control_plane() -> Iterator[ControlPlane]:
    """With our CRDs and the platform's namespace."""
    with platform("cp") as plane:
        yield plane


@pytest.fixture(scope="session")
def kube(control_plane: ControlPlane) -> Kube:
    return Kube(control_plane.kubeconfig)


@pytest.fixture(scope="session")
def operator(control_plane: ControlPlane, kube: Kube, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OperatorProcess]:
    """One operator for the tests that do not restart it, with the chart's RBAC rights and identity."""
    process = start_operator(control_plane, kube, tmp_path_factory.mktemp("operator"), "slipway-operator-0")
    yield process
    assert process.stop() == 0


def start_operator(control_plane: ControlPlane, kube: Kube, folder: Path, pod: str, **env: str) -> OperatorProcess:
    """A replica as service account slipway-operator, its token bound to a Pod object of that name."""
    config = token_kubeconfig(control_plane.kubeconfig, operator_token(kube, pod), folder / f"{pod}.kubeconfig")
    return OperatorProcess(config, pod, **env).start()


@pytest.fixture
def namespace(kube: Kube) -> Iterator[str]:
    with kube.namespace(f"test-{next(_numbers)}") as name:
        yield name
