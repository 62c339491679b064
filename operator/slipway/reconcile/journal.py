"""Entries of the ledger, durable before what they tell of happens: docs/adr/0012-entries-before-effects.md."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from pathlib import Path

from slipway.api.conditions import Reason
from slipway.cluster.client import Cluster
from slipway.cluster.http import ApiError
from slipway.cluster.resources import CONFIG_MAP, Manifest
from slipway.ledger.entry import Entry, ObjectReference, entry_id
from slipway.ledger.errors import LedgerError, LedgerForked, LedgerUnavailable
from slipway.ledger.inventory import Inventory
from slipway.ledger.note import NoteInvalid, Verifier
from slipway.ledger.places import opened_ledger, read_signer
from slipway.ledger.writer import Ledger
from slipway.objectstore.places import read_secret, split_uri
from slipway.plan.requesters import requesters
from slipway.plan.trouble import one_line
from slipway.plan.types import EntryDraft, Trouble
from slipway.reconcile.breaker import Breaker
from slipway.settings import LedgerPlace
from slipway.telemetry import metrics

log = logging.getLogger(__name__)

SETTLE_SECONDS = 10.0
"""How long reconciles wait for the first opening."""
OPEN_AGAIN_SECONDS = 5.0
"""Between tries to open a ledger whose store does not answer."""
ROTATION_SECONDS = 10.0
"""Between looks whether other keys or credentials are mounted."""
PUBLISH_AGAIN_SECONDS = 60.0
"""Between tries to tell auditors the verifier key."""

Opening = Callable[[], AbstractAsyncContextManager[Ledger]]


class Journal:
    """The ledger as the reconciler sees it: `record` returns once the entries are durable. Without a ledger it returns at once."""

    def __init__(self, opening: Opening | None = None, uri: str = "", mounted: Callable[[], object] = lambda: None) -> None:
        """`mounted`: what the ledger is opened with; when that is something else, the ledger is opened anew."""
        self._opening = opening
        self._mounted = mounted
        self._ledger: Ledger | None = None
        self._inventory: Inventory | None = None
        self._trouble: LedgerError = LedgerUnavailable(uri, "it is being opened")
        self._tried = asyncio.Event()
        self._breaker = Breaker()

    @property
    def kept(self) -> bool:
        """Whether there is a ledger to write to at all."""
        return self._opening is not None

    @property
    def known(self) -> set[str]:
        """Uids of the objects that the ledger has told of and not of their end. Raises LedgerError."""
        return set(self._open()[1].known)

    async def settled(self) -> None:
        """Returns when the ledger was opened, or could not be, or takes long: before, objects would be told to wait for nothing."""
        if self._opening is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SETTLE_SECONDS):  # wait_for can swallow a cancellation on Python 3.11
                    await self._tried.wait()

    async def run(self, opened: Callable[[Verifier], Awaitable[None]]) -> None:
        """Keeps the ledger open until cancelled; `opened` is called each time it can be written (again)."""
        if self._opening is None:
            await asyncio.Event().wait()
            return
        while True:
            try:
                mounted = self._mounted()
                async with self._opening() as ledger:
                    self._inventory = await Inventory.load(ledger.store)
                    self._ledger = ledger
                    log.info("the ledger is open, with %d entries", ledger.size)
                    self._tried.set()
                    await opened(ledger.verifier)
                    await self._rotated(mounted)
                    self._trouble, self._ledger = LedgerUnavailable(ledger.store.uri(), "it is opened with other keys or credentials"), None
                continue
            except Exception as error:  # a setting that cannot be used, mostly: the operator goes on, and says so on what has to wait
                self._trouble = error if isinstance(error, LedgerError) else LedgerUnavailable("settings", str(error))
                metrics.LEDGER_FAILURES.labels("forked" if isinstance(error, LedgerForked) else "open").inc()
                unexpected = not isinstance(error, LedgerError | NoteInvalid | OSError | ValueError)
                log.error("the ledger cannot be opened: %s; again in %g s", error, OPEN_AGAIN_SECONDS, exc_info=unexpected)
            finally:
                self._ledger = self._inventory = None
                self._tried.set()
            await asyncio.sleep(OPEN_AGAIN_SECONDS)

    async def _rotated(self, mounted: object) -> None:
        """Returns once something else is mounted."""
        while True:
            await asyncio.sleep(ROTATION_SECONDS)
            with contextlib.suppress(OSError):  # it is being replaced just now
                if self._mounted() != mounted:
                    log.info("other keys or credentials are mounted: the ledger is opened with them")
                    return

    async def record(self, manifest: Manifest, drafts: Sequence[EntryDraft], now: datetime) -> None:
        """Makes entries about an object durable; those that are there already are not written again.

        Raises:
            LedgerError: they are not known to be durable, so what they tell of must not happen.

        """
        if not drafts or self._opening is None:
            return
        ledger, inventory = self._open()
        async with self._breaker.call():
            await inventory.add(reference_of(manifest))
            await ledger.append([entry_of(manifest, draft, now) for draft in drafts])

    async def end(self, entry: Entry) -> None:
        """The last entry about an object, which is not remembered any more. Raises LedgerError."""
        ledger, inventory = self._open()
        await ledger.append([entry])
        await inventory.remove(entry.object.uid)

    async def remembered(self, uid: str) -> ObjectReference | None:
        """What the ledger knows of an object. Raises LedgerError."""
        return await self._open()[1].get(uid)

    async def contains(self, entry: str) -> bool:
        """Whether the ledger has an entry of that id; without a ledger nobody can say otherwise. Raises LedgerError."""
        return self._opening is None or await self._open()[0].contains(entry)

    def _open(self) -> tuple[Ledger, Inventory]:
        if self._ledger is None or self._inventory is None:
            raise self._trouble.with_traceback(None)  # else each raise would add to the one it keeps
        return self._ledger, self._inventory


def opening_of(place: LedgerPlace) -> Opening:
    """Opens the ledger at that place, reading keys and credentials anew each time: they may have been rotated."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[Ledger]:
        if place.key is None:
            raise LedgerUnavailable(place.uri, "SLIPWAY_LEDGER_KEY names no signing key")
        secret = (read_secret(place.secret) if place.secret else {}) | dict(place.overrides)
        signer = read_signer(origin_of(place.uri), place.key)
        async with opened_ledger(place.uri, secret, signer, place.anchors) as ledger:
            yield ledger

    return opened


def mounted_at(place: LedgerPlace) -> dict[str, bytes]:
    """Keys and credentials as they are mounted now, by file. Raises OSError."""
    named = [Path(anchor[name]) for anchor in place.anchors for name in ("secret", "token") if anchor.get(name)]
    places = [path for path in (place.secret, place.key, *named) if path]
    files = [file for path in places for file in (path.iterdir() if path.is_dir() else (path,)) if file.is_file()]
    return {str(file): file.read_bytes() for file in files}


def origin_of(uri: str) -> str:
    """The log's name in its checkpoints: `s3://BUCKET/PREFIX` → `slipway.dev/BUCKET/PREFIX`."""
    return "/".join(filter(None, ("slipway.dev", *split_uri(uri))))


async def publish_verifier(cluster: Cluster, namespace: str, vkey: str) -> None:
    """Tells what verifies the log, for auditors, in ConfigMap `slipway-ledger`: tries until it is there, for they have no other way."""
    while True:
        try:
            await cluster.merge(CONFIG_MAP, namespace, "slipway-ledger", {"data": {"vkey": vkey}})
            return
        except ApiError as error:
            log.warning("the ledger's verifier key %s could not be published: %s; again in %g s", vkey, error, PUBLISH_AGAIN_SECONDS)
        await asyncio.sleep(PUBLISH_AGAIN_SECONDS)


def trouble_of(error: LedgerError) -> Trouble:
    """What is said of an object that waits for the ledger."""
    if isinstance(error, LedgerForked):
        return Trouble(Reason.LEDGER_FORKED, one_line(f"the audit ledger is not what was written, so nothing new starts: {error}"))
    message = one_line(f"the audit ledger cannot be written, so nothing new starts; what serves goes on: {error}")
    return Trouble(Reason.LEDGER_UNAVAILABLE, message, stalled=False)


def entry_of(manifest: Manifest, draft: EntryDraft, now: datetime) -> Entry:
    """The entry, with the object as it is and who asked for it."""
    meta = manifest["metadata"]
    asked = requesters(manifest)
    claims = {"commit": asked.commit, "tool": asked.tool}
    return Entry(
        id=entry_id(meta["uid"], meta.get("generation", 0), draft.transition, draft.detail),
        time=now,
        transition=str(draft.transition),
        object=reference_of(manifest),
        actors=draft.actors if draft.actors is not None else asked.actors,
        approvers=draft.approvers,
        reason=draft.reason,
        message=draft.message,
        details={**draft.details, **{key: value for key, value in claims.items() if value}},
    )


def reference_of(manifest: Manifest) -> ObjectReference:
    """The object as it is now."""
    meta = manifest["metadata"]
    return ObjectReference(
        api_version=manifest["apiVersion"],
        kind=manifest["kind"],
        namespace=meta.get("namespace", ""),
        name=meta["name"],
        uid=meta["uid"],
        generation=meta.get("generation", 0),
    )
