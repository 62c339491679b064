"""Appending to a log on a real S3 server: durable, in order, each id once."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from prometheus_client import REGISTRY

from slipway.ledger import index
from slipway.ledger.errors import LedgerUnavailable
from slipway.ledger.owners import Owners
from slipway.ledger.reader import Filter, Reader
from slipway.ledger.verify import verify
from slipway.objectstore.errors import AlreadyThere, Missing, StoreUnavailable
from slipway.objectstore.s3 import S3Store
from tests.integration.ledger.samples import BEGAN, BUCKET, VERIFIER, entries, entry, ids, open_ledger, slots, sound
from tests.s3 import Server, start_store


async def test_the_store(store: S3Store) -> None:
    await store.create("a/1", b"one")
    with pytest.raises(AlreadyThere, match=rf"^s3://{BUCKET}/.*/a/1: an object is there already$"):
        await store.create("a/1", b"two")
    assert await store.get("a/1") == b"one"
    await store.put("a/1", b"three")
    assert (await store.get("a/1"), await store.size("a/1"), await store.exists("a/2")) == (b"three", 5, False)
    await store.put("a/2", b"")
    await store.put("b/1", b"")
    assert [key async for key in store.list("a/")] == ["a/1", "a/2"]
    assert [key async for key in store.list("a/", start_after="a/1")] == ["a/2"]
    await store.delete("a/1")
    with pytest.raises(Missing, match="a/1: no such object"):
        await store.get("a/1")


async def test_a_store_that_refuses(server: Server) -> None:
    wrong = server.secret | {"AWS_SECRET_ACCESS_KEY": "wrong"}
    async with S3Store.opened(server.bucket(BUCKET), "", wrong) as store:
        with pytest.raises(StoreUnavailable, match=rf"^s3://{BUCKET}/x: \S+"):
            await store.get("x")
    async with S3Store.opened("no-such-bucket", "", server.secret) as store:
        with pytest.raises(StoreUnavailable, match="^s3://no-such-bucket/x: NoSuchBucket"):
            await store.get("x")


async def test_a_put_that_finds_no_place_may_be_tried_again(server: Server) -> None:
    """As a store that is just coming up answers: seen at an installation."""

    class NotFound(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_PUT(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(404)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), NotFound) as coming_up:
        Thread(target=coming_up.serve_forever, daemon=True).start()
        secret = server.secret | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{coming_up.server_port}"}
        async with S3Store.opened(BUCKET, "", secret) as store:
            with pytest.raises(StoreUnavailable, match="the store has no place for it"):
                await store.create("x", b"one")
        coming_up.shutdown()


async def test_of_racing_conditional_puts_one_wins(store: S3Store) -> None:
    for turn in range(20):
        done = await asyncio.gather(*(store.create(f"slot-{turn}", bytes([writer])) for writer in range(8)), return_exceptions=True)
        winners = [writer for writer, outcome in enumerate(done) if outcome is None]
        assert len(winners) == 1, done
        assert all(isinstance(outcome, AlreadyThere) for outcome in done if outcome is not None)
        assert await store.get(f"slot-{turn}") == bytes(winners)


async def test_entries_are_there_in_order(store: S3Store) -> None:
    async with open_ledger(store) as ledger:
        await ledger.append([entry(2), entry(0)])
        await ledger.append([entry(1)])
        assert ledger.size == 3
        reader = await Reader.load(store, VERIFIER)
        assert [stored.entry async for stored in reader.entries()] == [entry(2), entry(0), entry(1)]
        assert [stored.index async for stored in reader.entries(1, newest_first=True)] == [2, 1]
    assert (await sound(store)).covered == 3
    reader = await Reader.load(store, VERIFIER)
    assert [stored.entry async for stored in reader.entries()] == [entry(2), entry(0), entry(1)]


async def test_an_id_is_appended_once(store: S3Store) -> None:
    async with open_ledger(store) as ledger:
        await ledger.append([entry(0), entry(1), entry(0)])
        await ledger.append([entry(0, actor="mallory")])
        await asyncio.gather(*(ledger.append([entry(2), entry(number)]) for number in range(5)))
        assert await ledger.contains(entry(4).id)
        assert not await ledger.contains(entry(5).id)
    async with open_ledger(store) as ledger:
        await ledger.append(entries(range(6)))
        assert ledger.size == 6
        await ledger.append([])
    assert sorted(await ids(store)) == [entry(number).id for number in range(6)]
    reader = await Reader.load(store, VERIFIER)
    assert {name async for stored in reader.entries() for name in stored.entry.actors} == {"alice"}


async def test_what_comes_at_once_is_one_put(store: S3Store) -> None:
    async with open_ledger(store) as ledger:
        await asyncio.gather(*(ledger.append([entry(number)]) for number in range(100)))
        assert len(await slots(store)) <= 3
        await ledger.append(entries(range(100, 700)))
        assert len(await slots(store)) <= 3 + 3
    assert await ids(store) == [entry(number).id for number in range(700)]
    await sound(store)


async def test_old_ids_are_found_in_the_index(store: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """With runs of 256 ids instead of 4096: 20 runs, of which 16 are merged into one, and 4 into another."""
    monkeypatch.setattr(index, "RUN", 256)
    count = 20 * 256 + 100
    async with open_ledger(store) as ledger:
        for begin in range(0, count, 512):
            await ledger.append(entries(range(begin, min(count, begin + 512))))
        await ledger.checkpoint()
        again = random.Random(1).sample(range(count), 300)
        await ledger.append(entries(again))
        assert ledger.size == count
    assert await store.exists(index.part_path(2, 0, 15))
    async with open_ledger(store) as ledger:
        await ledger.append(entries(range(count)))
        assert ledger.size == count
        await ledger.append([entry(3, generation=2)])
        assert ledger.size == count + 1
    await sound(store)


async def test_a_lost_index_is_made_again(store: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "RUN", 256)
    async with open_ledger(store) as ledger:
        await ledger.append(entries(range(1500)))
    before = {key: await store.get(key) async for key in store.list("index/")}
    assert len(before) == 5 + 4
    for key in before:
        await store.delete(key)
    async with open_ledger(store) as ledger:
        assert {key: await store.get(key) async for key in store.list("index/")} == before
        await ledger.append([entry(7)])
        assert ledger.size == 1500


@pytest.mark.parametrize("hole", ["index/0/000.d/000000", "index/0/004.d/000000", "index/1/000.d/000002"])
async def test_a_hole_in_the_index(store: S3Store, monkeypatch: pytest.MonkeyPatch, hole: str) -> None:
    """Of runs 0 … 4, the first four are merged. A rescan finds the hole; what is needed is made again at the next opening."""
    monkeypatch.setattr(index, "RUN", 256)
    async with open_ledger(store) as ledger:
        await ledger.append(entries(range(1500)))
    before = {key: await store.get(key) async for key in store.list("index/")}
    await store.delete(hole)
    wrong = (await verify(store, VERIFIER)).wrong
    assert hole == "index/0/004.d/000000" or (wrong and f"{hole} is missing" in wrong)  # the last may be on its way
    async with open_ledger(store) as ledger:
        if not hole.startswith("index/0/000"):  # nobody reads that one any more
            assert {key: await store.get(key) async for key in store.list("index/")} == before
        await ledger.append(entries(range(1500)))
        assert ledger.size == 1500
        await ledger.append(entries(range(1500, 2100)))
    assert len([key async for key in store.list("index/1/001")]) == 4


async def test_a_run_that_is_completed_during_a_lookup(store: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """An id that leaves the memory for the index just then is found all the same."""
    monkeypatch.setattr(index, "RUN", 256)
    async with open_ledger(store) as ledger:
        await ledger.append(entries(range(300)))
        await ledger.checkpoint()
        await ledger.append(entries(range(300, 600)))
        held = ledger._log.ids
        held._parts.clear()
        held._known = Owners()
        get, looked = store.get, []

        async def meanwhile(key: str) -> bytes:
            data = await get(key)
            if key.startswith("index/"):
                looked.append(key)
                if len(looked) == 1:
                    await ledger.checkpoint()
            return data

        monkeypatch.setattr(store, "get", meanwhile)
        await ledger.append([entry(400), entry(3)])
        assert looked
        assert ledger.size == 600


async def test_a_known_object_costs_no_lookup(store: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "RUN", 256)
    async with open_ledger(store) as ledger:
        await ledger.append(entries(range(600)))
        await ledger.checkpoint()
        await ledger.append([entry(3, generation=2)])
        read: list[str] = []
        get = store.get

        async def counted(key: str) -> bytes:
            read.append(key)
            return await get(key)

        monkeypatch.setattr(store, "get", counted)
        for generation in range(3, 20):
            await ledger.append([entry(3, generation=generation)])
        assert read == []


async def test_the_store_goes_and_comes_back(tmp_path: Path) -> None:
    with start_store(tmp_path / "buckets") as server:
        async with server.open(BUCKET) as store, open_ledger(store) as ledger:
            await ledger.append([entry(0)])
            failures = REGISTRY.get_sample_value("slipway_ledger_failures_total", {"reason": "append"}) or 0
            server.stop()
            with pytest.raises(LedgerUnavailable, match="^s3://"):
                await ledger.append([entry(1)])
            assert REGISTRY.get_sample_value("slipway_ledger_failures_total", {"reason": "append"}) == failures + 1
            assert ledger.wrong is None
            server.start()
            await ledger.append([entry(1), entry(2)])
            assert REGISTRY.get_sample_value("slipway_ledger_size") == 3
        async with server.open(BUCKET) as store:
            assert await ids(store) == [entry(number).id for number in range(3)]
            await sound(store)


async def test_opening_a_store_that_is_not_there(server: Server) -> None:
    async with S3Store.opened("no-such-bucket", "", server.secret) as store:
        with pytest.raises(LedgerUnavailable, match="^s3://no-such-bucket/"):
            async with open_ledger(store):
                pass


async def test_what_is_written_behind_does_not_pile_up(store: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where tiles cannot be written, appends go on for a while, and then stop instead of filling the memory."""
    create = store.create

    async def only_slots(key: str, body: bytes) -> None:
        if not key.startswith("slot/"):
            raise StoreUnavailable(store.uri(key), "denied")
        await create(key, body)

    async with open_ledger(store) as ledger:
        monkeypatch.setattr(store, "create", only_slots)
        refused = None
        for begin in range(0, 100_000, 2048):
            try:
                await ledger.append(entries(range(begin, begin + 2048)))
            except LedgerUnavailable as error:
                refused = error
                break
        assert str(refused).endswith(": denied")
        held = ledger.size
        assert held < 20_000
        monkeypatch.setattr(store, "create", create)
        await ledger.append(entries(range(held, held + 100)))
        assert ledger.size == held + 100
    assert (await sound(store)).covered == held + 100


async def test_filters(store: S3Store) -> None:
    async with open_ledger(store) as ledger:
        await ledger.append([entry(number, actor=f"user-{number % 3}", name=f"d{number % 2}") for number in range(300)])
        await ledger.append([entry(300)])
        reader = await Reader.load(store, VERIFIER)

        async def found(**wanted: object) -> list[int]:
            return [stored.index async for stored in reader.newest(Filter(**wanted))]  # type: ignore[arg-type]

        assert await found() == list(range(300, -1, -1))
        assert await found(deployment="d1", by="user-2") == [number for number in range(299, -1, -1) if number % 6 == 5]
        assert await found(namespace="growth", by="alice") == [300]
        assert await found(namespace="other") == []
        assert await found(since=entry(250).time) == list(range(300, 249, -1))


async def test_a_clock_that_was_wrong_hides_nothing(store: S3Store) -> None:
    """Of the entries before it, when one asks for what is newer than a time."""
    wrong = [replace(entry(number), time=BEGAN - timedelta(days=20_000)) for number in range(3, 10)]
    async with open_ledger(store) as ledger:
        await ledger.append([*entries(range(3)), *wrong, *entries(range(10, 12))])
        reader = await Reader.load(store, VERIFIER)
        found = [stored.index async for stored in reader.newest(Filter(since=BEGAN))]
        assert found == [11, 10, 2, 1, 0]
        assert [stored.index async for stored in reader.newest(Filter(since=datetime.min.replace(tzinfo=UTC)))] == list(range(11, -1, -1))
