"""Checkpoints: a tree's size and root, signed; the body is that of C2SP tlog-checkpoint."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

from slipway.ledger.merkle import HASH_SIZE
from slipway.ledger.note import NoteInvalid, Signer, Verifier


@dataclass(frozen=True)
class Checkpoint:
    """What a log commits itself to: `size` entries whose tree has this root."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The signed body: origin, size, root."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    def sign(self, signer: Signer) -> bytes:
        """The signed note."""
        return signer.sign(self.text)

    @classmethod
    def open(cls, note: bytes, verifier: Verifier) -> Checkpoint:
        """The checkpoint in a note that `verifier` vouches for; the key's name is the log's origin. Raises NoteInvalid."""
        lines = verifier.open(note).split("\n")
        try:
            origin, size, root = lines[0], lines[1], base64.b64decode(lines[2], validate=True)
        except (IndexError, binascii.Error, ValueError) as error:
            raise NoteInvalid("a note that is no checkpoint") from error
        if not (size.isascii() and size.isdigit() and str(int(size)) == size) or len(root) != HASH_SIZE:
            raise NoteInvalid("a note that is no checkpoint")
        if origin != verifier.name:
            raise NoteInvalid(f"a checkpoint of another log: {origin}, not {verifier.name}")
        return cls(origin, int(size), root)
