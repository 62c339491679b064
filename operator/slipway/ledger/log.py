"""The log as a writer holds it: its right end in memory, advanced slot by slot."""

from __future__ import annotations

from collections.abc import Sequence

from slipway.ledger.entry import id_of
from slipway.ledger.errors import LedgerForked, LedgerUnavailable
from slipway.ledger.growth import Growth
from slipway.ledger.ids import Ids
from slipway.ledger.note import Signer
from slipway.ledger.reader import next_slot
from slipway.ledger.slots import Slot, fitting, slot_path
from slipway.ledger.storing import create, create_same
from slipway.ledger.view import View, newest_checkpoint
from slipway.objectstore.errors import AlreadyThere
from slipway.objectstore.s3 import S3Store
from slipway.telemetry import metrics

Named = tuple[str, bytes]
"""An entry's id and its bytes."""


class Log:
    """The end of the log in `store`, as far as this process has seen it. Not for two tasks at once."""

    def __init__(self, store: S3Store, signer: Signer, growth: Growth, ids: Ids, newest: tuple[View, bytes] | None = None) -> None:
        self.store = store
        self.signer = signer
        self.growth = growth
        self.ids = ids
        self.view: View | None = newest[0] if newest else None
        """The log as of the newest checkpoint that is stored; None before the first."""
        self.note: bytes | None = newest[1] if newest else None
        """That checkpoint, signed."""

    @classmethod
    async def load(cls, store: S3Store, signer: Signer) -> Log:
        """The log as its checkpoint has it. Raises LedgerForked, LedgerUnavailable."""
        ids = Ids(store)
        newest = await newest_checkpoint(store, signer.verifier)
        if newest is None:
            return cls(store, signer, Growth(), ids)
        view = await View.load(store, newest[0])
        await ids.recover(view)
        return cls(store, signer, await view.growth(), ids, (view, newest[1]))

    @property
    def size(self) -> int:
        return self.growth.size

    async def read_slot(self) -> Slot | None:
        """The slot at the end of what is seen, when another writer, or an earlier try, has put one."""
        return await next_slot(self.store, self.signer.verifier, self.growth)

    def advance(self, entries: Sequence[Named]) -> None:
        """The entries of a slot that is stored become part of what is seen."""
        for entry_id, data in entries:
            self.growth.append(data)
            self.ids.add(entry_id)
        metrics.LEDGER_SIZE.set(self.size)

    async def commit(self, entries: Sequence[Named]) -> None:
        """Makes the entries durable, each once, in one slot if they fit.

        Raises LedgerUnavailable (then they may be there or not), LedgerForked.
        """
        left = await self._new(entries)
        while left:
            now = left[: fitting([data for _, data in left])]
            slot = Slot(self.size, self.growth.root, tuple(data for _, data in now))
            try:
                await create(self.store, slot_path(self.size), slot.sign(self.signer))
            except AlreadyThere as error:
                await self._take_others(error)
                left = await self._new(left)
            else:
                self.advance(now)
                left = left[len(now) :]

    async def _take_others(self, error: AlreadyThere) -> None:
        slot = await self.read_slot()
        if slot is None:
            raise LedgerUnavailable(error.uri, "the store says that it is there, and that it is missing")
        self.advance([(id_of(data), data) for data in slot.entries])

    async def _new(self, entries: Sequence[Named]) -> list[Named]:
        """Those that the log does not have."""
        wanted = dict(reversed(entries))  # of two with one id the first counts
        found = await self.ids.find(wanted)
        for entry_id, number in sorted(found.items(), key=lambda pair: pair[1]):
            if not self.ids.in_memory(number):
                await self._confirm(entry_id, number)
        return [(entry_id, data) for entry_id, data in reversed(wanted.items()) if entry_id not in found]

    async def _confirm(self, entry_id: str, number: int) -> None:
        """The index is not proved by the tree: what it says must stand in the log, or somebody could hide an entry by it."""
        if self.view is None or number >= self.view.size or id_of(await self.view.entry(number)) != entry_id:
            raise LedgerForked(f"{self.store.uri('index/')} was altered: entry {number} is not {entry_id}")

    async def store_full(self) -> None:
        """Writes the bundles and tiles that are full."""
        while self.growth.full:
            key, data = self.growth.full[0]
            await create_same(self.store, key, data)
            self.growth.full.pop(0)
