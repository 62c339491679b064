"""One apiserver for the chart's tests that need one: it defaults, validates and warns as a cluster does, and runs no pods."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.control_plane import ControlPlane
from tests.unit.chart.schemas import schema_folder


@pytest.fixture(scope="session")
def schemas() -> Path:
    return schema_folder()


@pytest.fixture(scope="session")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with ControlPlane(tmp_path_factory.mktemp("control-plane")) as plane:
        yield plane.kubeconfig
