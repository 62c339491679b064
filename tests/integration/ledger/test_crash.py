"""A writer that dies at any of its puts: what was acknowledged is there, and after the next start each entry is there once."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from slipway.ledger import index
from slipway.ledger.anchors import BucketAnchor
from slipway.ledger.behind import Pace
from slipway.ledger.entry import Entry
from slipway.ledger.errors import LedgerUnavailable
from slipway.ledger.writer import Ledger
from slipway.objectstore.s3 import S3Store
from tests.integration.ledger.dying import Fuse
from tests.integration.ledger.samples import BUCKET, entries, entry, ids, open_ledger, sound
from tests.s3 import Server
from tests.wait import until

BATCHES = [[entry(0)], entries(range(1, 255)), entries(range(255, 300)), [entry(300), entry(301)]]
ALL = [item for batch in BATCHES for item in batch]


@dataclass(frozen=True)
class Place:
    """A log and its anchor."""

    store: S3Store
    elsewhere: S3Store

    def below(self, folder: str) -> Place:
        return Place(self.store.below(folder), self.elsewhere.below(folder))


async def journey(place: Place, fuse: Fuse) -> list[Entry]:
    """Appends everything, with a checkpoint in between and one at the end; the entries that were acknowledged."""
    durable: list[Entry] = []
    try:
        async with open_ledger(fuse.wrap(place.store), anchors=[BucketAnchor(fuse.wrap(place.elsewhere))]) as ledger:
            for number, batch in enumerate(BATCHES):
                await ledger.append(batch)
                durable += batch
                if number == 2:
                    await ledger.checkpoint()
    except LedgerUnavailable:
        assert fuse.dead
    return durable


async def test_dying_at_every_put(store: S3Store, elsewhere: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "RUN", 256)
    place, undisturbed = Place(store, elsewhere), Fuse()
    assert await journey(place.below("whole"), undisturbed) == ALL
    assert {key.partition("/")[0] for key in undisturbed.puts} == {"slot", "tile", "checkpoint", "checkpoints", "index"}
    for at, after in itertools.product(range(len(undisturbed.puts)), (False, True)):
        await _dies(place.below(f"{at}-{after}"), Fuse(at, after))


async def _dies(place: Place, fuse: Fuse) -> None:
    durable = await journey(place, fuse)
    assert fuse.dead
    found = await ids(place.store)
    assert found[: len(durable)] == [item.id for item in durable], f"died at {fuse}"
    async with open_ledger(place.store, anchors=[BucketAnchor(place.elsewhere)]) as ledger:
        for batch in BATCHES:  # the operator plans the same transitions again
            await ledger.append(batch)
    assert sorted(await ids(place.store)) == sorted(item.id for item in ALL), f"died at {fuse}"
    report = await sound(place.store, await place.elsewhere.get("checkpoint"))
    assert report.covered == len(ALL)


async def test_dying_at_every_put_of_the_index(store: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four runs, and the one that they are merged into."""
    monkeypatch.setattr(index, "RUN", 256)
    many = entries(range(1100))
    undisturbed = Fuse()
    async with open_ledger(undisturbed.wrap(store.below("whole"))) as ledger:
        await ledger.append(many)
    points = [at for at, key in enumerate(undisturbed.puts) if key.startswith("index/")]
    assert len(points) == 4 + 4
    for at in points:
        place, fuse = store.below(f"{at}"), Fuse(at)
        async with open_ledger(fuse.wrap(place)) as ledger:
            await ledger.append(many)
        assert fuse.dead
        async with open_ledger(place) as ledger:
            await ledger.append([entry(3), entry(1050), entry(2000)])
            assert ledger.size == 1101
        await sound(place)
        assert [key async for key in place.list("index/")] == sorted(undisturbed.puts[at] for at in points)


def start_writer(server: Server, prefix: str, *numbers: int) -> subprocess.Popen[str]:
    """A process that appends these entries one by one, and writes the number of each to stdout once it is durable."""
    command = [sys.executable, "-m", "tests.integration.ledger.writing", prefix, *map(str, numbers)]
    environment = os.environ | server.secret | {"PYTHONPATH": str(Path(__file__).parents[3])}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


async def test_killed_processes(server: Server, prefix: str) -> None:
    """SIGKILL after some acknowledgement, thrice; the last one finishes the work."""
    server.bucket(BUCKET)
    for patience in (3, 11, 29):
        with start_writer(server, prefix, *range(60)) as writer:
            assert writer.stdout is not None
            acknowledged = [int(writer.stdout.readline()) for _ in range(patience)]
            writer.send_signal(signal.SIGKILL)
        async with server.open(BUCKET, prefix) as store:
            assert {entry(number).id for number in acknowledged} <= set(await ids(store))
    with start_writer(server, prefix, *range(60)) as writer:
        assert len(writer.communicate()[0].split()) == 60
        assert writer.returncode == 0
    async with server.open(BUCKET, prefix) as store:
        assert sorted(await ids(store)) == sorted(entry(number).id for number in range(60))
        assert (await sound(store)).covered == 60


async def test_processes_that_write_at_once(server: Server, prefix: str) -> None:
    """Three of them, with some entries in common: one log, each entry once."""
    server.bucket(BUCKET)
    shares = [range(0, 40), range(30, 70), range(60, 100)]
    writers = [start_writer(server, prefix, *share) for share in shares]
    for writer, share in zip(writers, shares, strict=True):
        assert len(writer.communicate()[0].split()) == len(share)
        assert writer.returncode == 0
    async with server.open(BUCKET, prefix) as store:
        assert sorted(await ids(store)) == sorted(entry(number).id for number in range(100))
        report = await sound(store)
        assert report.size == 100


async def test_two_writers_race(server: Server, prefix: str) -> None:
    """In one process, so that they meet at every slot; each believes to be the only one."""
    async with server.open(BUCKET, prefix) as store, server.open(BUCKET, prefix) as same:
        async with open_ledger(store) as one, open_ledger(same) as other:

            async def write(ledger: Ledger, numbers: range) -> None:
                for number in numbers:
                    await ledger.append([entry(number)])

            await asyncio.gather(
                write(one, range(0, 60)), write(other, range(40, 100)), write(one, range(100, 140)), write(other, range(120, 160))
            )
            await one.append([entry(0)])
            await other.append([entry(159)])
            assert max(one.size, other.size) == 160
        assert sorted(await ids(store)) == sorted(entry(number).id for number in range(160))
        assert (await sound(store)).size == 160


async def test_a_checkpoint_comes_by_itself(server: Server, prefix: str) -> None:
    async with server.open(BUCKET, prefix) as store, open_ledger(store, pace=Pace(quickest=0.05, slowest=0.05)) as ledger:
        await ledger.append([entry(0)])
        await asyncio.to_thread(until, lambda: ledger.covered == 1, 20, "a checkpoint after some time")
        async with open_ledger(store, pace=Pace(quickest=3600, slowest=3600)) as busy:
            await busy.append(entries(range(1, 600)))
            await asyncio.to_thread(until, lambda: busy.covered == 600, 20, "a checkpoint after many entries")
