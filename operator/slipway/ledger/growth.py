"""What follows from the entries alone: bundles, tiles, root. Pure, so every writer derives the same bytes."""

from __future__ import annotations

from collections.abc import Sequence

from slipway.ledger.merkle import CompactRange, leaf_hash
from slipway.ledger.tiles import ENTRIES, WIDTH, encode_bundle, tile_path, tile_root

Object = tuple[str, bytes]
"""A key and its bytes."""


class Growth:
    """The right end of a log: what is not yet in a full bundle or tile. Memory does not depend on the log's size."""

    def __init__(self, tree: CompactRange | None = None, tiles: Sequence[list[bytes]] = (), bundle: Sequence[bytes] = ()) -> None:
        """`tiles`: the hashes of the tile that is not full, by level; `bundle`: the entries of the bundle that is not."""
        self._tree = tree or CompactRange()
        self._tiles = [list(hashes) for hashes in tiles]
        self._bundle = list(bundle)
        self.full: list[Object] = []
        """Full bundles and tiles, to be stored: whoever stores them takes them out."""

    @property
    def size(self) -> int:
        return self._tree.size

    @property
    def root(self) -> bytes:
        return self._tree.root()

    def append(self, entry: bytes) -> bytes:
        """Adds an entry; its leaf's hash."""
        index, leaf = self.size, leaf_hash(entry)
        self._tree.append(leaf)
        self._bundle.append(entry)
        if len(self._bundle) == WIDTH:
            self.full.append((tile_path(ENTRIES, index // WIDTH), encode_bundle(self._bundle)))
            self._bundle = []
        self._add_hash(leaf)
        return leaf

    def _add_hash(self, found: bytes) -> None:
        for level in range(len(self._tiles) + 1):
            if level == len(self._tiles):
                self._tiles.append([])
            self._tiles[level].append(found)
            if len(self._tiles[level]) < WIDTH:
                return
            number = (self.size >> (8 * (level + 1))) - 1
            self.full.append((tile_path(level, number), b"".join(self._tiles[level])))
            found, self._tiles[level] = tile_root(self._tiles[level]), []

    def edge(self) -> dict[int, list[bytes]]:
        """The hashes of the tile that is not full, by level."""
        return {level: list(hashes) for level, hashes in enumerate(self._tiles) if hashes}

    def partial(self) -> list[Object]:
        """The partial bundle and tiles of the log as it is now: with all full ones before them, what a checkpoint of this size promises."""
        found = []
        if self._bundle:
            found.append((tile_path(ENTRIES, self.size // WIDTH, len(self._bundle)), encode_bundle(self._bundle)))
        for level, hashes in enumerate(self._tiles):
            if hashes:
                number = (self.size >> (8 * level)) // WIDTH
                found.append((tile_path(level, number, len(hashes)), b"".join(hashes)))
        return found
