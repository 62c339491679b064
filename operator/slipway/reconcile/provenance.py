"""Which ControllerRevisions the ledger knows the approval of: one that it does not know was written by somebody else."""

from __future__ import annotations

import logging

from slipway.cluster.resources import Manifest
from slipway.ledger.entry import entry_id
from slipway.ledger.errors import LedgerError
from slipway.plan.revision import revision_of, snapshots_of
from slipway.reconcile.journal import Journal

MOST_KNOWN = 100_000
"""Answers in memory; then they are asked for anew."""
log = logging.getLogger(__name__)


class Provenance:
    """Asks the ledger once about each."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._known: dict[str, bool] = {}

    async def sort(self, owner: str, manifests: list[Manifest]) -> tuple[list[Manifest], int]:
        """Those that count, and how many do not. `owner`: the uid of their ModelDeployment.

        While the ledger cannot be read, those that are not known yet count: nothing new can start on them, and what serves is kept up.
        """
        trusted = [manifest for manifest in manifests if await self._is_known(owner, manifest)]
        return trusted, len(manifests) - len(trusted)

    async def _is_known(self, owner: str, manifest: Manifest) -> bool:
        uid = manifest["metadata"]["uid"]
        if len(self._known) > MOST_KNOWN:
            self._known.clear()
        if uid not in self._known:
            try:
                self._known[uid] = await self._asked(owner, manifest)
            except LedgerError as error:
                log.warning("whether %s was approved is not known: %s", manifest["metadata"]["name"], error)
                return True
        return self._known[uid]

    async def _asked(self, owner: str, manifest: Manifest) -> bool:
        for snapshot in snapshots_of([manifest]):
            name = entry_id(owner, snapshot.approved["generation"], snapshot.approved["how"], snapshot.revision)
            named = revision_of(owner, snapshot.number, snapshot.content) == snapshot.revision  # else another content borrows its name
            if named and await self._journal.contains(name):
                return True
            log.error("the ledger knows no approval of %s: it counts for nothing", manifest["metadata"]["name"])
        return False
