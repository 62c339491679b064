"""Slots: the durable act. Pure.

`slot/AAA/BBB/CCC/DDD` holds the entries that begin at the index AAABBBCCCDDD, put with `If-None-Match: *`. It is a signed note: a line that
says what it is, a line `{"first": …, "root": …}` with the root of the tree before it, and the entries, one a line. So the next slot's name
follows from this one, two writers cannot both have one, each slot commits to everything before it, and nobody without the key can put one
that is believed.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from slipway.ledger.note import NoteInvalid, Signer, Verifier

KIND = "slipway.dev/ledger-slot/v1"
MOST_ENTRIES = 256
MOST_BYTES = 900_000
"""Common tools open notes of at most 1,000,000 bytes."""


@dataclass(frozen=True)
class Slot:
    """Entries that became durable together."""

    first: int
    """The index of the first one."""
    root: bytes
    """The root of the tree of the `first` entries before."""
    entries: tuple[bytes, ...]

    def sign(self, signer: Signer) -> bytes:
        """The note that is stored."""
        head = orjson.dumps({"first": self.first, "root": base64.b64encode(self.root).decode()})
        lines = [f"{KIND} {signer.verifier.name}", head.decode(), *(entry.decode() for entry in self.entries)]
        return signer.sign("\n".join(lines) + "\n")

    @classmethod
    def open(cls, note: bytes, verifier: Verifier) -> Slot:
        """The slot in a note that `verifier` vouches for. Raises NoteInvalid."""
        kind, head, *entries = verifier.open(note).removesuffix("\n").split("\n")
        try:
            if kind != f"{KIND} {verifier.name}" or not entries:
                raise NoteInvalid("a note that is no slot of this log")
            about = orjson.loads(head)
            return cls(int(about["first"]), base64.b64decode(about["root"], validate=True), tuple(entry.encode() for entry in entries))
        except (binascii.Error, ValueError, KeyError, TypeError) as error:
            raise NoteInvalid(f"a note that is no slot ({error})") from error


def slot_path(first: int) -> str:
    """`slot_path(1234067)` → `slot/000/001/234/067`: names in the order of the log."""
    digits = f"{first:012}"
    return "slot/" + "/".join(digits[at : at + 3] for at in range(0, 12, 3))


def fitting(entries: Sequence[bytes]) -> int:
    """How many of these entries, from the first on, go into one slot; at least one."""
    total = 0
    for count, entry in enumerate(entries[:MOST_ENTRIES]):
        total += len(entry) + 1
        if total > MOST_BYTES and count:
            return count
    return min(len(entries), MOST_ENTRIES)
