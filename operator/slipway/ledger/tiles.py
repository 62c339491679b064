"""Where a C2SP tlog-tiles log keeps things, and how they are encoded. Pure.

`tile/LEVEL/N`: 256 hashes of level 8 × LEVEL; `tile/entries/N`: 256 entries, each after its length in 16 bits, big-endian. The last one of
a level may be partial: `.p/W`, of W hashes or entries.
"""

from __future__ import annotations

from collections.abc import Sequence

from slipway.ledger.merkle import HASH_SIZE, root_of

WIDTH = 256
HEIGHT = 8
ENTRIES = -1
"""The level of entry bundles."""
CHECKPOINT = "checkpoint"


def tile_path(level: int, number: int, width: int = WIDTH) -> str:
    """`tile_path(0, 1234067, 8)` → `tile/0/x001/x234/067.p/8`; level `ENTRIES` for bundles."""
    name = "entries" if level == ENTRIES else str(level)
    partial = f".p/{width}" if width < WIDTH else ""
    return f"tile/{name}/{number_path(number)}{partial}"


def number_path(number: int) -> str:
    """Three digits an element, all but the last with an `x` before."""
    last = f"{number % 1000:03}"
    while number >= 1000:
        number //= 1000
        last = f"x{number % 1000:03}/{last}"
    return last


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """Entries, each at most 65,535 bytes, as a bundle."""
    return b"".join(part for entry in entries for part in (len(entry).to_bytes(2, "big"), entry))


def decode_bundle(data: bytes) -> list[bytes]:
    """The entries of a bundle. Raises ValueError when it is cut."""
    entries, at = [], 0
    while at < len(data):
        end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        if at + 2 > len(data) or end > len(data):
            raise ValueError("an entry bundle that is cut")
        entries.append(data[at + 2 : end])
        at = end
    return entries


def split_tile(data: bytes) -> list[bytes]:
    """The hashes of a tile. Raises ValueError when it is cut."""
    if len(data) % HASH_SIZE:
        raise ValueError("a tile that is cut")
    return [data[at : at + HASH_SIZE] for at in range(0, len(data), HASH_SIZE)]


def width_of(level: int, number: int, size: int) -> int:
    """How many of the tile's hashes a log of `size` has: 0 … 256."""
    full = size >> (HEIGHT * max(level, 0))
    return max(0, min(WIDTH, full - number * WIDTH))


def levels(size: int) -> int:
    """How many levels of tiles a log of `size` has."""
    count = 0
    while size:
        count, size = count + 1, size >> HEIGHT
    return count


def partial_tiles(size: int) -> list[tuple[int, int, int]]:
    """(level, number, width) of the tile that is not full at each level that has one."""
    found = []
    for level in range(levels(size)):
        number, width = divmod(size >> (HEIGHT * level), WIDTH)
        if width:
            found.append((level, number, width))
    return found


def tile_root(hashes: Sequence[bytes]) -> bytes:
    """The hash that a full tile has in the level above."""
    return root_of(hashes)
