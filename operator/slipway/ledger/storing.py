"""Calls on the store, with the ledger's errors."""

from __future__ import annotations

from slipway.ledger.errors import LedgerForked, LedgerUnavailable
from slipway.objectstore.errors import AlreadyThere, Missing, StoreUnavailable
from slipway.objectstore.s3 import S3Store


async def fetch(store: S3Store, key: str) -> bytes:
    """The object. Raises Missing, or LedgerUnavailable."""
    try:
        return await store.get(key)
    except StoreUnavailable as error:
        raise LedgerUnavailable(error.uri, error.cause) from error


async def keys_in(store: S3Store, folder: str) -> list[str]:
    """The keys below a folder. Raises LedgerUnavailable."""
    try:
        return [key async for key in store.list(folder)]
    except StoreUnavailable as error:
        raise LedgerUnavailable(error.uri, error.cause) from error


async def create(store: S3Store, key: str, body: bytes) -> None:
    """Puts an object that is not there. Raises AlreadyThere, or LedgerUnavailable."""
    try:
        await store.create(key, body)
    except StoreUnavailable as error:
        raise LedgerUnavailable(error.uri, error.cause) from error


async def put(store: S3Store, key: str, body: bytes) -> None:
    """Puts an object, over whatever is there. Raises LedgerUnavailable."""
    try:
        await store.put(key, body)
    except StoreUnavailable as error:
        raise LedgerUnavailable(error.uri, error.cause) from error


async def create_same(store: S3Store, key: str, body: bytes) -> None:
    """Puts what follows from the entries alone: what is there already must be the same bytes. Raises LedgerForked when it is not."""
    try:
        await create(store, key, body)
    except AlreadyThere as error:
        try:
            found = await fetch(store, key)
        except Missing:
            raise LedgerUnavailable(error.uri, "the store says that it is there, and that it is missing") from error
        if found != body:
            raise LedgerForked(f"{error.uri} is not what follows from the entries: it was altered, or the log has forked") from None
