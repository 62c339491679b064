"""The collector's parts, put together."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import obstore

from slipway.cluster.client import Cluster
from slipway.cluster.http import Transport
from slipway.collector import actuals, events
from slipway.collector.actuals import Truth
from slipway.collector.erase import erase
from slipway.collector.errors import Refused, unavailable
from slipway.collector.find import Finder
from slipway.collector.ingest import Batch, Outcome, store
from slipway.collector.intake import Intake, TableName
from slipway.collector.log.place import monitor_folder, open_store
from slipway.collector.log.table import one_line
from slipway.collector.maintenance.loop import Maintenance
from slipway.collector.settings import Settings
from slipway.collector.tables import Schemas, Tables
from slipway.collector.truth import Row, arranged
from slipway.collector.who import Callers, Person

log = logging.getLogger(__name__)

T = TypeVar("T")
LOOKUPS = 4
"""Lookups at the same time; others wait."""


class Service:
    """What the routes ask."""

    def __init__(self, settings: Settings, send: Transport) -> None:
        self.settings, self.limits = settings, settings.limits
        self.callers = Callers(send)
        self.tables = Tables(settings.log)
        self.finder = Finder(settings.readers)
        self._cluster = Cluster(send)
        self._schemas = Schemas(send)
        self.maintenance = Maintenance(settings, self.tables, self.finder)
        self._datatypes: dict[TableName, Mapping[str, str]] = {}
        self.intake = Intake(self._store, self._prepare, settings.limits, settings.workers)
        self._lookups = asyncio.Semaphore(LOOKUPS)

    async def close(self) -> None:
        await self.intake.close()
        await asyncio.to_thread(self.maintenance.close)
        self.finder.close()

    async def find(self, namespace: str, deployment: str, prediction: str) -> dict[str, Any]:
        """`{"predictions", "actuals"}`; of every deployment of the namespace if none is named. Raises Refused: 503."""

        def look() -> dict[str, Any]:
            names = [deployment] if deployment else self.tables.deployments(namespace)
            found: dict[str, Any] = {"predictions": [], "actuals": []}
            for name in names:
                found["predictions"] += self.finder.predictions(self.tables.get(namespace, name, "predictions", "read"), prediction)
                found["actuals"] += self.finder.actuals(self.tables.get(namespace, name, "actuals", "read"), prediction)
            return found

        return await self.asked(look)

    async def bring(self, person: Person, namespace: str, deployment: str, rows: list[Row], writer: str, sequence: int) -> dict[str, Any]:
        """Stores ground truth; what it was. Raises Refused: 400, 503."""

        def work() -> dict[str, Any]:
            predictions, known = (self.tables.get(namespace, deployment, kind, "truth") for kind in ("predictions", "actuals"))
            truth = Truth(f"{person.name}/{writer}", sequence, arranged(rows, datetime.now(UTC), person.name))
            return actuals.store(predictions, known, self.finder, truth, self.settings.late_days, self.limits)

        return await self.asked(work)

    async def erase(self, person: Person, namespace: str, deployment: str, column: str, value: Any) -> dict[str, int]:
        """Erases rows, and says so on the ModelDeployment. Raises Refused: 400, 404, 503."""

        def work() -> dict[str, int]:
            predictions, known = (self.tables.get(namespace, deployment, kind, "erase") for kind in ("predictions", "actuals"))
            return erase(predictions, known, self.finder, column, value)

        gone = await self.asked(work)
        log.info("%s erased %s of %s/%s by column %s", person.name, gone, namespace, deployment, column)
        await events.erased(self._cluster, namespace, deployment, column, sum(gone.values()), person.name)
        return gone

    async def report(self, namespace: str, deployment: str, monitor: str, run: str, file: str) -> bytes:
        """A file of a monitor's run. Raises Refused: 404, 503."""

        def read() -> bytes:
            path = f"{monitor_folder(namespace, deployment, monitor)}/{run}/{file}"
            try:
                found = obstore.get(open_store(self.settings.log, self.settings.log.uri), path)
            except FileNotFoundError as error:
                raise Refused(404, f"there is no {file} of run {run} of ModelMonitor {namespace}/{monitor}, or no more") from error
            return found.bytes().to_bytes()

        return await self.asked(read)

    async def asked(self, work: Callable[[], T]) -> T:
        """Work on tables in a thread, a few at a time. Raises Refused: its own, and 503 for whatever else."""
        async with self._lookups:
            try:
                return await asyncio.to_thread(work)
            except (Refused, asyncio.CancelledError):
                raise
            except BaseException as error:  # a panic of a library is no Exception
                raise unavailable(f"the log's store does not answer as it should: {one_line(error)}") from error

    async def _prepare(self, table: TableName) -> None:
        self._datatypes[table] = await self._schemas.datatypes(*table)

    def _store(self, table: TableName, batches: Sequence[Batch]) -> list[Outcome]:
        datatypes = self._datatypes.pop(table, {})
        return store(self.tables.get(*table, "predictions"), batches, datatypes, self.limits)
