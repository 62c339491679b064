"""Which ids the log has: sorted runs of hashes in the store, so that memory does not grow with the log. Pure.

Run 0 of level 0 is of entries 0 … 4095, and so on; four runs of a level are merged into one of the next. Runs of level L are cut into 4^L
parts by the first bits of the hash, so every part has about 4096 records (96 KiB), and a lookup reads one part of each run that counts: at
most three a level. Everything follows from the entries, so it can be made again; and it is not proved by the tree, so that what it says is
there is read before it is believed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from heapq import merge

from slipway.ledger.tiles import number_path

RUN = 4096
"""Entries of a run of level 0."""
FAN = 2
"""Four runs become one: two bits."""
OWNER = 8
"""Bytes of the hash of an object's UID: what a lookup asks for."""
KEY = 16
"""Bytes of a record's key: the UID's hash, then the id's."""
RECORD = 24
"""Bytes of a record: the key, then the entry's index, big-endian."""


def owner_of(entry_id: str) -> bytes:
    """The hash of the part of an id before the first `/`: its object's UID."""
    return hashlib.sha256(entry_id.partition("/")[0].encode()).digest()[:OWNER]


def key_of(entry_id: str) -> bytes:
    """A record's key for this id."""
    return owner_of(entry_id) + hashlib.sha256(entry_id.encode()).digest()[: KEY - OWNER]


def owner(key: bytes) -> bytes:
    """The owner's part of a key."""
    return key[:OWNER]


def packed(keys: Iterable[bytes], more: bytes = b"") -> bytes:
    """One owner's keys without the owner, sorted, with those that were packed before."""
    width = KEY - OWNER
    before = (more[at : at + width] for at in range(0, len(more), width))
    return b"".join(sorted({*(key[OWNER:] for key in keys), *before}))


def has(ids: bytes, key: bytes) -> bool:
    """Whether the key is among its owner's packed ones."""
    width, wanted = KEY - OWNER, key[OWNER:]
    low, high = 0, len(ids) // width
    while low < high:
        middle = (low + high) // 2
        if ids[middle * width : (middle + 1) * width] < wanted:
            low = middle + 1
        else:
            high = middle
    return ids[low * width : (low + 1) * width] == wanted


def part_path(level: int, number: int, part: int) -> str:
    """`index/2/x001/234/007`: part 7 of run 1234 of level 2."""
    return f"{run_folder(level, number)}{part:06}"


def run_folder(level: int, number: int) -> str:
    """Where the parts of a run are."""
    return f"index/{level}/{number_path(number)}.d/"


def parts(level: int) -> int:
    """How many parts a run of this level has."""
    return 1 << (FAN * level)


def part_of(level: int, owner: bytes) -> int:
    """The part that has this owner's records."""
    return int.from_bytes(owner, "big") >> (8 * OWNER - FAN * level)


def runs(count: int) -> list[tuple[int, int]]:
    """(level, number) of the runs that together have the first `count` × 4096 entries: the biggest that there are."""
    found: list[tuple[int, int]] = []
    level = 0
    while end := count >> (FAN * level):
        found = [*((level, number) for number in range(end >> FAN << FAN, end)), *found]
        level += 1
    return found


def finished_by(number: int) -> Iterator[tuple[int, int]]:
    """(level, number) of the merged runs that are complete once run `number` of level 0 is there: from low to high."""
    level, count = 1, number + 1
    while count % (1 << FAN) == 0:
        count >>= FAN
        yield level, count - 1
        level += 1


def children(level: int, number: int) -> list[tuple[int, int]]:
    """The runs that are merged into this one."""
    return [(level - 1, child) for child in range(number << FAN, (number + 1) << FAN)]


def encode(records: Iterable[tuple[bytes, int]]) -> bytes:
    """(key, index) pairs as a part."""
    return b"".join(key + index.to_bytes(8, "big") for key, index in sorted(records))


def merged(level: int, sources: Sequence[bytes]) -> list[tuple[int, bytes]]:
    """The parts of a run of `level` that come of the same part of its four children, as (part within these, bytes)."""
    ordered = merge(*(_records(source) for source in sources))
    found: dict[int, list[bytes]] = {part: [] for part in range(1 << FAN)}
    for record in ordered:
        found[part_of(level, record[:OWNER]) & ((1 << FAN) - 1)].append(record)
    return [(part, b"".join(records)) for part, records in found.items()]


def search(data: bytes, owner: bytes) -> list[tuple[bytes, int]]:
    """The (key, index) pairs of an owner in a part."""
    low, high = 0, len(data) // RECORD
    while low < high:
        middle = (low + high) // 2
        if data[middle * RECORD : middle * RECORD + OWNER] < owner:
            low = middle + 1
        else:
            high = middle
    found = []
    at = low * RECORD
    while data[at : at + OWNER] == owner:
        found.append((data[at : at + KEY], int.from_bytes(data[at + KEY : at + RECORD], "big")))
        at += RECORD
    return found


def _records(data: bytes) -> Iterator[bytes]:
    return (data[at : at + RECORD] for at in range(0, len(data) - RECORD + 1, RECORD))


def repeated(data: bytes) -> tuple[int, int] | None:
    """Two entries' numbers that have the same id, if a part has such."""
    previous = None
    for record in _records(data):
        key, at = record[:KEY], int.from_bytes(record[KEY:], "big")
        if previous and previous[0] == key:
            return previous[1], at
        previous = key, at
    return None
