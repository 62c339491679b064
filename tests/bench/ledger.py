"""The ledger: appends against a bare loop of conditional puts on the same S3 server, a proof against a full rescan, memory against size."""

from __future__ import annotations

import asyncio
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from slipway.ledger.behind import Pace
from slipway.ledger.entry import Entry
from slipway.ledger.prove import prove
from slipway.ledger.reader import Reader
from slipway.ledger.slots import Slot
from slipway.ledger.verify import verify
from slipway.ledger.writer import Ledger
from slipway.objectstore.s3 import S3Store
from tests.bench.table import Row, Table
from tests.integration.ledger.samples import BUCKET, SELDOM, SIGNER, VERIFIER, entry
from tests.s3 import Server, start_store

LARGE = int(os.environ.get("ENTRIES", "1000000"))
SMALL = 10_000
ROUNDS = int(os.environ.get("PAIRS", "5"))
APPENDS = 300
TURN = 10
BATCH = 32
CHECKS = 100
PER_OBJECT = 1000
"""Entries of one object in the large log."""


async def run() -> Table:
    home = Path(tempfile.mkdtemp(prefix="slipway-bench-ledger-"))
    try:
        with start_store(home / "buckets") as server:
            async with server.open(BUCKET) as store:
                rates = await _rates(store)
                await fill(store.below("small"), SMALL)
                await fill(store.below("large"), LARGE)
                proof = await _proof(store.below("large"))
            memory = {what: [_memory(server, size, what) for size in ("small", "large")] for what in ("append", "verify")}
    finally:
        shutil.rmtree(home, ignore_errors=True)
    about = (
        f"versitygw on the same machine; {ROUNDS} interleaved rounds of {APPENDS} puts; the large log has {LARGE:,} entries, "
        f"the small one {SMALL:,}."
    )
    return Table("Ledger", about, [*rates.rows(), *proof, *(_growth(what, *pair) for what, pair in memory.items())])


@dataclass(frozen=True)
class Rates:
    """Entries a second, by round."""

    bare: list[float]
    single: list[float]
    batched: list[float]

    def rows(self) -> list[Row]:
        def ratio(ours: list[float]) -> float:
            return statistics.median(one / floor for one, floor in zip(ours, self.bare, strict=True))

        return [
            Row("bare conditional puts", statistics.median(self.bare), "a second"),
            Row("appends, one writer, one at a time", statistics.median(self.single), "entries a second"),
            Row("appends ÷ bare puts", ratio(self.single), at_least=0.8),
            Row(f"appends, {BATCH} decisions at once", statistics.median(self.batched), "entries a second"),
            Row(f"appends of {BATCH} at once ÷ bare puts", ratio(self.batched), at_least=3),
        ]


async def _rates(store: S3Store) -> Rates:
    """Rounds of short turns, so that whatever else the machine does meets all three alike."""
    found = Rates([], [], [])
    body = Slot(0, bytes(32), (entry(0).encode(),)).sign(SIGNER)
    async with Ledger.opened(store.below("rates"), SIGNER) as ledger:  # with checkpoints, at the usual pace
        await _single(ledger, range(TURN), 1)
        for round_number in range(2, 2 + ROUNDS):
            bare, single, batched = 0.0, 0.0, 0.0
            for begin in range(0, APPENDS, TURN):
                numbers = range(begin, begin + TURN)
                bare += await _seconds(_bare(store.below(f"bare-{round_number}"), numbers, body))
                single += await _seconds(_single(ledger, numbers, round_number))
                batched += await _seconds(_batched(ledger, numbers, round_number))
            found.bare.append(APPENDS / bare)
            found.single.append(APPENDS / single)
            found.batched.append(APPENDS * BATCH / batched)
    return found


async def _bare(store: S3Store, numbers: range, body: bytes) -> None:
    for number in numbers:
        await store.create(f"{number:012}", body)


async def _single(ledger: Ledger, numbers: range, generation: int) -> None:
    for number in numbers:
        await ledger.append([entry(number, generation=generation)])


async def _batched(ledger: Ledger, numbers: range, generation: int) -> None:
    for number in numbers:
        decisions = (entry(number, generation=generation, transition=f"Decision{which}") for which in range(BATCH))
        await asyncio.gather(*(ledger.append([decision]) for decision in decisions))


async def fill(store: S3Store, count: int) -> None:
    """A log of `count` entries, by the writer itself."""
    async with Ledger.opened(store, SIGNER, pace=Pace(entries=50_000)) as ledger:
        for begin in range(0, count, 2048):
            await ledger.append([_numbered(number) for number in range(begin, min(count, begin + 2048))])
    async with Ledger.opened(store, SIGNER) as ledger:  # whatever was to be written behind is written now
        assert (ledger.size, ledger.covered) == (count, count)


def _numbered(number: int) -> Entry:
    return entry(number // PER_OBJECT, generation=number % PER_OBJECT)


async def _proof(store: S3Store) -> list[Row]:
    wanted = _numbered(LARGE // 3).id
    made = []
    for _ in range(3):
        began = time.monotonic()
        proof = await prove(store, await Reader.load(store, VERIFIER), wanted)
        made.append(time.monotonic() - began)
    began = time.monotonic()
    for _ in range(CHECKS):
        proof.check(VERIFIER)
    check = (time.monotonic() - began) / CHECKS
    began = time.monotonic()
    report = await verify(store, VERIFIER)
    rescan = time.monotonic() - began
    assert report.wrong is None
    assert report.size == LARGE
    return [
        Row("full rescan of the large log", rescan, "s"),
        Row("making a proof, found by its id, from the store", 1000 * statistics.median(made), "ms"),
        Row("checking a proof", 1000 * check, "ms"),
        Row("checking a proof ÷ full rescan", check / rescan, at_most=0.001),
    ]


def _growth(what: str, small: float, large: float) -> Row:
    names = {"append": "opening and appending", "verify": "full rescan"}
    return Row(f"memory of {names[what]}: large log ÷ small ({large:.0f} and {small:.0f} MiB)", large / small, at_most=1.1)


def _memory(server: Server, prefix: str, what: str) -> float:
    """The peak of a process that does this, MiB."""
    command = [sys.executable, "-m", "tests.bench.ledger", prefix, what]
    done = subprocess.run(command, env=os.environ | server.secret, capture_output=True, text=True, check=True)
    return float(done.stdout) / 1024


@asynccontextmanager
async def _given(prefix: str) -> AsyncIterator[S3Store]:
    secret = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    async with S3Store.opened(BUCKET, prefix, secret) as store:
        yield store


async def _work(prefix: str, what: str) -> None:
    async with _given(prefix) as store:
        if what == "verify":
            assert (await verify(store, VERIFIER)).wrong is None
            return
        async with Ledger.opened(store, SIGNER, pace=SELDOM) as ledger:
            before = ledger.size
            for number in range(2000):  # every other one is there already
                new = entry(number, generation=PER_OBJECT + 1, transition=f"By{os.getpid()}")
                await ledger.append([new, _numbered(number % SMALL)] if number % 2 else [new])
            assert ledger.size == before + 2000


def _peak() -> int:
    """KiB, of this program alone: what `getrusage` says includes whoever started it."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1])


async def _seconds(work: Awaitable[None]) -> float:
    began = time.monotonic()
    await work
    return time.monotonic() - began


if __name__ == "__main__":
    asyncio.run(_work(*sys.argv[1:]))
    print(_peak())
