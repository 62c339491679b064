"""The model servers of the session, started together, and the S3 store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.unit.runtime import models
from tests.unit.runtime.servers import ServerProcess

Start = Callable[..., ServerProcess]


@pytest.fixture(scope="session")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Starts a server for a model folder; all end with the session."""
    started: list[ServerProcess] = []

    def begin(model: Path, drain_seconds: float = 2, **environment: str) -> ServerProcess:
        started.append(ServerProcess(model, tmp_path_factory.mktemp("server"), drain_seconds, **environment))
        return started[-1]

    yield begin
    for server in started:
        server.kill()


@pytest.fixture(scope="session")
def _warming(start: Start, tmp_path_factory: pytest.TempPathFactory) -> tuple[ServerProcess, ServerProcess]:
    """The session's servers begin together: most of a start is Python's imports."""
    folder = tmp_path_factory.mktemp("models")
    churn = start(models.save(models.churn_model(), folder / "churn"), SLIPWAY_MAX_REQUEST_BYTES="200000")
    moody = start(models.save(models.Moody(), folder / "moody"))
    return churn, moody


@pytest.fixture(scope="session")
def churn(_warming: tuple[ServerProcess, ServerProcess]) -> ServerProcess:
    """Serves `models.churn_model`, with at most 200,000 bytes a request."""
    return _warming[0].wait_ready()


@pytest.fixture(scope="session")
def moody(_warming: tuple[ServerProcess, ServerProcess]) -> ServerProcess:
    """Serves `models.Moody`."""
    return _warming[1].wait_ready()
