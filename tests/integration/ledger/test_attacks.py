"""What somebody can do to the log who has the bucket's credentials, or token and key too: a rescan finds all of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from slipway.ledger import index
from slipway.ledger.checkpoint import Checkpoint
from slipway.ledger.errors import LedgerForked
from slipway.ledger.note import Signer
from slipway.ledger.reader import Reader
from slipway.ledger.slots import Slot, slot_path
from slipway.ledger.tiles import decode_bundle, encode_bundle
from slipway.ledger.verify import verify
from slipway.ledger.writer import Ledger
from slipway.objectstore.s3 import S3Store
from tests.integration.ledger.samples import SELDOM, SIGNER, VERIFIER, entries, entry, ids, open_ledger, sound
from tests.s3 import Server

COUNT = 700
OUTSIDE = 650
THIEF = Signer(SIGNER.verifier.name, bytes(32))
"""A key of the log's name that is not the log's."""

Objects = dict[str, bytes]


@dataclass(frozen=True)
class History:
    """A log's objects at 600, and at the end; and a checkpoint of 650 entries that was kept elsewhere."""

    older: Objects
    whole: Objects
    outside: bytes


async def objects(store: S3Store) -> Objects:
    return {key: await store.get(key) async for key in store.list()}


async def replace_all(store: S3Store, content: Objects) -> None:
    for key in [key async for key in store.list()]:
        await store.delete(key)
    for key, body in content.items():
        await store.put(key, body)


@pytest.fixture(scope="module")
async def history(server: Server) -> History:
    async with server.open("ledger", "history") as store:
        async with open_ledger(store) as ledger:
            for begin in range(0, 600, 60):
                await ledger.append(entries(range(begin, begin + 60)))
        older = await objects(store)
        async with open_ledger(store) as ledger:
            await ledger.append(entries(range(600, OUTSIDE)))
            await ledger.checkpoint()
            outside = await store.get("checkpoint")
            await ledger.append(entries(range(OUTSIDE, COUNT)))
        await sound(store, outside)
        return History(older, await objects(store), outside)


@pytest.fixture
async def log(store: S3Store, history: History) -> S3Store:
    """The log, each time anew."""
    await replace_all(store, history.whole)
    await sound(store, history.outside)
    return store


async def found(store: S3Store, history: History) -> str:
    """What a rescan says is wrong."""
    report = await verify(store, VERIFIER, [history.outside])
    assert report.wrong, "the attack was not noticed"
    return report.wrong


async def change(store: S3Store, key: str, how: Callable[[bytes], bytes]) -> None:
    before = await store.get(key)
    after = how(before)
    assert after != before
    await store.put(key, after)


def flip(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


def swap(data: bytes) -> bytes:
    held = decode_bundle(data)
    return encode_bundle([*held[:9], held[10], held[9], *held[11:]])


EVERY_KIND = [
    "slot/000/000/000/120",
    "tile/entries/001",
    "tile/entries/002.p/188",
    "tile/0/000",
    "tile/0/002.p/188",
    "tile/1/000.p/2",
    "checkpoint",
]


@pytest.mark.parametrize("key", EVERY_KIND)
async def test_a_flipped_bit(log: S3Store, history: History, key: str) -> None:
    await change(log, key, flip)
    assert log.uri(key) in await found(log, history)


@pytest.mark.parametrize("key", EVERY_KIND)
async def test_a_deleted_object(log: S3Store, history: History, key: str) -> None:
    await log.delete(key)
    assert log.uri(key) in await found(log, history)


@pytest.mark.parametrize("key", [key for key in EVERY_KIND if key != "checkpoint" and not key.startswith("slot")])
async def test_a_cut_object(log: S3Store, history: History, key: str) -> None:
    await change(log, key, lambda data: data[:-32])
    assert log.uri(key) in await found(log, history)


async def test_entries_in_another_order(log: S3Store, history: History) -> None:
    await change(log, "tile/entries/000", swap)
    assert "tile/entries/000 was altered: its entry 9 is another" in await found(log, history)
    reader = await Reader.load(log, VERIFIER)
    with pytest.raises(LedgerForked, match="tile/entries/000 was altered: entry 9 does not have its hash"):
        [stored async for stored in reader.entries()]


async def test_slots_in_another_order(log: S3Store, history: History) -> None:
    one, other = slot_path(60), slot_path(120)
    await log.put(one, history.whole[other])
    await log.put(other, history.whole[one])
    assert "slot/000/000/000/060" in await found(log, history)


async def test_the_end_cut_off(log: S3Store, history: History) -> None:
    """Everything after entry 600 is deleted; the checkpoint stays."""
    for key in history.whole.keys() - history.older.keys():
        await log.delete(key)
    assert "entries were cut off" in await found(log, history)


async def test_an_older_copy(log: S3Store, history: History) -> None:
    await replace_all(log, history.older)
    assert "an outside checkpoint has 650 entries, the store 600" in await found(log, history)
    assert (await verify(log, VERIFIER)).wrong is None, "by itself an older copy is sound: that is what outside checkpoints are for"


async def test_an_older_checkpoint_alone_hides_nothing(log: S3Store, history: History) -> None:
    """All entries are still there, in slots: neither readers nor writers are led astray."""
    await log.put("checkpoint", history.older["checkpoint"])
    assert (await sound(log, history.outside)).size == COUNT
    assert len(await ids(log)) == COUNT
    async with open_ledger(log) as ledger:
        await ledger.append([entry(COUNT)])
        assert ledger.size == COUNT + 1
    assert (await sound(log, history.outside)).covered == COUNT + 1


@pytest.mark.parametrize("thief", [THIEF, Signer("slipway.example/other", bytes(range(32)))])
async def test_a_forged_checkpoint(log: S3Store, history: History, thief: Signer) -> None:
    await log.put("checkpoint", Checkpoint(SIGNER.verifier.name, COUNT, bytes(32)).sign(thief))
    assert "checkpoint is not this log's" in await found(log, history)
    with pytest.raises(LedgerForked, match="checkpoint is not this log's"):
        async with open_ledger(log):
            pass


async def test_a_checkpoint_with_the_key_and_another_root(log: S3Store, history: History) -> None:
    await log.put("checkpoint", Checkpoint(SIGNER.verifier.name, COUNT, bytes(32)).sign(SIGNER))
    assert "has another history" in await found(log, history)
    with pytest.raises(LedgerForked, match="do not have the root"):
        async with open_ledger(log):
            pass


async def rewritten(store: S3Store, signer: Signer, keep: int) -> None:
    """A new log in the place of the old: its first entries, then others."""
    await replace_all(store, {})
    async with Ledger.opened(store, signer, pace=SELDOM) as ledger:
        await ledger.append(entries(range(keep)))
        await ledger.append([entry(number, actor="somebody else") for number in range(keep, COUNT)])


@pytest.mark.parametrize("keep", [0, 300, OUTSIDE - 1])
async def test_a_fork_by_who_holds_even_the_key(log: S3Store, history: History, keep: int) -> None:
    """Token, bucket credentials, signing key: the new log is sound in itself, and is not the one that was seen outside."""
    await rewritten(log, SIGNER, keep)
    assert (await verify(log, VERIFIER)).wrong is None
    assert "another history: the first 650 entries are not those that were signed" in await found(log, history)


async def test_a_log_rewritten_with_another_key(log: S3Store, history: History) -> None:
    """Token and bucket credentials, without the key."""
    await rewritten(log, THIEF, 300)
    assert "is not this log's" in await found(log, history)
    assert (await verify(log, THIEF.verifier, [history.outside])).wrong, "believing the ConfigMap's key does not help the thief either"


async def test_a_slot_put_in_without_the_key(log: S3Store, history: History) -> None:
    """The next entry, by somebody with the bucket's credentials: nobody believes it, and the writer says so."""
    key = slot_path(COUNT)
    forged = Slot(COUNT, Checkpoint.open(history.whole["checkpoint"], VERIFIER).root, (entry(COUNT, actor="mallory").encode(),))
    async with open_ledger(log) as ledger:
        await log.put(key, forged.sign(THIEF))
        with pytest.raises(LedgerForked, match="is not of this log's writers"):
            await ledger.append([entry(COUNT + 1)])
        assert ledger.wrong
        with pytest.raises(LedgerForked):
            await ledger.append([entry(COUNT + 2)])
    assert key in await found(log, history)
    with pytest.raises(LedgerForked):
        await Reader.load(log, VERIFIER)


async def test_a_slot_put_beside_the_log(log: S3Store, history: History) -> None:
    await log.put(slot_path(COUNT + 5), b"anything")
    assert "a slot was deleted or added" in await found(log, history)


async def test_entries_rewritten_everywhere_but_in_slots(log: S3Store, history: History) -> None:
    """Consistent bundles and tiles, without the key: the old checkpoint has another root."""
    async with Ledger.opened(log.below("fake"), THIEF, pace=SELDOM) as ledger:
        await ledger.append([entry(number, actor="mallory") for number in range(COUNT)])
    for key, body in (await objects(log.below("fake"))).items():
        await log.delete(f"fake/{key}")
        if key.startswith("tile/"):
            await log.put(key, body)
    assert "was altered" in await found(log, history)
    with pytest.raises(LedgerForked, match="do not have the root"):
        await Reader.load(log, VERIFIER)


async def test_an_index_that_says_an_entry_is_there(store: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """To hide an entry before it is written: the index is not believed."""
    monkeypatch.setattr(index, "RUN", 256)
    async with open_ledger(store) as ledger:
        await ledger.append(entries(range(300)))
    path = index.part_path(0, 0, 0)
    lie = index.encode([(index.key_of(entry(1000).id), 7)])
    await change(store, path, lambda data: index.encode([*_records(data), *_records(lie)][1:]))
    report = await verify(store, VERIFIER)
    assert report.wrong
    assert path in report.wrong
    async with open_ledger(store) as ledger:
        with pytest.raises(LedgerForked, match="index/ was altered: entry 7 is not uid-1000/1/Applied"):
            await ledger.append([entry(1000)])


def _records(data: bytes) -> list[tuple[bytes, int]]:
    return [
        (data[at : at + index.KEY], int.from_bytes(data[at + index.KEY : at + index.RECORD], "big"))
        for at in range(0, len(data), index.RECORD)
    ]


@pytest.mark.parametrize("key", ["tile/0/002.p/188", "tile/1/000.p/2", "tile/entries/002.p/188"])
async def test_a_writer_does_not_go_on_from_altered_tiles(log: S3Store, key: str) -> None:
    await change(log, key, flip)
    with pytest.raises(LedgerForked, match=r"do not have the root|was altered|is not what the checkpoint"):
        async with open_ledger(log):
            pass


async def test_a_tile_laid_before_the_writer(log: S3Store) -> None:
    """What is derived is never put over other bytes, nor taken for ours."""
    await log.put("tile/entries/002", b"laid before")
    async with open_ledger(log) as ledger:
        await ledger.append(entries(range(COUNT, COUNT + 100)))
        with pytest.raises(LedgerForked, match="tile/entries/002 is not what follows from the entries"):
            await ledger.checkpoint()
