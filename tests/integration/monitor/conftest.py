"""One S3 server; a bucket a test."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.integration.monitor.lab import Lab
from tests.integration.monitor.web import Web, listening
from tests.s3 import Server, start_store

_numbers = itertools.count()


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with start_store(tmp_path_factory.mktemp("monitor") / "buckets") as server:
        yield server


@pytest.fixture
def lab(store: Server, tmp_path: Path) -> Lab:
    return Lab.prepared(store, tmp_path, f"log-{next(_numbers)}")


@pytest.fixture
async def server() -> AsyncIterator[Web]:
    async with listening() as server:
        yield server
