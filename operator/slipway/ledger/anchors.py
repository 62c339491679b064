"""Places outside the log's own store that keep its checkpoints: without one, nobody can show that the log was rewritten."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol, TypeVar, cast
from urllib.parse import urlsplit, urlunsplit

import aiohttp

from slipway.ledger.checkpoint import Checkpoint
from slipway.ledger.errors import LedgerForked, LedgerUnavailable
from slipway.ledger.note import NoteInvalid, Verifier
from slipway.ledger.storing import create_same, fetch, put
from slipway.ledger.tiles import CHECKPOINT
from slipway.objectstore.errors import Missing, StoreUnavailable
from slipway.objectstore.s3 import S3Store

T = TypeVar("T")

SECONDS = 15.0
"""For one call of a webhook."""


class Anchor(Protocol):
    """A place for checkpoints. Both calls raise LedgerUnavailable when it does not answer."""

    @property
    def name(self) -> str:
        """Its address, for people."""

    async def known(self, size: int) -> list[bytes]:
        """Signed checkpoints that it keeps: the newest, the last and the first above `size`. Empty when it keeps none, or tells none."""

    async def publish(self, size: int, note: bytes) -> None:
        """Keeps one more."""


class BucketAnchor:
    """A second bucket: `checkpoints/SIZE` for each, never overwritten, and `checkpoint`, the newest.

    Best with object lock, and a writer that cannot delete.
    """

    def __init__(self, store: S3Store) -> None:
        self._store = store

    @property
    def name(self) -> str:
        return self._store.uri()

    async def known(self, size: int) -> list[bytes]:
        found = []
        with contextlib.suppress(Missing):
            found.append(await fetch(self._store, CHECKPOINT))
        try:
            above = [key async for key in self._store.list("checkpoints/", start_after=_kept(size))]
        except StoreUnavailable as error:
            raise LedgerUnavailable(error.uri, error.cause) from error
        return found + [await fetch(self._store, key) for key in dict.fromkeys([*above[-1:], *above[:1]])]

    async def publish(self, size: int, note: bytes) -> None:
        await create_same(self._store, _kept(size), note)
        await put(self._store, CHECKPOINT, note)


class FileAnchor:
    """A file with the newest checkpoint: on another volume, or in a folder that something commits to Git.

    A volume over the network may hang for ever: then one thread does, and nothing else.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._hanging: threading.Thread | None = None

    @property
    def name(self) -> str:
        return str(self._path)

    async def known(self, size: int) -> list[bytes]:
        try:
            return [await self._aside(self._path.read_bytes)]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise LedgerUnavailable(self.name, str(error)) from error

    async def publish(self, size: int, note: bytes) -> None:
        try:
            await self._aside(lambda: self._replace(note))
        except OSError as error:
            raise LedgerUnavailable(self.name, str(error)) from error

    async def _aside(self, work: Callable[[], T]) -> T:
        """In a thread that does not keep the process from ending; not while an earlier one still waits for the volume."""
        if self._hanging and self._hanging.is_alive():
            raise LedgerUnavailable(self.name, "an earlier call still waits for the volume")
        loop, done = asyncio.get_running_loop(), asyncio.Queue[tuple[T | None, OSError | None]]()

        def run() -> None:
            answer: tuple[T | None, OSError | None]
            try:
                answer = work(), None
            except OSError as error:
                answer = None, error
            with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(done.put_nowait, answer)

        self._hanging = threading.Thread(target=run, name=f"anchor {self._path}", daemon=True)
        self._hanging.start()
        found, error = await done.get()
        self._hanging = None
        if error:
            raise error
        return cast(T, found)

    def _replace(self, note: bytes) -> None:
        beside = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        with beside.open("wb") as file:
            file.write(note)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._path)


class WebhookAnchor:
    """A URL that takes each checkpoint by POST (text/plain).

    It is not asked what it knows: whoever runs it compares with `audit verify --against`.
    """

    def __init__(self, url: str, headers: Mapping[str, str] | None = None) -> None:
        self._url = url
        self._headers = {"Content-Type": "text/plain; charset=utf-8", **(headers or {})}

    @property
    def name(self) -> str:
        """Without what may be secret in it: user, password, query."""
        parts = urlsplit(self._url)
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))

    async def known(self, size: int) -> list[bytes]:
        return []

    async def publish(self, size: int, note: bytes) -> None:
        timeout = aiohttp.ClientTimeout(total=SECONDS)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout, trust_env=True) as session,
                session.post(self._url, data=note, headers=self._headers, allow_redirects=False) as answer,
            ):
                if answer.status >= 300:  # a redirect, too: to a page to log in at, say, that takes anything and keeps nothing
                    raise LedgerUnavailable(self.name, f"HTTP {answer.status}")
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise LedgerUnavailable(self.name, f"{error}" or type(error).__name__) from error


async def known_checkpoints(anchor: Anchor, size: int, verifier: Verifier) -> list[Checkpoint]:
    """What the anchor keeps, checked. Raises LedgerForked for what this log's key did not sign: another log's, or a forged one."""
    try:
        return [Checkpoint.open(note, verifier) for note in await anchor.known(size)]
    except NoteInvalid as error:
        raise LedgerForked(f"{anchor.name} keeps a checkpoint that is not this log's: {error}") from error


def contradiction(anchor: Anchor, checkpoint: Checkpoint, size: int, root: bytes | None) -> LedgerForked | None:
    """What is wrong when a log of `size`, with `root` at the checkpoint's size, is asked to agree with what the anchor knows."""
    if checkpoint.size > size:
        return LedgerForked(
            f"{anchor.name} knows the log with {checkpoint.size} entries, the store has {size}: "
            "entries were cut off, or an older copy was put in its place"
        )
    if root != checkpoint.root:
        return LedgerForked(f"{anchor.name} knows another history: the first {checkpoint.size} entries are not those that were signed")
    return None


def _kept(size: int) -> str:
    return f"checkpoints/{size:012}"
