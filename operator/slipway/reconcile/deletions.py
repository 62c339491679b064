"""Objects that are gone: told to the ledger, also those that went while nobody watched. By whom is not known here."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from slipway.api.conditions import Transition
from slipway.cluster.client import Cluster
from slipway.cluster.http import ApiError, Refused
from slipway.cluster.resources import OWN_KINDS, Manifest
from slipway.cluster.store import Store
from slipway.ledger.entry import Entry, ObjectReference, entry_id
from slipway.ledger.errors import LedgerError
from slipway.reconcile.journal import Journal, reference_of
from slipway.telemetry import metrics

log = logging.getLogger(__name__)

AGAIN_SECONDS = 5.0
"""Between tries while the ledger cannot be written."""
_MESSAGE = "is gone; who deleted it is not known here: the apiserver's audit log tells"


class Deletions:
    """Waits for deletions and records them; what waits is bounded by the number of objects there were."""

    def __init__(
        self,
        store: Store,
        cluster: Cluster,
        journal: Journal,
        namespaces: tuple[str | None, ...],
        now: Callable[[], datetime],
        again_seconds: float = AGAIN_SECONDS,
    ) -> None:
        self._store = store
        self._cluster = cluster
        self._journal = journal
        self._namespaces = namespaces
        self._now = now
        self._again_seconds = again_seconds
        self._waiting: dict[str, ObjectReference] = {}
        self._wake = asyncio.Event()
        self._compare = False

    def noticed(self, manifest: Manifest) -> None:
        """A watch or a list told that one of our objects is gone."""
        if self._journal.kept:
            about = reference_of(manifest)
            self._waiting[about.uid] = about
            self._wake.set()

    def compare(self) -> None:
        """The ledger was opened (again): what it knows and the cluster has not is gone, too."""
        self._compare = True
        self._wake.set()

    async def run(self) -> None:
        """Records until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                if self._compare:
                    await self._find_missing()
                    self._compare = False
                for about in list(self._waiting.values()):
                    await self._journal.end(self._entry(about))
                    self._waiting.pop(about.uid, None)
                continue
            except (LedgerError, ApiError) as error:
                log.warning("deletions wait: %s", error)
            except Exception as error:
                metrics.ERRORS.labels(type(error).__name__).inc()
                log.exception("deletions could not be recorded; again in %g s", self._again_seconds)
            await asyncio.sleep(self._again_seconds)
            self._wake.set()

    async def _find_missing(self) -> None:
        there = {manifest["metadata"]["uid"] for resource in OWN_KINDS for manifest in self._store.all(resource)}
        for uid in self._journal.known - there:
            about = await self._journal.remembered(uid)
            if about and self._is_watched(about) and not await self._exists(about):
                self._waiting[uid] = replace(about, generation=0)  # what is remembered is its first one

    def _is_watched(self, about: ObjectReference) -> bool:
        """Another operator's objects are in the same ledger, perhaps: of their end this one knows nothing."""
        return None in self._namespaces or about.namespace in self._namespaces

    async def _exists(self, about: ObjectReference) -> bool:
        """Asks the apiserver: the memory of a watch is no reason to call an object gone."""
        resource = next((resource for resource in OWN_KINDS if resource.kind == about.kind), None)
        if resource is None:
            return True
        try:
            found = await self._cluster.get(resource, about.namespace, about.name)
        except Refused:  # its namespace may be gone, and the Role with it: nobody knows, and the others must not wait
            return True
        return found is not None and found["metadata"]["uid"] == about.uid

    def _entry(self, about: ObjectReference) -> Entry:
        name = entry_id(about.uid, 0, Transition.DELETED)
        said = f"{about.kind} {about.name} {_MESSAGE}"
        return Entry(name, self._now(), str(Transition.DELETED), about, reason=str(Transition.DELETED), message=said)
