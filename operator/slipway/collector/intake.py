"""Batches on their way to a commit: a lane for each table, a bound on what waits, a bound on how many are committed at once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from slipway.collector import metrics
from slipway.collector.errors import Refused, unavailable
from slipway.collector.ingest import Batch, Outcome
from slipway.collector.settings import Limits

if TYPE_CHECKING:
    from collections.abc import Iterator

log = logging.getLogger(__name__)

TableName = tuple[str, str]
"""Namespace and deployment."""
Store = Callable[[TableName, Sequence[Batch]], list[Outcome]]
"""Commits batches of one table; blocks."""
Prepare = Callable[[TableName], Awaitable[None]]


@dataclass
class _Lane:
    waiting: list[tuple[Batch, asyncio.Future[Outcome]]] = field(default_factory=list)
    task: asyncio.Task[None] | None = None


class Intake:
    """What waits for a table's commit goes into its next one together; tables are committed side by side, `workers` at a time."""

    def __init__(self, store: Store, prepare: Prepare, limits: Limits, workers: int) -> None:
        self._store, self._prepare, self._limits = store, prepare, limits
        self._lanes: dict[TableName, _Lane] = {}
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="commit")
        self._turn = asyncio.Semaphore(workers)
        self._bytes = self._batches = 0

    @contextmanager
    def room(self, size: int) -> Iterator[None]:
        """Room for a body of that many bytes, until the context ends. Raises Refused (429) when too much waits already."""
        if self._bytes + size > self._limits.pending or self._batches >= self._limits.pending_batches:
            raise Refused(429, "too much waits to be stored: send it again later", retry_after=1)
        self._bytes += size
        self._batches += 1
        metrics.PENDING.set(self._bytes)
        try:
            yield
        finally:
            self._bytes -= size
            self._batches -= 1
            metrics.PENDING.set(self._bytes)

    async def submit(self, batch: Batch) -> Outcome:
        """What became of the batch, once that is certain."""
        table = batch.pod.namespace, batch.pod.account
        lane = self._lanes.setdefault(table, _Lane())
        outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        lane.waiting.append((batch, outcome))
        if lane.task is None:
            lane.task = asyncio.create_task(self._work(table, lane))
        return await outcome

    async def close(self) -> None:
        """Once what waits is committed, or refused."""
        await asyncio.gather(*(lane.task for lane in self._lanes.values() if lane.task))
        self._threads.shutdown()

    async def _work(self, table: TableName, lane: _Lane) -> None:
        while lane.waiting:
            async with self._turn:
                group, lane.waiting = lane.waiting, []
                outcomes = await self._commit(table, [batch for batch, _ in group])
            for (_, future), outcome in zip(group, outcomes, strict=True):
                if not future.done():  # its sender may be gone
                    future.set_result(outcome)
        del self._lanes[table]

    async def _commit(self, table: TableName, batches: Sequence[Batch]) -> list[Outcome]:
        try:
            await self._prepare(table)
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._store, table, batches)
        except asyncio.CancelledError:
            raise
        except BaseException:  # a panic of a library is no Exception; the others' batches go on
            log.exception("batches of %s/%s", *table)
            return [Outcome(error=unavailable("the collector failed: see its log"))] * len(batches)
