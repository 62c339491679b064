"""What was looked up of objects' old ids: kept packed, within a bound."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from slipway.ledger import index

MOST_BYTES = 3 << 19
OVERHEAD = 200
"""Bytes of an owner without ids."""


class Owners:
    """Owners (hashes of UIDs) with all their ids that are in the store's index: those used last."""

    def __init__(self) -> None:
        self._ids: OrderedDict[bytes, bytes] = OrderedDict()
        self._bytes = 0

    def get(self, owner: bytes) -> bytes | None:
        """The owner's ids, packed; None when they are not known."""
        ids = self._ids.get(owner)
        if ids is not None:
            self._ids.move_to_end(owner)
        return ids

    def put(self, owner: bytes, ids: bytes) -> None:
        """These are all."""
        self._bytes += len(ids) + OVERHEAD
        if (before := self._ids.pop(owner, None)) is not None:
            self._bytes -= len(before) + OVERHEAD
        self._ids[owner] = ids
        while self._bytes > MOST_BYTES and self._ids:
            _, gone = self._ids.popitem(last=False)
            self._bytes -= len(gone) + OVERHEAD

    def extend(self, keys: Iterable[bytes]) -> None:
        """These keys are in the index from now on."""
        more: dict[bytes, list[bytes]] = {}
        for key in keys:
            if index.owner(key) in self._ids:
                more.setdefault(index.owner(key), []).append(key)
        for owner, found in more.items():
            if (ids := self._ids.get(owner)) is not None:
                self.put(owner, index.packed(found, ids))
