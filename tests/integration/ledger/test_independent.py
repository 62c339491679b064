"""A verifier that shares no code with Slipway accepts the log: the notes, tiles and proofs of the Go project's golang.org/x/mod."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from slipway.objectstore.s3 import S3Store
from tests.cluster.cache import cached, content_key
from tests.cluster.tools import go
from tests.integration.ledger.samples import BUCKET, VERIFIER, entries, open_ledger
from tests.integration.ledger.test_attacks import change, flip
from tests.s3 import Server

SOURCE = Path(__file__).parent / "verifier"


@pytest.fixture(scope="session")
def verifier() -> Path:
    """The program, built once for its content."""

    def build(folder: Path) -> None:
        command = [go(), "build", "-trimpath", "-mod=readonly", "-o", str(folder / "verifier"), "."]
        subprocess.run(command, cwd=SOURCE, env=os.environ | {"CGO_ENABLED": "0", "GOFLAGS": ""}, check=True)

    return cached("tools", f"ledger-verifier-{content_key(*sorted(SOURCE.iterdir()))}", build) / "verifier"


def run(verifier: Path, server: Server, prefix: str, *old: Path) -> str:
    """What it says of the log: the gateway keeps objects as files of the same names."""
    folder = server.folder / BUCKET / prefix
    done = subprocess.run([verifier, VERIFIER.vkey, folder, *old], capture_output=True, text=True, check=False)
    assert (done.returncode == 0) == done.stdout.startswith("ACCEPTED"), done
    return done.stdout.strip()


async def test_others_accept_the_log(verifier: Path, server: Server, prefix: str, store: S3Store, tmp_path: Path) -> None:
    """At sizes below, at and above full tiles; each continues the one before."""
    old: list[Path] = []
    for size in (1, 3, 255, 256, 257, 512, 1000):
        async with open_ledger(store) as ledger:
            await ledger.append(entries(range(ledger.size, size)))
        assert run(verifier, server, prefix, *old) == f"ACCEPTED {size} entries"
        old = [tmp_path / "old"]
        old[0].write_bytes(await store.get("checkpoint"))


async def test_others_accept_three_levels_of_tiles(verifier: Path, server: Server, prefix: str, store: S3Store) -> None:
    async with open_ledger(store) as ledger:
        for begin in range(0, 66_000, 1000):
            await ledger.append(entries(range(begin, begin + 1000)))
    assert run(verifier, server, prefix) == "ACCEPTED 66000 entries"


@pytest.mark.parametrize("key", ["checkpoint", "tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1", "tile/entries/000"])
async def test_others_refuse_what_was_altered(verifier: Path, server: Server, prefix: str, store: S3Store, key: str) -> None:
    async with open_ledger(store) as ledger:
        await ledger.append(entries(range(300)))
    assert run(verifier, server, prefix) == "ACCEPTED 300 entries"
    await change(store, key, flip)
    assert run(verifier, server, prefix).startswith("REFUSED")
