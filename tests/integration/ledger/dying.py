"""A store that dies at a put, as a process does: from then on nothing reaches it."""

from __future__ import annotations

from dataclasses import dataclass, field

from slipway.objectstore.errors import StoreUnavailable
from slipway.objectstore.s3 import S3Store


@dataclass
class Fuse:
    """Shared by all stores of one writer: dies at put number `at` (from 0), before or after the bytes landed; None: never."""

    at: int | None = None
    after: bool = False
    puts: list[str] = field(default_factory=list)
    dead: bool = False

    def wrap(self, store: S3Store) -> S3Store:
        return _Dying(store, self)


class _Dying(S3Store):
    def __init__(self, store: S3Store, fuse: Fuse) -> None:
        super().__init__(store._client, store._bucket, store._prefix)
        self._fuse = fuse

    async def get(self, key: str) -> bytes:
        self._alive(key)
        return await super().get(key)

    async def put(self, key: str, body: bytes) -> None:
        if self._last(key):
            await super().put(key, body)
        self._alive(key)

    async def create(self, key: str, body: bytes) -> None:
        if self._last(key):
            await super().create(key, body)
        self._alive(key)

    def _last(self, key: str) -> bool:
        """Whether the put is carried out; it may be the one that nobody hears of any more."""
        self._alive(key)
        self._fuse.puts.append(key)
        self._fuse.dead = len(self._fuse.puts) - 1 == self._fuse.at
        return self._fuse.after or not self._fuse.dead

    def _alive(self, key: str) -> None:
        if self._fuse.dead:
            raise StoreUnavailable(self.uri(key), "the process died")
