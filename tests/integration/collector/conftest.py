"""One apiserver, one store and one collector for the tests that do not kill them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from tests.cluster.control_plane import ControlPlane
from tests.integration.collector.lab import Lab, may
from tests.integration.collector.process import Collector
from tests.integration.platform import platform
from tests.kube import Kube
from tests.s3 import start_store

_numbers = itertools.count()


@pytest.fixture(scope="session")
def plane() -> Iterator[ControlPlane]:
    with platform("collector", controllers=False) as plane:
        yield plane


@pytest.fixture(scope="session")
def lab(plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("collector")
    with start_store(folder / "buckets") as store:
        lab = Lab(Kube(plane.kubeconfig), store, folder).prepare()
        yield lab
        for collector in lab.collectors:
            collector.stop()


@pytest.fixture(scope="session")
def collector(lab: Lab) -> Collector:
    return lab.collector()


@pytest.fixture
def namespace() -> str:
    """A name that no other test uses."""
    return f"team-{next(_numbers)}"


@pytest.fixture(scope="session")
def reader(lab: Lab) -> str:
    """The token of somebody who may read and erase everything, and bring ground truth."""
    rules = [may("get", "predictions"), may("delete", "predictions"), may("create", "actuals")]
    return lab.person("reader", rules)
