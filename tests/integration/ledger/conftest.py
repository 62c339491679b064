"""One S3 server for all tests of the ledger; each test has a folder of its own in the bucket."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Iterator

import pytest

from slipway.objectstore.s3 import S3Store
from tests.integration.ledger.samples import BUCKET
from tests.s3 import Server, start_store

_numbers = itertools.count()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with start_store(tmp_path_factory.mktemp("s3") / "buckets") as running:
        yield running


@pytest.fixture
def prefix() -> str:
    return f"log-{next(_numbers)}"


@pytest.fixture
async def store(server: Server, prefix: str) -> AsyncIterator[S3Store]:
    async with server.open(BUCKET, prefix) as opened:
        yield opened


@pytest.fixture
async def elsewhere(server: Server, prefix: str) -> AsyncIterator[S3Store]:
    """A second bucket, for anchors."""
    async with server.open("anchors", prefix) as opened:
        yield opened
