"""Looks after every table again and again. Each replica does: what another one did meanwhile is left alone."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from slipway.collector import metrics
from slipway.collector.batch.layout import BASES
from slipway.collector.errors import Refused
from slipway.collector.find import Finder
from slipway.collector.log.table import Table
from slipway.collector.maintenance.compact import compact
from slipway.collector.maintenance.retention import expire
from slipway.collector.settings import Settings
from slipway.collector.tables import Tables

log = logging.getLogger(__name__)

VACUUM_SECONDS = 3600.0
"""Between two vacuums of a table."""


class Maintenance:
    """One table at a time, in a thread of its own, so that memory stays within what one compaction takes."""

    def __init__(self, settings: Settings, tables: Tables, finder: Finder) -> None:
        self._settings, self._tables, self._finder = settings, tables, finder
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="maintain")
        self._vacuumed: dict[str, float] = {}

    async def run(self) -> None:
        """Until it is cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self._settings.maintenance_seconds * random.uniform(0.5, 1.5))
            await loop.run_in_executor(self._thread, self.once)

    def close(self) -> None:
        self._thread.shutdown(cancel_futures=True)

    def once(self) -> None:
        """Every table, in an order of chance: replicas seldom meet."""
        try:
            names = self._tables.all()
        except BaseException as error:  # a panic of a library is no Exception
            log.warning("the tables cannot be listed: %s", error)
            return
        for namespace, deployment in random.sample(names, len(names)):
            for kind in BASES:
                self._one(namespace, deployment, kind)

    def _one(self, namespace: str, deployment: str, kind: str) -> None:
        table = self._tables.get(namespace, deployment, kind, "maintain")
        today = datetime.now(UTC).date()
        if self._settings.retention_days:
            self._task("expire", table, lambda: expire(table, today, self._settings.retention_days))
        self._task("compact", table, lambda: compact(table, self._finder, today))
        if time.monotonic() - self._vacuumed.get(table.uri, -VACUUM_SECONDS) >= VACUUM_SECONDS:
            self._task("vacuum", table, lambda: len(table.vacuum(self._settings.vacuum_hours, unknown=True)))
            self._vacuumed[table.uri] = time.monotonic()
        self._task("count", table, lambda: self._count(table, namespace, deployment, kind))

    def _count(self, table: Table, namespace: str, deployment: str, kind: str) -> int:
        if snapshot := table.snapshot():
            metrics.FILES.labels(namespace, deployment, kind).set(len(snapshot.files))
        return 0

    def _task(self, name: str, table: Table, work: Callable[[], int]) -> None:
        try:
            done = work()
        except Refused as error:
            metrics.MAINTENANCE.labels(name, "Unavailable").inc()
            log.warning("%s of %s: %s", name, table.uri, error.message)
        except BaseException:  # a panic of a library is no Exception
            metrics.MAINTENANCE.labels(name, "Failed").inc()
            log.exception("%s of %s", name, table.uri)
        else:
            metrics.MAINTENANCE.labels(name, "Done" if done else "Nothing").inc()
            if done:
                log.info("%s of %s: %d files", name, table.uri, done)
