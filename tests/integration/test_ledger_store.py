"""The embedded ledger store's two containers: one writes, the other serves the same volume and cannot be made to write."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from slipway.objectstore.errors import Missing, StoreError
from slipway.objectstore.s3 import S3Store
from tests.cluster.tools import binary
from tests.wait import free_port, until

ENTRYPOINT = Path(__file__).parents[2] / "images/object-store/entrypoint.sh"
BUCKET = "slipway-ledger"


@dataclass(frozen=True)
class Container:
    """What the chart gives one of them."""

    port: int
    user: str

    @property
    def secret(self) -> dict[str, str]:
        url = f"http://127.0.0.1:{self.port}"
        return {
            "AWS_ACCESS_KEY_ID": self.user,
            "AWS_SECRET_ACCESS_KEY": f"{self.user}-key",
            "AWS_ENDPOINT_URL": url,
            "AWS_REGION": "us-east-1",
        }


@contextmanager
def running(container: Container, volume: Path, programs: Path, *, read_only: bool) -> Iterator[subprocess.Popen[bytes]]:
    env = container.secret | {"BUCKETS": BUCKET, "PORT": str(container.port), "VGW_READ_ONLY": str(read_only).lower(), "DATA": str(volume)}
    search = f"{programs}:{binary('versitygw').parent}:{os.environ['PATH']}"
    with subprocess.Popen(["/bin/sh", ENTRYPOINT], env=env | {"PATH": search}, cwd=volume) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture(params=["extended attributes", "files beside"])
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Container, Container]]:
    """Writer and reader of one volume; the reader is there first, as may happen in a pod."""
    programs, volume = tmp_path / "bin", tmp_path / "data"
    for folder in (programs, volume):
        folder.mkdir()
    if request.param == "files beside":  # a volume that takes no extended attributes
        (programs / "python3").write_text("#!/bin/sh\nexit 1\n")
        (programs / "python3").chmod(0o755)
    writer, reader = Container(free_port(), "operator"), Container(free_port(), "auditor")
    with ExitStack() as stack:
        stack.enter_context(running(reader, volume, programs, read_only=True))
        stack.enter_context(running(writer, volume, programs, read_only=False))
        until((volume / "buckets" / BUCKET).is_dir, 60, "the writer to make the bucket")
        assert (volume / "metadata").is_dir() or request.param != "files beside"
        yield writer, reader


async def answering(container: Container) -> None:
    """Waits until it serves."""
    for _ in range(600):
        try:
            async with S3Store.opened(BUCKET, "", container.secret) as store:
                await store.exists("nothing")
                return
        except StoreError:
            continue
    raise AssertionError(f"the store does not answer on port {container.port}")


async def test_the_reader_sees_what_is_written_and_writes_nothing(pair: tuple[Container, Container]) -> None:
    writer, reader = pair
    await answering(writer)
    await answering(reader)
    async with S3Store.opened(BUCKET, "", writer.secret) as writing, S3Store.opened(BUCKET, "", reader.secret) as reading:
        await writing.create("slot/1", b"entry")
        assert await reading.get("slot/1") == b"entry"
        assert [key async for key in reading.list()] == ["slot/1"]
        for attempt in (reading.put("slot/1", b"forged"), reading.create("slot/2", b"forged"), reading.delete("slot/1")):
            with pytest.raises(StoreError):
                await attempt
        assert await writing.get("slot/1") == b"entry"
        with pytest.raises(Missing):
            await writing.get("slot/2")


async def test_an_auditor_is_nobody_at_the_writers_door(pair: tuple[Container, Container]) -> None:
    writer, reader = pair
    await answering(writer)
    stolen = reader.secret | {"AWS_ENDPOINT_URL": writer.secret["AWS_ENDPOINT_URL"]}
    async with S3Store.opened(BUCKET, "", stolen) as store:
        with pytest.raises(StoreError):
            await store.create("slot/1", b"forged")
        with pytest.raises(StoreError):
            await store.get("slot/1")
