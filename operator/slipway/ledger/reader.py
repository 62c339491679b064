"""Reading: every entry that comes out is proved by the newest checkpoint, or, after it, by a signed slot that continues it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import orjson

from slipway.ledger.ahead import in_order
from slipway.ledger.checkpoint import Checkpoint
from slipway.ledger.entry import Entry
from slipway.ledger.errors import LedgerForked
from slipway.ledger.growth import Growth
from slipway.ledger.merkle import EMPTY_ROOT
from slipway.ledger.note import NoteInvalid, Verifier
from slipway.ledger.slots import Slot, slot_path
from slipway.ledger.storing import fetch
from slipway.ledger.tiles import WIDTH
from slipway.ledger.view import View, newest_checkpoint
from slipway.objectstore.errors import Missing
from slipway.objectstore.s3 import S3Store

CLOCK_SKEW = timedelta(hours=1)
"""Entries are in the order of their commitment; the clocks of two writers may differ by less than this."""
OLD_ENOUGH = WIDTH
"""So many older entries in a row are the past, and not a clock that was wrong for a while."""


@dataclass(frozen=True)
class Stored:
    """An entry in the log: its number, and its exact bytes."""

    index: int
    data: bytes

    @cached_property
    def entry(self) -> Entry:
        """Raises ValueError for what is no entry."""
        return Entry.decode(self.data)

    def as_json(self) -> dict[str, Any]:
        """All fields, those of newer writers too, and the number. Raises ValueError for what is no entry."""
        fields: dict[str, Any] = orjson.loads(self.data)
        if not isinstance(fields, dict):
            raise ValueError("not an entry")
        return {"index": self.index} | fields | {"index": self.index}


@dataclass(frozen=True)
class Filter:
    """Which entries are wanted; what is None does not matter."""

    namespace: str | None = None
    deployment: str | None = None
    since: datetime | None = None
    by: str | None = None
    """Asked or approved."""

    def matches(self, entry: Entry) -> bool:
        """Whether the entry is wanted."""
        about = entry.object
        return (
            self.namespace in (None, about.namespace)
            and self.deployment in (None, about.name if about.kind == "ModelDeployment" else entry.details.get("deployment"))
            and (self.since is None or entry.time >= self.since)
            and (self.by is None or self.by in entry.actors or self.by in entry.approvers)
        )


class Reader:
    """A log, read-only, as it was when it was opened."""

    def __init__(self, view: View, note: bytes | None, tail: list[Stored]) -> None:
        self.view = view
        self.note = note
        """The signed checkpoint; None for a log that has none yet."""
        self.tail = tail
        """The entries that no checkpoint covers yet."""

    @classmethod
    async def load(cls, store: S3Store, verifier: Verifier) -> Reader:
        """The log in `store`. Raises LedgerUnavailable, LedgerForked."""
        newest = await newest_checkpoint(store, verifier)
        checkpoint, note = newest or (Checkpoint(verifier.name, 0, EMPTY_ROOT), None)
        view = await View.load(store, checkpoint)
        tail = []
        growth = await view.growth()
        while slot := await next_slot(store, verifier, growth):
            for data in slot.entries:
                tail.append(Stored(growth.size, data))
                growth.append(data)
            growth.full.clear()
        return cls(view, note, tail)

    @property
    def size(self) -> int:
        return self.view.size + len(self.tail)

    async def entries(self, begin: int = 0, end: int | None = None, *, newest_first: bool = False) -> AsyncGenerator[Stored]:
        """Entries `begin` … `end` - 1. Raises LedgerUnavailable, LedgerForked."""
        end = self.size if end is None else min(end, self.size)
        tail = [stored for stored in self.tail if begin <= stored.index < end]
        if newest_first:
            for stored in reversed(tail):
                yield stored
        numbers = range(begin // WIDTH, -(-min(end, self.view.size) // WIDTH))
        async with aclosing(in_order(reversed(numbers) if newest_first else numbers, self._bundle)) as bundles:
            async for bundle in bundles:
                for stored in reversed(bundle) if newest_first else bundle:
                    if begin <= stored.index < end:
                        yield stored
        if not newest_first:
            for stored in tail:
                yield stored

    async def newest(self, wanted: Filter, skipped: Callable[[Stored], None] | None = None) -> AsyncGenerator[Stored]:
        """Those that the filter wants, the newest first; `skipped` is told of what no entry can be read from."""
        old = 0
        async with aclosing(self.entries(newest_first=True)) as entries:
            async for stored in entries:
                try:
                    entry = stored.entry
                except ValueError:
                    if skipped:
                        skipped(stored)
                    continue
                old = old + 1 if wanted.since and wanted.since - entry.time > CLOCK_SKEW else 0
                if old > OLD_ENOUGH:
                    return
                if wanted.matches(entry):
                    yield stored

    async def _bundle(self, number: int) -> list[Stored]:
        return [Stored(number * WIDTH + position, data) for position, data in enumerate(await self.view.entries(number))]


async def next_slot(store: S3Store, verifier: Verifier, growth: Growth) -> Slot | None:
    """The slot after what `growth` has; None at the log's end. Raises LedgerForked when it does not continue that."""
    first, root = growth.size, growth.root
    key = slot_path(first)
    try:
        slot = Slot.open(await fetch(store, key), verifier)
    except Missing:
        return None
    except NoteInvalid as error:
        raise LedgerForked(f"{store.uri(key)} is not of this log's writers: {error}") from error
    if slot.first != first or slot.root != root:
        raise LedgerForked(f"{store.uri(key)} follows another history than the one before it")
    return slot
