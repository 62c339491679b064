"""A log as a checkpoint commits to it, read from a store: nothing that comes out is unproved."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence

from slipway.ledger.checkpoint import Checkpoint
from slipway.ledger.errors import LedgerForked
from slipway.ledger.growth import Growth
from slipway.ledger.merkle import CompactRange, Node, Range, fold, leaf_hash, perfect_nodes, root_of
from slipway.ledger.note import NoteInvalid, Verifier
from slipway.ledger.storing import fetch
from slipway.ledger.tiles import CHECKPOINT, ENTRIES, HEIGHT, WIDTH, decode_bundle, levels, partial_tiles, split_tile, tile_path, width_of
from slipway.objectstore.errors import Missing
from slipway.objectstore.s3 import S3Store

CACHED_TILES = 32
"""8 KiB each."""
CACHED_BUNDLES = 2
"""Up to 16 MiB each, though seldom more than 200 KiB."""


async def newest_checkpoint(store: S3Store, verifier: Verifier) -> tuple[Checkpoint, bytes] | None:
    """The store's checkpoint with its note; None for a log without one. Raises LedgerForked when it is not signed by the log's key."""
    try:
        note = await fetch(store, CHECKPOINT)
    except Missing:
        return None
    try:
        return Checkpoint.open(note, verifier), note
    except NoteInvalid as error:
        raise LedgerForked(f"{store.uri(CHECKPOINT)} is not this log's: {error}") from error


class View:
    """The log of `checkpoint`. Every hash is checked against the checkpoint's root, every entry against its hash."""

    def __init__(self, store: S3Store, checkpoint: Checkpoint) -> None:
        self._store = store
        self.checkpoint = checkpoint
        self._edge: dict[int, list[bytes]] = {}
        """The tile that is not full, by level."""
        self._tiles: OrderedDict[tuple[int, int], list[bytes]] = OrderedDict()
        self._bundles: OrderedDict[int, list[bytes]] = OrderedDict()

    @classmethod
    async def load(cls, store: S3Store, checkpoint: Checkpoint) -> View:
        """The view, with the tiles at the right edge, which together have the root."""
        view = cls(store, checkpoint)
        edge = partial_tiles(checkpoint.size)
        tiles = await asyncio.gather(*(view._fetch_tile(level, number, width) for level, number, width in edge))
        view._edge = {level: hashes for (level, _, _), hashes in zip(edge, tiles, strict=True)}
        root = None
        for level, _, _ in edge:
            root = root_of([*view._edge[level], root] if root else view._edge[level])
        if checkpoint.size and root != checkpoint.root:
            raise LedgerForked(
                f"the tiles at the end of {store.uri('tile/')} do not have the root of the checkpoint of size {checkpoint.size}"
            )
        return view

    @classmethod
    def of(cls, store: S3Store, checkpoint: Checkpoint, growth: Growth) -> View:
        """The view of what has just been stored: nothing is read."""
        view = cls(store, checkpoint)
        view._edge = growth.edge()
        return view

    @property
    def size(self) -> int:
        return self.checkpoint.size

    async def tile(self, level: int, number: int) -> list[bytes]:
        """The tile's hashes, as many as this log has of them. Raises LedgerForked when they are not the log's."""
        width = width_of(level, number, self.size)
        if width < WIDTH:
            return self._edge[level]
        if cached := self._tiles.get((level, number)):
            self._tiles.move_to_end((level, number))
            return cached
        above, hashes = await asyncio.gather(self.tile(level + 1, number // WIDTH), self._fetch_tile(level, number, WIDTH))
        if root_of(hashes) != above[number % WIDTH]:
            raise LedgerForked(f"{self._store.uri(tile_path(level, number))} was altered: its hash is not the one above it")
        self._tiles[level, number] = hashes
        if len(self._tiles) > CACHED_TILES:
            self._tiles.popitem(last=False)
        return hashes

    async def entries(self, number: int) -> list[bytes]:
        """The entries of a bundle, as many as this log has of them. Raises LedgerForked when they are not the log's."""
        if number in self._bundles:
            return self._bundles[number]
        width = width_of(0, number, self.size)
        key = tile_path(ENTRIES, number, width)
        hashes, entries = await asyncio.gather(self._leaves(number), self._fetch_bundle(number, width))
        for position, entry in enumerate(entries):
            if leaf_hash(entry) != hashes[position]:
                raise LedgerForked(f"{self._store.uri(key)} was altered: entry {number * WIDTH + position} does not have its hash")
        self._bundles[number] = entries
        if len(self._bundles) > CACHED_BUNDLES:
            self._bundles.popitem(last=False)
        return entries

    async def entry(self, index: int) -> bytes:
        """One entry, by its number."""
        return (await self.entries(index // WIDTH))[index % WIDTH]

    async def node(self, node: Node) -> bytes:
        """The root of a perfect subtree."""
        height, index = node
        level, above = divmod(height, HEIGHT)
        first = index << above
        hashes = await self.tile(level, first // WIDTH)
        return root_of(hashes[first % WIDTH : first % WIDTH + (1 << above)])

    async def range_root(self, span: Range) -> bytes:
        """The root over a range of leaves that a proof may have."""
        return fold([await self.node(part) for part in perfect_nodes(*span)])

    async def root_at(self, size: int) -> bytes:
        """The root that this log had at that size."""
        return await self.range_root((0, size)) if size else root_of([])

    async def proof(self, ranges: Sequence[Range]) -> list[bytes]:
        """The hashes of a proof (`inclusion_ranges`, `consistency_ranges`)."""
        return list(await asyncio.gather(*(self.range_root(span) for span in ranges)))

    async def growth(self) -> Growth:
        """The log's right end, to append to it."""
        hashes = [await self.node(part) for part in perfect_nodes(0, self.size)]
        tiles = [self._edge.get(level, []) for level in range(levels(self.size))]
        bundle = await self.entries(self.size // WIDTH) if self.size % WIDTH else []
        return Growth(CompactRange(self.size, hashes), tiles, bundle)

    async def _leaves(self, number: int) -> list[bytes]:
        return await self.tile(0, number)

    async def _fetch_tile(self, level: int, number: int, width: int) -> list[bytes]:
        data = await self._fetch(level, number, width)
        try:
            hashes = split_tile(data)[:width]
        except ValueError as error:
            raise self._altered(level, number, width, str(error)) from error
        if len(hashes) < width:
            raise self._altered(level, number, width, f"{len(hashes)} hashes, not {width}")
        return hashes

    async def _fetch_bundle(self, number: int, width: int) -> list[bytes]:
        data = await self._fetch(ENTRIES, number, width)
        try:
            entries = decode_bundle(data)[:width]
        except ValueError as error:
            raise self._altered(ENTRIES, number, width, str(error)) from error
        if len(entries) < width:
            raise self._altered(ENTRIES, number, width, f"{len(entries)} entries, not {width}")
        return entries

    async def _fetch(self, level: int, number: int, width: int) -> bytes:
        """A partial tile that is gone may have been replaced by the full one: the format allows that."""
        key = tile_path(level, number, width)
        try:
            return await fetch(self._store, key)
        except Missing:
            if width == WIDTH:
                raise self._altered(level, number, width, "it is missing") from None
        try:
            return await fetch(self._store, tile_path(level, number))
        except Missing:
            raise self._altered(level, number, width, "it is missing") from None

    def _altered(self, level: int, number: int, width: int, why: str) -> LedgerForked:
        uri = self._store.uri(tile_path(level, number, width))
        return LedgerForked(f"{uri} is not what the checkpoint of size {self.size} promises: {why}")
