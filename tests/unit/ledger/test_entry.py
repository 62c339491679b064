"""Entries: canonical bytes, what comes back, what is too large; and slots."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import orjson
import pytest

from slipway.ledger.entry import LARGEST, Entry, ObjectReference, entry_id, id_of
from slipway.ledger.note import NoteInvalid, Signer
from slipway.ledger.reader import Stored
from slipway.ledger.slots import MOST_BYTES, MOST_ENTRIES, Slot, fitting, slot_path

ABOUT = ObjectReference("slipway.dev/v1alpha1", "ModelDeployment", "growth", "churn", "6c1f", 3)
ENTRY = Entry(
    id=entry_id("6c1f", 3, "Approved", "risk"),
    time=datetime(2026, 11, 22, 8, 0, 0, 5, tzinfo=UTC),
    transition="Approved",
    object=ABOUT,
    actors=("alice@example.com",),
    approvers=("bob@example.com", "größe"),
    reason="ApprovedByRole",
    message="risk agreed\nin two lines\t\x00",
    details={"revision": "v1:abc", "nested": {"b": 1, "a": None}},
)
SIGNER = Signer("slipway.example/ledger", bytes(range(32)))


def test_the_bytes_are_canonical() -> None:
    assert entry_id("6c1f", 3, "Approved") == "6c1f/3/Approved"
    assert (
        ENTRY.encode()
        == (
            '{"actors":["alice@example.com"],"approvers":["bob@example.com","größe"],'
            '"details":{"nested":{"a":null,"b":1},"revision":"v1:abc"},"id":"6c1f/3/Approved:risk",'
            '"message":"risk agreed\\nin two lines\\t\\u0000","object":{"apiVersion":"slipway.dev/v1alpha1","generation":3,'
            '"kind":"ModelDeployment","name":"churn","namespace":"growth","uid":"6c1f"},"reason":"ApprovedByRole",'
            '"time":"2026-11-22T08:00:00.000005Z","transition":"Approved","v":1}'
        ).encode()
    )


def test_entries_come_back() -> None:
    assert Entry.decode(ENTRY.encode()) == ENTRY
    assert id_of(ENTRY.encode()) == ENTRY.id
    elsewhere = replace(ENTRY, time=ENTRY.time.astimezone(timezone(timedelta(hours=5))))
    assert elsewhere.encode() == ENTRY.encode()


def test_what_a_newer_writer_adds_is_kept() -> None:
    newer = orjson.loads(ENTRY.encode()) | {"commit": "abc", "v": 2}
    read = Entry.decode(orjson.dumps(newer))
    assert read.extra == {"commit": "abc"}
    assert orjson.loads(read.encode())["commit"] == "abc"


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"id":"x"}', b'{"id":"x","time":"never","transition":"T","object":{}}', b"null"])
def test_what_is_no_entry(data: bytes) -> None:
    with pytest.raises(ValueError, match="not an entry"):
        Entry.decode(data)


@pytest.mark.parametrize(
    "odd",
    [
        {"details": [1]},
        {"details": 5},
        {"actors": "alice"},
        {"actors": None},
        {"approvers": {"a": 1}},
        {"time": "9999-12-31T23:59:59-12:00"},
    ],
)
def test_what_an_odd_writer_put_in_is_no_entry(odd: dict[str, object]) -> None:
    """It is left out of lists, and does not break them."""
    with pytest.raises(ValueError, match="not an entry"):
        Entry.decode(orjson.dumps(orjson.loads(ENTRY.encode()) | odd))


def test_times_are_read_as_utc() -> None:
    for text in ("2026-11-22T08:00:00", "2026-11-22T13:00:00+05:00"):
        read = Entry.decode(orjson.dumps(orjson.loads(ENTRY.encode()) | {"time": text}))
        assert read.time.isoformat() == "2026-11-22T08:00:00+00:00"


def test_an_entry_does_not_say_which_number_it_has() -> None:
    shown = Stored(7, orjson.dumps(orjson.loads(ENTRY.encode()) | {"index": 3})).as_json()
    assert next(iter(shown.items())) == ("index", 7)


def test_large_details_are_replaced_by_their_hash() -> None:
    large = replace(ENTRY, message="m" * 20_000, details={"rows": "x" * LARGEST})
    data = large.encode()
    assert len(data) <= LARGEST
    read = Entry.decode(data)
    assert read.details["omitted"]["bytes"] == LARGEST + len('{"rows":""}')
    assert (read.id, read.actors, len(read.message)) == (ENTRY.id, ENTRY.actors, 8192)


def test_an_entry_that_cannot_be_made_to_fit() -> None:
    with pytest.raises(ValueError, match="65535"):
        replace(ENTRY, actors=("a" * LARGEST,)).encode()


def test_slots_come_back() -> None:
    slot = Slot(1_234_067, bytes(range(32)), (ENTRY.encode(), b"{}"))
    note = slot.sign(SIGNER)
    assert note.startswith(b'slipway.dev/ledger-slot/v1 slipway.example/ledger\n{"first":1234067,"root":"AAEC')
    assert Slot.open(note, SIGNER.verifier) == slot
    assert slot_path(1_234_067) == "slot/000/001/234/067"


def test_slots_of_others_are_refused() -> None:
    slot = Slot(0, bytes(32), (b"{}",))
    with pytest.raises(NoteInvalid):
        Slot.open(slot.sign(Signer("slipway.example/ledger", bytes(32))), SIGNER.verifier)
    with pytest.raises(NoteInvalid, match="no slot"):
        Slot.open(SIGNER.sign("slipway.example/ledger\n1\nAAA=\n"), SIGNER.verifier)
    with pytest.raises(NoteInvalid, match="no slot"):
        Slot.open(SIGNER.sign("slipway.dev/ledger-slot/v1 slipway.example/ledger\n{}\n{}\n"), SIGNER.verifier)


def test_how_much_fits_into_a_slot() -> None:
    assert fitting([b"x"] * 300) == MOST_ENTRIES
    assert fitting([b"x"] * 3) == 3
    assert fitting([b"x" * LARGEST] * 20) == MOST_BYTES // (LARGEST + 1)
    assert fitting([b"x" * (MOST_BYTES + 1), b"x"]) == 1
    assert fitting([]) == 0
