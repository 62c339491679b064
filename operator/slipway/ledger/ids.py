"""Answers whether the log has an id already, however long ago and by whom it was appended. Memory is bounded; see `index`."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable

from slipway.ledger import index
from slipway.ledger.ahead import aligned, in_order
from slipway.ledger.entry import id_of
from slipway.ledger.errors import LedgerForked
from slipway.ledger.owners import Owners
from slipway.ledger.storing import create_same, fetch, keys_in
from slipway.ledger.tiles import WIDTH
from slipway.ledger.view import View
from slipway.objectstore.errors import Missing
from slipway.objectstore.s3 import S3Store

CACHED_PARTS = 12
"""Of the index, about 96 KiB each."""
READ_AT_ONCE = 4
"""Parts that are on their way from the store at the same time."""


class Ids:
    """The ids of the log: those of the last entries in memory, the others in the store's index."""

    def __init__(self, store: S3Store) -> None:
        self._store = store
        self._runs = 0
        """Runs of level 0 that the store has, with all that are merged from them."""
        self._keys: list[bytes] = []
        """Of the entries after those runs, in order."""
        self._tail: dict[bytes, int] = {}
        self._known = Owners()
        self._parts: OrderedDict[str, bytes] = OrderedDict()

    def add(self, entry_id: str) -> None:
        """The next entry of the log has this id."""
        key = index.key_of(entry_id)
        self._tail.setdefault(key, self._runs * index.RUN + len(self._keys))
        self._keys.append(key)

    async def find(self, ids: Iterable[str]) -> dict[str, int]:
        """The entries' numbers, of those ids that the log has. For what is not `in_memory` this is no proof: read the entry."""
        keys = {entry_id: index.key_of(entry_id) for entry_id in ids}
        while True:
            runs = self._runs
            known = await self._look_up({index.owner(key) for key in keys.values() if key not in self._tail})
            if runs == self._runs:  # else a run was completed meanwhile: its ids may be in neither
                break
        found = {entry_id: self._tail[key] for entry_id, key in keys.items() if key in self._tail}
        old = {entry_id: key for entry_id, key in keys.items() if entry_id not in found and index.has(known[index.owner(key)], key)}
        if old:
            numbers = await self._read({index.owner(key) for key in old.values()}, self._runs)
            found |= {entry_id: numbers[index.owner(key)][key] for entry_id, key in old.items()}
        return found

    def in_memory(self, number: int) -> bool:
        """Whether the entry is one that this process has seen: then its id needs no confirmation."""
        return number >= self._runs * index.RUN

    async def store_runs(self, size: int) -> None:
        """Writes the runs that the first `size` entries complete, and what is merged of them."""
        while (self._runs + 1) * index.RUN <= size:
            await self._store_run(self._runs, self._keys[: index.RUN])
            self._known.extend(self._keys[: index.RUN])
            self._keys = self._keys[index.RUN :]
            self._tail = {key: at for key, at in self._tail.items() if at >= (self._runs + 1) * index.RUN}
            self._runs += 1

    async def recover(self, view: View) -> None:
        """Takes up where the last writer stopped: completes the store's index for the view, and reads the ids after it."""
        count = view.size // index.RUN
        for level, number in index.runs(count):
            await self._ensure(level, number, view)
        self._runs = count
        for bundle in range(count * index.RUN // WIDTH, -(-view.size // WIDTH)):
            for entry in await view.entries(bundle):
                self.add(id_of(entry))

    async def _look_up(self, owners: Iterable[bytes]) -> dict[bytes, bytes]:
        """The packed ids of each owner in the store's runs."""
        known = {owner: self._known.get(owner) for owner in owners}
        unknown = [owner for owner, ids in known.items() if ids is None]
        runs = self._runs
        found = await self._read(unknown, runs)
        if runs == self._runs:
            for owner, keys in found.items():
                self._known.put(owner, index.packed(keys))
        return {owner: index.packed(found[owner]) if ids is None else ids for owner, ids in known.items()}

    async def _read(self, owners: Collection[bytes], runs: int) -> dict[bytes, dict[bytes, int]]:
        """The ids of each owner in the first runs. However many owners there are, a part is read once."""
        wanted: dict[tuple[int, int, int], list[bytes]] = {}
        for level, number in index.runs(runs):
            for owner in owners:
                wanted.setdefault((level, number, index.part_of(level, owner)), []).append(owner)
        found: dict[bytes, dict[bytes, int]] = {owner: {} for owner in owners}
        parts = in_order(wanted, lambda place: self._part(*place), READ_AT_ONCE)
        async for (_, asking), data in aligned(wanted.items(), parts):
            for owner in asking:
                for key, at in index.search(data, owner):
                    found[owner].setdefault(key, at)
        return found

    async def _part(self, level: int, number: int, part: int) -> bytes:
        path = index.part_path(level, number, part)
        if path in self._parts:
            self._parts.move_to_end(path)
            return self._parts[path]
        self._parts[path] = data = await self._fetch(path)
        while len(self._parts) > CACHED_PARTS:
            self._parts.popitem(last=False)
        return data

    async def _fetch(self, path: str) -> bytes:
        try:
            return await fetch(self._store, path)
        except Missing as error:
            raise LedgerForked(
                f"{error.uri} is missing: part of the index was deleted; restart the operator, and it makes it again"
            ) from error

    async def _store_run(self, number: int, keys: list[bytes]) -> None:
        await self._store_keys(number, keys)
        for level, whole in index.finished_by(number):
            await self._merge(level, whole)

    async def _store_keys(self, number: int, keys: list[bytes]) -> None:
        records = ((key, number * index.RUN + position) for position, key in enumerate(keys))
        await create_same(self._store, index.part_path(0, number, 0), index.encode(records))

    async def _merge(self, level: int, number: int) -> None:
        for part in range(index.parts(level - 1)):
            paths = [index.part_path(below, child, part) for below, child in index.children(level, number)]
            sources = [await self._fetch(path) for path in paths]
            for offset, data in index.merged(level, sources):
                await create_same(self._store, index.part_path(level, number, (part << index.FAN) + offset), data)

    async def _ensure(self, level: int, number: int, view: View) -> None:
        """A run that is not there, or not whole, is made again: out of those that it was merged from, or out of the entries."""
        wanted = {index.part_path(level, number, part) for part in range(index.parts(level))}
        if wanted <= set(await keys_in(self._store, index.run_folder(level, number))):
            return
        if level == 0:
            bundles = range(number * index.RUN // WIDTH, (number + 1) * index.RUN // WIDTH)
            await self._store_keys(number, [index.key_of(id_of(entry)) for bundle in bundles for entry in await view.entries(bundle)])
            return
        for below, child in index.children(level, number):
            await self._ensure(below, child, view)
        await self._merge(level, number)
