"""Answers that hold for a while: bounded in number and age, and asked for once however many wait."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Remembered(Generic[K, V]):
    """At most `entries` answers, none older than `seconds`. Errors are not kept."""

    def __init__(self, seconds: float = 60.0, entries: int = 10_000, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds, self._entries, self._clock = seconds, entries, clock
        self._kept: OrderedDict[K, tuple[float, V]] = OrderedDict()
        self._asked: dict[K, asyncio.Task[V]] = {}

    async def get(self, key: K, ask: Callable[[], Awaitable[V]]) -> V:
        """The kept answer, else that of `ask`, whose error is raised to all who wait."""
        found = self._kept.get(key)
        if found and self._clock() - found[0] < self._seconds:
            return found[1]
        if key not in self._asked:
            task = self._asked[key] = asyncio.ensure_future(self._ask(key, ask))
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(self._asked[key])

    async def _ask(self, key: K, ask: Callable[[], Awaitable[V]]) -> V:
        asked_at = self._clock()
        try:
            answer = await ask()
        finally:
            del self._asked[key]
        self._kept.pop(key, None)
        self._kept[key] = asked_at, answer
        while len(self._kept) > self._entries:
            self._kept.popitem(last=False)
        return answer
