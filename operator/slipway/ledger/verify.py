"""The full rescan: everything is hashed again and compared with everything, in memory that does not depend on the log's size."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from slipway.ledger import index
from slipway.ledger.ahead import in_order
from slipway.ledger.checkpoint import Checkpoint
from slipway.ledger.entry import id_of
from slipway.ledger.errors import LedgerForked, LedgerUnavailable
from slipway.ledger.growth import Growth, Object
from slipway.ledger.note import NoteInvalid, Verifier
from slipway.ledger.slots import Slot, slot_path
from slipway.ledger.storing import fetch
from slipway.ledger.tiles import CHECKPOINT, WIDTH, decode_bundle
from slipway.ledger.view import newest_checkpoint
from slipway.objectstore.errors import Missing, StoreUnavailable
from slipway.objectstore.s3 import S3Store

Read = tuple[str, bytes | None]
"""A key, and the object's bytes; None when it is missing."""


@dataclass(frozen=True)
class Report:
    """What a rescan found."""

    size: int
    """Entries that were read."""
    covered: int
    """Entries that the store's checkpoint covers."""
    root: bytes
    """Of what was read."""
    against: tuple[int, ...]
    """The sizes of the outside checkpoints that were compared."""
    wrong: str | None = None
    """The first deviation, in words; None when there is none."""


async def verify(store: S3Store, verifier: Verifier, against: Sequence[bytes] = ()) -> Report:
    """Reads the whole log: slots, bundles, tiles, checkpoint, index; and whether it continues the outside checkpoints (signed notes).

    Raises LedgerUnavailable when the store does not answer.
    """
    scan = _Scan(store, verifier)
    sizes: tuple[int, ...] = ()
    try:
        outside = [_outside(note, verifier) for note in against]
        sizes = tuple(checkpoint.size for checkpoint in outside)
        await scan.run(outside)
    except LedgerForked as error:
        return Report(scan.growth.size, scan.covered, scan.growth.root, sizes, str(error))
    return Report(scan.growth.size, scan.covered, scan.growth.root, sizes)


def _outside(note: bytes, verifier: Verifier) -> Checkpoint:
    try:
        return Checkpoint.open(note, verifier)
    except NoteInvalid as error:
        raise LedgerForked(f"the outside checkpoint was not signed by this log's key: {error}") from error


class _Scan:
    """One pass over the slots, in order; what follows from them is compared with what is stored."""

    def __init__(self, store: S3Store, verifier: Verifier) -> None:
        self._store = store
        self._verifier = verifier
        self.growth = Growth()
        self.covered = 0
        self._keys: list[bytes] = []
        """Of the entries since the last complete run of the index."""
        self._index_end: str | None = None
        """The first part of the index that is not there."""

    async def run(self, outside: Sequence[Checkpoint]) -> None:
        newest = await newest_checkpoint(self._store, self._verifier)
        committed = [(checkpoint, "an outside checkpoint") for checkpoint in outside]
        if newest:
            self.covered = newest[0].size
            committed.append((newest[0], self._store.uri(CHECKPOINT)))
        elif any(checkpoint.size for checkpoint in outside):
            raise LedgerForked(f"{self._store.uri(CHECKPOINT)} is missing, though the log had one: others have seen it")
        waiting = sorted(committed, key=lambda pair: pair[0].size)
        while waiting and waiting[0][0].size == 0:
            self._compare_root(*waiting.pop(0))
        async for slot in self._slots():
            for data in slot.entries:
                self.growth.append(data)
                self._keys.append(index.key_of(id_of(data)))
                if self.growth.full or self.growth.size == self.covered:
                    await self._compare_stored()
                while waiting and waiting[0][0].size == self.growth.size:
                    self._compare_root(*waiting.pop(0))
        if waiting:
            checkpoint, whose = waiting[0]
            missing = self._store.uri(slot_path(self.growth.size))
            raise LedgerForked(
                f"{whose} has {checkpoint.size} entries, the store {self.growth.size}: entries were cut off, or the log was replaced by an "
                f"older copy ({missing} is missing)"
            )

    async def _slots(self) -> AsyncIterator[Slot]:
        """The slots, checked, read ahead by their listing; what the listing leaves out, or has beside the log, is found."""
        page: list[str] = []
        try:
            async for key in self._store.list("slot/"):
                page.append(key)
                if len(page) == 1000:
                    async for slot in self._checked(page):
                        yield slot
                    page = []
        except StoreUnavailable as error:
            raise LedgerUnavailable(error.uri, error.cause) from error
        async for slot in self._checked(page):
            yield slot

    async def _checked(self, keys: Sequence[str]) -> AsyncIterator[Slot]:
        async for key, note in in_order(keys, self._read):
            expected = slot_path(self.growth.size)
            if key != expected:
                raise LedgerForked(
                    f"{self._store.uri(expected)} is missing, but {self._store.uri(key)} is there: a slot was deleted or added"
                )
            if note is None:
                raise LedgerForked(f"{self._store.uri(key)} is listed, and is missing")
            try:
                slot = Slot.open(note, self._verifier)
            except NoteInvalid as error:
                raise LedgerForked(f"{self._store.uri(key)} was altered: {error}") from error
            if slot.first != self.growth.size or slot.root != self.growth.root:
                raise LedgerForked(f"{self._store.uri(key)} follows another history than the entries before it")
            yield slot

    async def _compare_stored(self) -> None:
        """Full bundles and tiles, partial ones at the checkpoint, and the index, as far as they must be there."""
        full, self.growth.full = self.growth.full, []
        size = self.growth.size
        if size <= self.covered // WIDTH * WIDTH:
            await self._compare(full)
        if size == self.covered:
            await self._compare(self.growth.partial())
        if len(self._keys) == index.RUN:
            if size <= self.covered:
                await self._compare_runs(size // index.RUN - 1)
            self._keys = []

    async def _compare(self, objects: Sequence[Object]) -> None:
        for key, expected in objects:
            _, found = await self._read(key)
            if found is None and ".p/" in key:  # the format allows that a full tile has taken the partial one's place
                _, whole = await self._read(key.rpartition(".p/")[0])
                found = whole and whole[: len(expected)]
            if found != expected:
                raise LedgerForked(f"{self._store.uri(key)} {_difference(key, found, expected)}")

    async def _compare_runs(self, number: int) -> None:
        """The index of ids. Its last runs are written after the checkpoint, so that it may end early, but not have holes."""
        records = ((key, number * index.RUN + position) for position, key in enumerate(self._keys))
        await self._compare_part(index.part_path(0, number, 0), index.encode(records))
        for level, whole in index.finished_by(number):
            for part in range(index.parts(level - 1)):
                children = [index.part_path(below, child, part) for below, child in index.children(level, whole)]
                sources = [found or b"" for _, found in [await self._read(path) for path in children]]
                for offset, expected in index.merged(level, sources):
                    await self._compare_part(index.part_path(level, whole, (part << index.FAN) + offset), expected)

    async def _compare_part(self, path: str, expected: bytes) -> None:
        if twice := index.repeated(expected):
            raise LedgerForked(f"entries {twice[0]} and {twice[1]} have the same id")
        _, found = await self._read(path)
        if found is not None and self._index_end:  # written in order: unless a writer has just got on, this one has a hole before it
            _, before = await self._read(self._index_end)
            if before is None:
                raise LedgerForked(f"{self._store.uri(self._index_end)} is missing, but {self._store.uri(path)} is there: it was deleted")
            self._index_end = None
        if found is None:
            self._index_end = self._index_end or path
        elif found != expected:
            raise LedgerForked(f"{self._store.uri(path)} was altered: it is not what follows from the entries")

    def _compare_root(self, checkpoint: Checkpoint, whose: str) -> None:
        if checkpoint.root != self.growth.root:
            raise LedgerForked(f"{whose} has another history: the first {checkpoint.size} entries are not those that were signed")

    async def _read(self, key: str) -> Read:
        try:
            return key, await fetch(self._store, key)
        except Missing:
            return key, None


def _difference(key: str, found: bytes | None, expected: bytes) -> str:
    if found is None:
        return "is missing"
    if "/entries/" not in key:
        return "was altered: its hashes are not those of the entries"
    try:
        pairs = zip(decode_bundle(found), decode_bundle(expected), strict=False)
        position = next((at for at, (one, other) in enumerate(pairs) if one != other), None)
    except ValueError as error:
        return f"was altered: {error}"
    return "was altered: it has too few entries, or too many" if position is None else f"was altered: its entry {position} is another"
