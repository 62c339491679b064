"""Which objects the ledger has told of and not of their end: one small object each beside the log, `inventory/UID`.

It is no part of the log and proves nothing. It lets a process that starts find out, without reading the log, what was deleted while
nobody watched.
"""

from __future__ import annotations

import logging

import orjson

from slipway.ledger.entry import ObjectReference
from slipway.ledger.errors import LedgerUnavailable
from slipway.objectstore.errors import AlreadyThere, Missing, StoreUnavailable
from slipway.objectstore.s3 import S3Store

log = logging.getLogger(__name__)

FOLDER = "inventory/"


class Inventory:
    """The objects by uid. Memory grows with the objects that exist, not with the log. Calls raise LedgerUnavailable."""

    def __init__(self, store: S3Store, known: set[str]) -> None:
        self._store = store
        self.known = known

    @classmethod
    async def load(cls, store: S3Store) -> Inventory:
        try:
            return cls(store, {key.removeprefix(FOLDER) async for key in store.list(FOLDER)})
        except StoreUnavailable as error:
            raise LedgerUnavailable(error.uri, error.cause) from error

    async def add(self, about: ObjectReference) -> None:
        """Remembers the object before the first entry about it is written."""
        if about.uid in self.known:
            return
        try:
            await self._store.create(FOLDER + about.uid, orjson.dumps(about.as_json()))
        except AlreadyThere:
            pass
        except StoreUnavailable as error:
            raise LedgerUnavailable(error.uri, error.cause) from error
        self.known.add(about.uid)

    async def get(self, uid: str) -> ObjectReference | None:
        """What is remembered of an object; None if nothing is, or nothing that can be read."""
        try:
            found = orjson.loads(await self._store.get(FOLDER + uid))
            about = ObjectReference(
                found["apiVersion"], found["kind"], found["namespace"], found["name"], found["uid"], int(found["generation"])
            )
            return about if about.uid == uid else None
        except (Missing, ValueError, KeyError, TypeError):
            return None
        except StoreUnavailable as error:
            raise LedgerUnavailable(error.uri, error.cause) from error

    async def remove(self, uid: str) -> None:
        """Forgets the object: its end is in the log.

        A store that refuses (the writer need not have the right to delete) is no error: at the next opening the object is found missing
        once more, and its end, which the log has, is not written again.
        """
        self.known.discard(uid)
        try:
            await self._store.delete(FOLDER + uid)
        except StoreUnavailable as error:
            log.info("the ledger's note of an object that is gone stays: %s", error)
