"""Entries, a key, and what a log is asked in the tests."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta

from slipway.ledger.behind import Pace
from slipway.ledger.entry import Entry, ObjectReference, entry_id, id_of
from slipway.ledger.note import Signer
from slipway.ledger.reader import Reader
from slipway.ledger.verify import Report, verify
from slipway.ledger.writer import Ledger
from slipway.objectstore.s3 import S3Store

BUCKET = "ledger"
SIGNER = Signer("slipway.example/ledger", bytes(range(32)))
VERIFIER = SIGNER.verifier
BEGAN = datetime(2026, 11, 22, 8, tzinfo=UTC)
SELDOM = Pace(entries=10**9, quickest=3600, slowest=3600)
"""Checkpoints at opening and at the end only: tests say when there is one."""


def entry(number: int, *, generation: int = 1, transition: str = "Applied", actor: str = "alice", name: str = "churn") -> Entry:
    uid = f"uid-{number}"
    about = ObjectReference("slipway.dev/v1alpha1", "ModelDeployment", "growth", name, uid, generation)
    when = BEGAN + timedelta(minutes=number)
    return Entry(
        entry_id(uid, generation, transition), when, transition, about, (actor,), reason="Applied", message=f"version {generation}"
    )


def entries(numbers: Iterable[int]) -> list[Entry]:
    return [entry(number) for number in numbers]


def open_ledger(store: S3Store, **options: object) -> AbstractAsyncContextManager[Ledger]:
    settings: dict[str, object] = {"pace": SELDOM} | options
    return Ledger.opened(store, SIGNER, **settings)  # type: ignore[arg-type]


async def ids(store: S3Store) -> list[str]:
    """Of all entries, in the log's order."""
    reader = await Reader.load(store, VERIFIER)
    return [id_of(stored.data) async for stored in reader.entries()]


async def sound(store: S3Store, *against: bytes) -> Report:
    """A rescan that finds nothing wrong."""
    report = await verify(store, VERIFIER, against)
    assert report.wrong is None
    return report


async def slots(store: S3Store) -> list[str]:
    return [key async for key in store.list("slot/")]
