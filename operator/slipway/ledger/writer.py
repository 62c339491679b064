"""Appending: durable when `append` returns, each id once, whoever else writes, wherever this process dies."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from slipway.ledger.anchoring import Anchoring
from slipway.ledger.anchors import Anchor, contradiction
from slipway.ledger.behind import HELD_BACK, Behind, Pace
from slipway.ledger.entry import Entry, id_of
from slipway.ledger.errors import LedgerError, LedgerForked, LedgerUnavailable
from slipway.ledger.log import Log, Named
from slipway.ledger.note import Signer, Verifier
from slipway.ledger.slots import MOST_ENTRIES
from slipway.objectstore.s3 import S3Store
from slipway.telemetry import metrics

log = logging.getLogger(__name__)

AGAIN_SECONDS = 30.0
"""After an unexpected error behind."""
CLOSING_SECONDS = 20.0
"""For the last checkpoint, at an orderly end."""


@dataclass
class _Request:
    entries: list[Named]
    done: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Ledger:
    """A log that this process appends to. Any number of tasks may; any number of processes may."""

    def __init__(self, held: Log, behind: Behind) -> None:
        self._log = held
        self._behind = behind
        self._waiting: list[_Request] = []
        self._under_way: list[_Request] = []
        self._asked = asyncio.Event()
        self._wrong: LedgerForked | None = None

    @classmethod
    @asynccontextmanager
    async def opened(
        cls, store: S3Store, signer: Signer, anchors: Sequence[Anchor] = (), pace: Pace | None = None
    ) -> AsyncIterator[Ledger]:
        """The log in `store`, whose origin is the signer's name, caught up with and checked against the anchors.

        Raises LedgerUnavailable when the store does not answer, LedgerForked when it does not hold what was written. Leaving the context
        finishes what is asked for, and publishes a last checkpoint.
        """
        held = await Log.load(store, signer)
        anchoring = Anchoring(held, anchors)
        await _catch_up(held, anchoring)
        behind = Behind(held, anchoring, pace or Pace())
        await behind.publish(anchors=False)
        metrics.LEDGER_CHECKPOINT_AGE.set_function(lambda: behind.age)
        ledger = cls(held, behind)
        tasks = [asyncio.create_task(ledger._write()), asyncio.create_task(ledger._write_behind())]
        try:
            yield ledger
        finally:
            await ledger._close(tasks)

    @property
    def verifier(self) -> Verifier:
        """What others check this log with."""
        return self._log.signer.verifier

    @property
    def store(self) -> S3Store:
        """Where the log is."""
        return self._log.store

    @property
    def size(self) -> int:
        """How many entries the log has, as far as this process has seen."""
        return self._log.size

    @property
    def covered(self) -> int:
        """How many of them the newest checkpoint covers."""
        return self._behind.covered

    @property
    def wrong(self) -> str | None:
        """Why nothing is appended any more; None while all is well."""
        return str(self._wrong) if self._wrong else None

    async def append(self, entries: Sequence[Entry]) -> None:
        """Makes the entries durable, in this order; those whose ids the log has already are left out.

        Raises LedgerUnavailable: the entries may be there or not, append them again; LedgerForked: a person must look.
        """
        if not entries:
            return
        began = time.monotonic()
        request = _Request([(entry.id, entry.encode()) for entry in entries])
        self._waiting.append(request)
        self._asked.set()
        try:
            await asyncio.shield(request.done)
        except LedgerForked as error:
            metrics.LEDGER_FAILURES.labels("forked").inc()
            raise LedgerForked(str(error)) from error
        except LedgerUnavailable as error:
            metrics.LEDGER_FAILURES.labels("append").inc()
            raise LedgerUnavailable(error.uri, error.cause) from error
        metrics.LEDGER_APPEND.observe(time.monotonic() - began)

    async def contains(self, entry_id: str) -> bool:
        """Whether the log has an entry with this id, as far as this process has seen. Raises as `append`."""
        return bool(await self._log.ids.find([entry_id]))

    async def checkpoint(self) -> None:
        """Publishes a checkpoint now, and gives it to the anchors. Raises LedgerUnavailable, LedgerForked."""
        try:
            await self._behind.publish()
        except LedgerForked as error:
            self._wrong = error
            raise

    async def _write(self) -> None:
        """Takes all that waits, makes it durable together, and again."""
        while True:
            await self._asked.wait()
            self._under_way = self._take()
            failure: Exception | None = None
            try:
                if self._wrong:
                    raise self._wrong.with_traceback(None)  # else each raise would add to the one it keeps
                await self._behind.keep_up()
                await self._log.commit([named for request in self._under_way for named in request.entries])
            except Exception as error:
                failure = error
                if isinstance(error, LedgerForked):
                    self._wrong = error
            for request in self._under_way:
                _finish(request, failure)
            self._under_way = []
            self._behind.noticed()

    def _take(self) -> list[_Request]:
        """The requests that go into one slot: what comes while it is written waits for the next one."""
        batch: list[_Request] = []
        count = 0
        while self._waiting and (not batch or count + len(self._waiting[0].entries) <= MOST_ENTRIES):
            batch.append(self._waiting.pop(0))
            count += len(batch[-1].entries)
        if not self._waiting:
            self._asked.clear()
        return batch

    async def _write_behind(self) -> None:
        while not self._wrong:
            try:
                await self._behind.run()
            except LedgerForked as error:
                self._wrong = error
                metrics.LEDGER_FAILURES.labels("forked").inc()
                log.error("ledger: %s", error)
            except Exception:
                metrics.LEDGER_FAILURES.labels("bug").inc()
                log.exception("ledger: nothing was written behind; again in %g s", AGAIN_SECONDS)
                await asyncio.sleep(AGAIN_SECONDS)

    async def _close(self, tasks: Sequence[asyncio.Task[None]]) -> None:
        try:
            async with asyncio.timeout(CLOSING_SECONDS):
                while asked := [*self._under_way, *self._waiting]:
                    await asyncio.wait([request.done for request in asked])
                    await asyncio.sleep(0)
        except TimeoutError:
            log.warning("ledger: closed before all was written")
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        metrics.LEDGER_CHECKPOINT_AGE.set_function(lambda: 0.0)
        for request in [*self._under_way, *self._waiting]:
            _finish(request, LedgerUnavailable(self._log.store.uri(), "the ledger was closed"))
        if self._wrong:
            return
        try:
            async with asyncio.timeout(CLOSING_SECONDS):
                await self.checkpoint()
        except (LedgerError, TimeoutError) as error:
            log.warning("ledger: no last checkpoint: %s", str(error) or f"not done in {CLOSING_SECONDS:g} s; the next start does it")


def _finish(request: _Request, error: Exception | None) -> None:
    if request.done.done():
        return
    if error is None:
        request.done.set_result(None)
    else:
        request.done.set_exception(error)
        request.done.exception()  # nobody may be waiting any more: that is no reason to complain


async def _catch_up(held: Log, anchoring: Anchoring) -> None:
    """Follows the slots to the end, and sees that every checkpoint an anchor knows is of this history."""
    expected = await anchoring.expect()
    wanted = {known.size for _, known in expected}
    roots = {size: await held.view.root_at(size) for size in wanted if held.view and size <= held.view.size}
    while slot := await held.read_slot():
        for data in slot.entries:
            held.advance([(id_of(data), data)])
            if held.size in wanted:
                roots[held.size] = held.growth.root
        if len(held.growth.full) > HELD_BACK:
            await held.store_full()
            await held.ids.store_runs(held.size)
    metrics.LEDGER_SIZE.set(held.size)
    for anchor, known in expected:
        if wrong := contradiction(anchor, known, held.size, roots.get(known.size)):
            raise wrong
