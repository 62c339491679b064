"""The work queue: each key at most once, one worker a key, back-off with jitter for failures, delays for what is due later.

It holds keys, not events, so it is bounded by the number of objects and never blocks whoever adds. A key that comes again and again
(an object that changes ten times a second) has its turns rationed, so that it cannot keep the workers and the apiserver busy.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from slipway.reconcile.budget import Budget
from slipway.telemetry import metrics

BACKOFF_BASE, BACKOFF_MAX = 0.25, 120.0
BURST, TURN_SECONDS = 50, 0.5
"""A key may come 50 times in a row; beyond that once in half a second."""


@dataclass(frozen=True, order=True)
class ObjectKey:
    """One of our objects."""

    kind: str
    namespace: str
    name: str


class WorkQueue:
    """Keys that wait to be reconciled."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._turns = Budget(BURST, TURN_SECONDS)
        self._due: dict[ObjectKey, float] = {}
        self._ready: asyncio.Queue[ObjectKey | None] = asyncio.Queue()
        self._active: set[ObjectKey] = set()
        self._again: set[ObjectKey] = set()
        self._failures: dict[ObjectKey, int] = {}
        self._later: list[tuple[float, int, ObjectKey]] = []
        self._later_at: dict[ObjectKey, float] = {}
        self._sequence = itertools.count()
        self._wake = asyncio.Event()

    def __len__(self) -> int:
        return len(self._due)

    def add(self, key: ObjectKey) -> None:
        """Due now. A key that is being worked on comes again afterwards."""
        if key in self._active:
            self._again.add(key)
        elif key not in self._due:
            wait = self._turns.wait(key, self._clock())
            if wait:
                metrics.QUEUE_RATIONED.inc()
                self.add_after(key, wait)
                return
            self._due[key] = self._clock()
            self._ready.put_nowait(key)
            metrics.QUEUE_DEPTH.set(len(self._due))

    def add_after(self, key: ObjectKey, seconds: float) -> None:
        """Due after a delay, unless it is due sooner already."""
        at = self._clock() + seconds
        if self._later_at.get(key, float("inf")) <= at:
            return
        self._later_at[key] = at
        heapq.heappush(self._later, (at, next(self._sequence), key))
        self._wake.set()

    def retry(self, key: ObjectKey, at_least: float = 0) -> float:
        """Due after this key's back-off, which it returns: doubling with jitter, at most two minutes (or what the apiserver asks)."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        delay = max(at_least, min(BACKOFF_MAX, BACKOFF_BASE * 2.0 ** min(failures, 20)) * random.uniform(0.75, 1.25))
        self.add_after(key, delay)
        return delay

    def forget(self, key: ObjectKey) -> None:
        """Its back-off starts anew: the last reconcile succeeded."""
        self._failures.pop(key, None)

    def shut_down(self, workers: int) -> None:
        """Each of the workers gets None, ahead of nothing but what is ready."""
        for _ in range(workers):
            self._ready.put_nowait(None)

    async def get(self) -> ObjectKey | None:
        """The next key; the worker calls `done` with it. None when the queue is shut down."""
        key = await self._ready.get()
        if key is None:
            return None
        metrics.QUEUE_DELAY.observe(self._clock() - self._due.pop(key))
        metrics.QUEUE_DEPTH.set(len(self._due))
        self._active.add(key)
        return key

    def done(self, key: ObjectKey) -> None:
        self._active.discard(key)
        if key in self._again:
            self._again.discard(key)
            self.add(key)

    async def run_delays(self) -> None:
        """Moves delayed keys to the queue when they are due; runs for ever."""
        while True:
            self._wake.clear()
            now = self._clock()
            while self._later and self._later[0][0] <= now:
                at, _, key = heapq.heappop(self._later)
                if self._later_at.get(key) == at:
                    del self._later_at[key]
                    self.add(key)
            timeout = self._later[0][0] - now if self._later else None
            try:
                await asyncio.wait_for(self._wake.wait(), timeout)
            except TimeoutError:
                continue
