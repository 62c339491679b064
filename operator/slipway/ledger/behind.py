"""What is written after the fact: bundles, tiles, checkpoints, index, anchors. It follows from the slots, so a crash loses none of it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import time
from dataclasses import dataclass

from slipway.ledger.anchoring import Anchoring
from slipway.ledger.checkpoint import Checkpoint
from slipway.ledger.errors import LedgerUnavailable
from slipway.ledger.log import Log
from slipway.ledger.storing import create_same, put
from slipway.ledger.tiles import CHECKPOINT, WIDTH
from slipway.ledger.view import View
from slipway.telemetry import metrics

log = logging.getLogger(__name__)

FIRST_RETRY, LAST_RETRY = 1.0, 30.0
"""Seconds before another try when the store does not answer."""


HELD_BACK = 64
"""Full bundles and tiles in memory, before whoever appends must wait: some 8,000 entries."""


@dataclass(frozen=True)
class Pace:
    """When a checkpoint is due. One costs about five puts and a copy of the last bundle, so that a slow log waits a little longer."""

    entries: int = WIDTH
    """So many entries without one are enough, however short the time."""
    quickest: float = 10.0
    """Seconds after the first entry without one, unless the last bundle has more than `share` times as many."""
    share: int = 16
    slowest: float = 300.0
    """Seconds, in any case."""

    def seconds_left(self, new: int, waited: float, width: int) -> float:
        """Until one is due, with `new` entries of which the first has `waited`, and `width` entries in the last bundle; inf for never."""
        if not new:
            return math.inf
        if new >= self.entries:
            return 0.0
        limit = self.quickest if new * self.share >= width else self.slowest
        return max(0.0, limit - waited)


class Behind:
    """Writes what follows from the slots, in the order in which a reader may rely on it."""

    def __init__(self, held: Log, anchoring: Anchoring, pace: Pace) -> None:
        self._log = held
        self._anchoring = anchoring
        self._pace = pace
        self._first_new: float | None = None
        """When the first entry came that no checkpoint covers."""
        self._news = asyncio.Event()
        self._asleep_until = 0.0
        self._one_at_a_time = asyncio.Lock()

    @property
    def covered(self) -> int:
        """How many entries the newest checkpoint covers."""
        return self._log.view.size if self._log.view else 0

    @property
    def age(self) -> float:
        """Seconds that the oldest entry without a checkpoint has waited; 0 for none."""
        return time.monotonic() - self._first_new if self._first_new is not None else 0.0

    def noticed(self) -> None:
        """Entries came. Whoever sleeps is woken only when there is something to do sooner than it thinks."""
        now = time.monotonic()
        if self._first_new is None and self._log.size > self.covered:
            self._first_new = now
        if self._log.growth.full or now + self._seconds_left() < self._asleep_until:
            self._news.set()

    async def run(self) -> None:
        """Writes on until it is cancelled. Raises LedgerForked when what is stored is not what was written."""
        retry = FIRST_RETRY
        while True:
            self._news.clear()
            try:
                async with self._one_at_a_time:
                    await self._log.store_full()
                    if self._seconds_left() <= 0:
                        await self._checkpoint()
                    await self._anchoring.send()
                retry = FIRST_RETRY
            except LedgerUnavailable as error:
                metrics.LEDGER_FAILURES.labels("behind").inc()
                log.warning("ledger: %s", error)
                await asyncio.sleep(retry)
                retry = min(LAST_RETRY, retry * 2)
                continue
            with contextlib.suppress(TimeoutError):
                seconds = min(self._seconds_left(), self._anchoring.seconds_left(), 60.0)
                self._asleep_until = time.monotonic() + seconds
                async with asyncio.timeout(seconds):
                    await self._news.wait()

    async def keep_up(self) -> None:
        """Waits for what is written behind when too much of it is held in memory, so that no burst of entries fills it.

        Raises as `publish`.
        """
        if len(self._log.growth.full) > HELD_BACK:
            await self.publish(anchors=False)

    async def publish(self, *, anchors: bool = True) -> None:
        """Publishes a checkpoint of the log as it is, if it has grown, and gives it to the anchors.

        Raises LedgerUnavailable, LedgerForked; an anchor that does not answer holds nothing up.
        """
        async with self._one_at_a_time:
            await self._checkpoint()
            if anchors:
                await self._anchoring.send(at_once=True)

    async def _checkpoint(self) -> None:
        """After it, the index is complete up to there."""
        held = self._log
        if held.size > self.covered:
            growth, began = held.growth, time.monotonic()
            checkpoint = Checkpoint(held.signer.verifier.name, growth.size, growth.root)
            view, partial = View.of(held.store, checkpoint, growth), growth.partial()
            note = checkpoint.sign(held.signer)
            await held.store_full()
            for key, data in partial:
                await create_same(held.store, key, data)
            await put(held.store, CHECKPOINT, note)
            held.view, held.note = view, note
            self._first_new = began if held.size > checkpoint.size else None
        await held.ids.store_runs(self.covered)

    def _seconds_left(self) -> float:
        size = self._log.size
        return self._pace.seconds_left(size - self.covered, self.age, size % WIDTH)
