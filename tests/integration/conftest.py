"""A real apiserver with real controllers, without a node: started once for all integration tests."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.cluster.control_plane import ControlPlane
from tests.integration.identity import operator_token
from tests.integration.operator import OperatorProcess, token_kubeconfig
from tests.kube import Kube, Refusal, load_yaml
from tests.wait import until

ROOT = Path(__file__).parents[2]
_numbers = itertools.count()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.integration)


@pytest.fixture(scope="session")
def control_plane() -> Iterator[ControlPlane]:
    """With our CRDs and the platform's namespace."""
    state = Path(tempfile.mkdtemp(prefix="slipway-cp-"))
    plane = ControlPlane(state)
    try:
        plane.start()
        install_crds(Kube(plane.kubeconfig))
        yield plane
    finally:
        plane.stop()
        shutil.rmtree(state, ignore_errors=True)


def install_crds(kube: Kube) -> None:
    """Applies crds/ and waits until the apiserver serves them."""
    for path in sorted((ROOT / "crds").glob("*.yaml")):
        for manifest in load_yaml(path):
            kube.apply(manifest)
    for plural in ("models", "modelversions", "modeldeployments"):
        until(partial(_served, kube, plural), 30, f"{plural} to be served")
    kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "slipway-system"}})


def _served(kube: Kube, plural: str) -> bool:
    try:
        kube.call("GET", f"/apis/slipway.dev/v1alpha1/{plural}")
    except Refusal:
        return False
    return True


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
