"""Inclusion proofs as files: an entry, its place, the hashes, a signed checkpoint. Whoever has the log's public key checks one offline."""

from __future__ import annotations

import base64
import binascii
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from slipway.ledger import index
from slipway.ledger.checkpoint import Checkpoint
from slipway.ledger.entry import id_of
from slipway.ledger.merkle import check_inclusion, inclusion_ranges, leaf_hash
from slipway.ledger.note import NoteInvalid, Verifier
from slipway.ledger.reader import Reader, Stored
from slipway.ledger.storing import fetch
from slipway.objectstore.errors import Missing
from slipway.objectstore.s3 import S3Store

FORMAT = "slipway.dev/ledger-proof/v1"


class NoProof(Exception):
    """The log has no such entry, or no checkpoint covers it yet."""


class ProofInvalid(ValueError):
    """The file proves nothing."""


@dataclass(frozen=True)
class Proof:
    """That an entry is in the log of a checkpoint."""

    stored: Stored
    hashes: tuple[bytes, ...]
    note: bytes

    def as_json(self) -> dict[str, Any]:
        """The file's content. `entry` is the exact text that was hashed."""
        return {
            "format": FORMAT,
            "index": self.stored.index,
            "entry": self.stored.data.decode(),
            "proof": [base64.b64encode(item).decode() for item in self.hashes],
            "checkpoint": self.note.decode(),
        }

    @classmethod
    def parse(cls, content: Any) -> Proof:
        """From a file's content. Raises ProofInvalid."""
        try:
            if content["format"] != FORMAT:
                raise ProofInvalid(f"not a proof: format {content['format']!r}, not {FORMAT}")
            hashes = tuple(base64.b64decode(item, validate=True) for item in content["proof"])
            return cls(Stored(int(content["index"]), content["entry"].encode()), hashes, content["checkpoint"].encode())
        except (KeyError, TypeError, AttributeError, binascii.Error, ValueError) as error:
            raise error if isinstance(error, ProofInvalid) else ProofInvalid(f"not a proof ({type(error).__name__}: {error})") from error

    def check(self, verifier: Verifier) -> Checkpoint:
        """The checkpoint that the entry is proved by. Raises ProofInvalid."""
        try:
            checkpoint = Checkpoint.open(self.note, verifier)
        except NoteInvalid as error:
            raise ProofInvalid(f"the checkpoint in it is not of the key {verifier.name}: {error}") from error
        if not check_inclusion(leaf_hash(self.stored.data), self.stored.index, checkpoint.size, self.hashes, checkpoint.root):
            raise ProofInvalid(f"the entry is not number {self.stored.index} of the log that the checkpoint commits to")
        return checkpoint


async def prove(store: S3Store, reader: Reader, entry_id: str) -> Proof:
    """The proof of the entry with this id. Raises NoProof, LedgerUnavailable, LedgerForked."""
    number = await find(store, reader, entry_id)
    if number is None:
        waiting = any(id_of(stored.data) == entry_id for stored in reader.tail)
        raise NoProof(
            f"entry {entry_id} is durable, and no checkpoint covers it yet: try again in some minutes"
            if waiting
            else f"no entry {entry_id}"
        )
    assert reader.note is not None
    data = await reader.view.entry(number)
    hashes = await reader.view.proof(inclusion_ranges(number, reader.view.size))
    return Proof(Stored(number, data), tuple(hashes), reader.note)


async def find(store: S3Store, reader: Reader, entry_id: str) -> int | None:
    """The number of the entry with this id, among those that the checkpoint covers: by the index, else by reading."""
    key = index.key_of(entry_id)
    indexed = reader.view.size // index.RUN
    try:
        for level, number in index.runs(indexed):
            part = await fetch(store, index.part_path(level, number, index.part_of(level, key[: index.OWNER])))
            for found, at in index.search(part, key[: index.OWNER]):
                if found == key and at < reader.view.size and id_of(await reader.view.entry(at)) == entry_id:
                    return at
    except Missing:
        indexed = 0
    async with aclosing(reader.entries(indexed * index.RUN, reader.view.size)) as rest:
        async for stored in rest:
            if id_of(stored.data) == entry_id:
                return stored.index
    return None
