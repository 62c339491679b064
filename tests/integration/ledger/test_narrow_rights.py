"""What the operator needs of a bucket: to get, put and list. Without the right to delete nothing gets stuck."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import orjson
import pytest
from botocore.awsrequest import AWSRequest

from slipway.api.conditions import Transition
from slipway.cluster.resources import Manifest
from slipway.ledger.entry import Entry, entry_id
from slipway.ledger.errors import LedgerUnavailable
from slipway.ledger.inventory import Inventory
from slipway.ledger.note import Verifier
from slipway.objectstore.errors import StoreUnavailable
from slipway.objectstore.s3 import S3Store
from slipway.plan.types import EntryDraft
from slipway.reconcile import journal as journals
from slipway.reconcile.journal import Journal, Opening, mounted_at, opening_of
from slipway.settings import LedgerPlace
from tests.integration.ledger.samples import BEGAN, BUCKET, entry, ids, open_ledger, sound
from tests.s3 import start_store

ALLOWED = (("s3:GetObject", "s3:PutObject"), f"{BUCKET}/*"), (("s3:ListBucket",), BUCKET)
POLICY = {
    "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": ["writer"]}, "Action": list(actions), "Resource": [f"arn:aws:s3:::{resource}"]}
        for actions, resource in ALLOWED
    ]
}


@pytest.fixture
async def narrow(tmp_path: Path) -> AsyncIterator[S3Store]:
    """The bucket, as an account that may not delete."""
    with start_store(tmp_path / "buckets", writer="writer-key") as server:
        async with server.open(BUCKET) as root:
            await root._client.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(POLICY))
        credentials = {"AWS_ACCESS_KEY_ID": "writer", "AWS_SECRET_ACCESS_KEY": "writer-key"}
        async with S3Store.opened(BUCKET, "", server.secret | credentials) as store:
            yield store


@asynccontextmanager
async def journal_of(opening: Opening, mounted: Callable[[], object] = lambda: None) -> AsyncIterator[Journal]:
    """A journal once it can be written."""
    ready = asyncio.Event()

    async def opened(_: Verifier) -> None:
        ready.set()

    journal = Journal(opening, mounted=mounted)
    running = asyncio.create_task(journal.run(opened))
    try:
        await ready.wait()
        yield journal
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def manifest(number: int) -> Manifest:
    about = entry(number).object
    meta = {"namespace": about.namespace, "name": about.name, "uid": about.uid, "generation": 1}
    return {"apiVersion": about.api_version, "kind": about.kind, "metadata": meta}


def deleted(number: int) -> Entry:
    about = entry(number).object
    return Entry(entry_id(about.uid, 0, Transition.DELETED), BEGAN, Transition.DELETED, about)


async def test_ends_are_recorded_without_the_right_to_delete(narrow: S3Store) -> None:
    await narrow.create("there", b"")
    with pytest.raises(StoreUnavailable, match="AccessDenied"):
        await narrow.delete("there")
    numbers = range(3)
    async with journal_of(lambda: open_ledger(narrow)) as journal:
        for number in numbers:
            await journal.record(manifest(number), [EntryDraft(Transition.APPLIED, "applied")], BEGAN)
    for _ in range(2):  # at the second opening all of it is found again, and nothing is told twice
        async with journal_of(lambda: open_ledger(narrow)) as journal:
            assert journal.known == {f"uid-{number}" for number in numbers}
            for number in numbers:
                await journal.end(deleted(number))
            assert not journal.known
    assert await ids(narrow) == [*(entry(number).id for number in numbers), *(deleted(number).id for number in numbers)]
    await sound(narrow)


async def test_every_put_carries_its_checksum(store: S3Store) -> None:
    """Amazon refuses puts without one where the bucket's object lock has a default retention."""
    sent: list[str] = []

    def note(request: AWSRequest, **_: object) -> None:
        sent.append(request.headers["Content-MD5"])

    store._client.meta.events.register("before-sign.s3.PutObject", note)
    await store.create("one", b"1")
    await store.put("two", b"2")
    assert sent == [base64.b64encode(hashlib.md5(body).digest()).decode() for body in (b"1", b"2")]


async def test_a_note_under_another_name_is_not_believed(store: S3Store) -> None:
    """Who may write to the bucket makes nobody's end out of another's."""
    await store.create("inventory/uid-1", orjson.dumps(entry(2).object.as_json()))
    inventory = await Inventory.load(store)
    assert inventory.known == {"uid-1"}
    assert await inventory.get("uid-1") is None


async def test_rotated_credentials_are_taken_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the operator that runs, as soon as the Secret's new values are mounted."""
    monkeypatch.setattr(journals, "ROTATION_SECONDS", 0.05)
    secret, key = tmp_path / "secret", tmp_path / "key"
    secret.mkdir()
    key.write_text(base64.b64encode(bytes(range(32))).decode())
    with start_store(tmp_path / "buckets", writer="old-key") as server:
        async with server.open(BUCKET) as root:
            await root._client.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(POLICY))
        for name, value in (server.secret | {"AWS_ACCESS_KEY_ID": "writer", "AWS_SECRET_ACCESS_KEY": "old-key"}).items():
            (secret / name).write_text(value)
        place = LedgerPlace(f"s3://{BUCKET}", secret, key)
        async with journal_of(opening_of(place), lambda: mounted_at(place)) as journal:
            await journal.record(manifest(0), [EntryDraft(Transition.APPLIED, "applied")], BEGAN)
            server.stop()
            server.accounts["writer"] = "new-key"
            await asyncio.to_thread(server.start)
            with pytest.raises(LedgerUnavailable, match="SignatureDoesNotMatch"):
                await journal.record(manifest(1), [EntryDraft(Transition.APPLIED, "applied")], BEGAN)
            (secret / "AWS_SECRET_ACCESS_KEY").write_text("new-key")
            for _ in range(3000):
                with contextlib.suppress(LedgerUnavailable):
                    await journal.record(manifest(1), [EntryDraft(Transition.APPLIED, "applied")], BEGAN)
                    break
                await asyncio.sleep(0.02)
            await journal.record(manifest(1), [EntryDraft(Transition.APPLIED, "applied")], BEGAN)
