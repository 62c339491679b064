"""Checkpoints kept elsewhere: they arrive, and an operator that finds its store behind or beside them does not go on."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from slipway.ledger import anchoring
from slipway.ledger.anchors import BucketAnchor, FileAnchor, WebhookAnchor
from slipway.ledger.checkpoint import Checkpoint
from slipway.ledger.errors import LedgerForked, LedgerUnavailable
from slipway.ledger.places import opened_anchors, opened_ledger
from slipway.objectstore.s3 import S3Store
from tests.integration.ledger.samples import BUCKET, SELDOM, SIGNER, VERIFIER, entries, entry, open_ledger, sound
from tests.integration.ledger.test_attacks import objects, replace_all, rewritten
from tests.s3 import KEYS, Server, start_store


class Receiver:
    """A webhook: what it was sent, and whether it answers."""

    def __init__(self) -> None:
        self.notes: list[bytes] = []
        self.tokens: list[str] = []
        self.status = 204
        self.url = ""

    async def take(self, request: web.Request) -> web.Response:
        if self.status < 300:
            self.notes.append(await request.read())
            self.tokens.append(request.headers.get("Authorization", ""))
        return web.Response(status=self.status)

    async def send_elsewhere(self, request: web.Request) -> web.Response:
        raise web.HTTPFound("/login")

    async def log_in(self, request: web.Request) -> web.Response:
        return web.Response(text="who are you?")


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    found = Receiver()
    application = web.Application()
    application.router.add_post("/checkpoints", found.take)
    application.router.add_post("/elsewhere", found.send_elsewhere)
    application.router.add_get("/login", found.log_in)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}/checkpoints"
    yield found
    await runner.cleanup()


async def test_checkpoints_go_everywhere(store: S3Store, elsewhere: S3Store, receiver: Receiver, tmp_path: Path) -> None:
    file = tmp_path / "checkpoint"
    anchors = [BucketAnchor(elsewhere), WebhookAnchor(receiver.url), FileAnchor(file)]
    async with open_ledger(store, anchors=anchors) as ledger:
        await ledger.append([entry(0)])
        await ledger.checkpoint()
        await ledger.append([entry(1)])
    newest = await store.get("checkpoint")
    assert Checkpoint.open(newest, VERIFIER).size == 2
    assert [key async for key in elsewhere.list()] == ["checkpoint", "checkpoints/000000000001", "checkpoints/000000000002"]
    assert await elsewhere.get("checkpoint") == newest == file.read_bytes() == receiver.notes[-1]
    assert [Checkpoint.open(note, VERIFIER).size for note in receiver.notes] == [1, 2]
    await sound(store, *receiver.notes, file.read_bytes())
    async with open_ledger(store, anchors=anchors) as ledger:
        await ledger.append([entry(2)])
    assert Checkpoint.open(file.read_bytes(), VERIFIER).size == 3


@pytest.mark.parametrize("kind", ["bucket", "file"])
async def test_an_older_copy_is_not_written_to(store: S3Store, elsewhere: S3Store, tmp_path: Path, kind: str) -> None:
    anchors = [BucketAnchor(elsewhere) if kind == "bucket" else FileAnchor(tmp_path / "checkpoint")]
    async with open_ledger(store, anchors=anchors) as ledger:
        await ledger.append(entries(range(10)))
    older = await objects(store)
    async with open_ledger(store, anchors=anchors) as ledger:
        await ledger.append(entries(range(10, 20)))
    await replace_all(store, older)
    with pytest.raises(LedgerForked, match="knows the log with 20 entries, the store has 10"):
        async with open_ledger(store, anchors=anchors):
            pass
    assert await objects(store) == older


async def test_a_deleted_newest_checkpoint_of_the_bucket_does_not_help(store: S3Store, elsewhere: S3Store) -> None:
    async with open_ledger(store, anchors=[BucketAnchor(elsewhere)]) as ledger:
        await ledger.append(entries(range(10)))
    older = await objects(store)
    async with open_ledger(store, anchors=[BucketAnchor(elsewhere)]) as ledger:
        for number in range(10, 20):
            await ledger.append([entry(number)])
            await ledger.checkpoint()
    await replace_all(store, older)
    await elsewhere.put("checkpoint", await elsewhere.get("checkpoints/000000000010"))
    async with open_ledger(store) as ledger:
        await ledger.append(entries(range(100, 105)))
    with pytest.raises(LedgerForked, match="knows the log with 20 entries, the store has 15"):
        async with open_ledger(store, anchors=[BucketAnchor(elsewhere)]):
            pass


async def test_another_history_is_not_written_to(store: S3Store, elsewhere: S3Store) -> None:
    anchors = [BucketAnchor(elsewhere)]
    async with open_ledger(store, anchors=anchors) as ledger:
        await ledger.append(entries(range(300)))
        await ledger.checkpoint()
        await ledger.append(entries(range(300, 400)))
    await rewritten(store, SIGNER, 200)
    with pytest.raises(LedgerForked, match="knows another history: the first 400 entries"):
        async with open_ledger(store, anchors=anchors):
            pass


async def test_a_store_that_lost_its_checkpoint_only(store: S3Store, elsewhere: S3Store) -> None:
    """The anchors know more than the store's checkpoint; the slots have it all, so there is nothing wrong."""
    anchors = [BucketAnchor(elsewhere)]
    async with open_ledger(store, anchors=anchors) as ledger:
        await ledger.append(entries(range(300)))
    await store.delete("checkpoint")
    async with open_ledger(store, anchors=anchors) as ledger:
        assert ledger.covered == 300
    await sound(store, await elsewhere.get("checkpoint"))


async def test_an_anchor_of_another_log(store: S3Store, elsewhere: S3Store) -> None:
    await elsewhere.put("checkpoint", b"not a note")
    with pytest.raises(LedgerForked, match="keeps a checkpoint that is not this log's"):
        async with open_ledger(store, anchors=[BucketAnchor(elsewhere)]):
            pass


async def test_an_anchor_that_does_not_answer_holds_nothing_up(store: S3Store, receiver: Receiver, tmp_path: Path) -> None:
    receiver.status = 503
    anchors = [WebhookAnchor(receiver.url), FileAnchor(tmp_path / "no such folder" / "checkpoint")]
    async with open_ledger(store, anchors=anchors) as ledger:
        await ledger.append([entry(0)])
        await ledger.checkpoint()
        assert receiver.notes == []
        receiver.status = 204
        await ledger.checkpoint()
        assert [Checkpoint.open(note, VERIFIER).size for note in receiver.notes] == [1]
    with pytest.raises(LedgerUnavailable, match=r"^http://127\.0\.0\.1:\d+/checkpoints/wrong: HTTP 404"):
        await WebhookAnchor(receiver.url + "/wrong").publish(1, b"")


async def test_a_volume_that_hangs_holds_nothing_up(
    store: S3Store, receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the opening, nor later checkpoints, nor the anchors after it; it takes one thread, however often it is tried."""
    monkeypatch.setattr(anchoring, "ASKING_SECONDS", 0.2)
    monkeypatch.setattr(anchoring, "SENDING_SECONDS", 5)
    hanging = tmp_path / "checkpoint"
    os.mkfifo(hanging)  # whoever reads it waits until somebody writes
    file = FileAnchor(hanging)
    async with open_ledger(store, anchors=[file, WebhookAnchor(receiver.url)]) as ledger:
        for number in range(3):
            await ledger.append([entry(number)])
            await ledger.checkpoint()
        with pytest.raises(LedgerUnavailable, match="an earlier call still waits for the volume"):
            await file.known(0)
        assert [thread.name for thread in threading.enumerate()].count(f"anchor {hanging}") == 1
        assert [Checkpoint.open(note, VERIFIER).size for note in receiver.notes] == [1, 2, 3]
        with hanging.open("wb"):  # the volume is back: the thread reads to the end
            hanging.unlink()
        for _ in range(1000):
            await ledger.checkpoint()
            if hanging.exists():
                break
            await asyncio.sleep(0.02)
        assert hanging.exists(), "it is given the checkpoint once it answers"
    assert hanging.read_bytes() == await store.get("checkpoint")


async def test_a_webhook_that_sends_elsewhere_has_not_kept_it(receiver: Receiver) -> None:
    """To a page to log in at, say, which is there and answers 200."""
    host = receiver.url.removeprefix("http://").removesuffix("/checkpoints")
    anchor = WebhookAnchor(f"http://me:secret@{host}/elsewhere?token=secret")
    with pytest.raises(LedgerUnavailable) as refused:
        await anchor.publish(1, b"note")
    assert str(refused.value) == f"http://{host}/elsewhere: HTTP 302"
    assert receiver.notes == []


async def test_an_anchor_that_comes_back_is_asked_first(store: S3Store, tmp_path: Path) -> None:
    """It was away when an older copy was put into the store's place: what it knows is found before it is given anything."""
    with start_store(tmp_path / "anchor") as server:
        async with server.open("anchors") as elsewhere:
            anchors = [BucketAnchor(elsewhere)]
            async with open_ledger(store, anchors=anchors) as ledger:
                await ledger.append(entries(range(10)))
            older = await objects(store)
            async with open_ledger(store, anchors=anchors) as ledger:
                await ledger.append(entries(range(10, 20)))
            await replace_all(store, older)
            server.stop()
            async with open_ledger(store, anchors=anchors) as ledger:
                await ledger.append([entry(100)])
                await asyncio.to_thread(server.start)
                with pytest.raises(LedgerForked, match="knows the log with 20 entries, the store has 11"):
                    await ledger.checkpoint()
                with pytest.raises(LedgerForked):
                    await ledger.append([entry(101)])
            assert [key async for key in elsewhere.list("checkpoints/")] == ["checkpoints/000000000010", "checkpoints/000000000020"]


async def test_from_settings(server: Server, prefix: str, receiver: Receiver, tmp_path: Path) -> None:
    """As the operator is told: folders of mounted Secrets, anchors as JSON."""
    secret = tmp_path / "secret"
    secret.mkdir()
    for name, value in server.secret.items():
        (secret / name).write_text(value + "\n")
    (tmp_path / "token").write_text("t0ken\n")
    server.bucket(BUCKET)
    server.bucket("anchors")
    anchors = [
        {"bucket": f"s3://anchors/{prefix}", "secret": str(secret)},
        {"webhook": receiver.url, "token": str(tmp_path / "token")},
        {"file": str(tmp_path / "checkpoint")},
    ]
    async with opened_ledger(f"s3://{BUCKET}/{prefix}", server.secret, SIGNER, anchors, SELDOM) as ledger:
        await ledger.append([entry(0)])
    assert receiver.tokens == ["Bearer t0ken"]
    async with server.open("anchors", prefix) as elsewhere:
        assert await elsewhere.get("checkpoint") == receiver.notes[0] == (tmp_path / "checkpoint").read_bytes()
    with pytest.raises(ValueError, match="an anchor is a bucket, a webhook or a file; this has mail"):
        async with opened_anchors([{"mail": "a@example.com"}]):
            pass
    assert KEYS.items() <= server.secret.items()
