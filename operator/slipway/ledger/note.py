"""C2SP signed notes with Ed25519: text that a key vouches for, readable by people and by other people's tools."""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ED25519 = b"\x01"
DASH = "— "


class NoteInvalid(ValueError):
    """Not a note, or not signed by this key."""


@dataclass(frozen=True)
class Verifier:
    """A public key and its name."""

    name: str
    public: bytes
    """32 bytes."""

    @classmethod
    def parse(cls, vkey: str) -> Verifier:
        """From `NAME+HASH+BASE64`. Raises NoteInvalid."""
        name, _, rest = vkey.strip().partition("+")
        hash_text, _, key_text = rest.partition("+")
        try:
            key = base64.b64decode(key_text, validate=True)
        except (binascii.Error, ValueError) as error:
            raise NoteInvalid(f"{vkey!r} is no verifier key (NAME+HASH+KEY)") from error
        if not _is_name(name) or key[:1] != ED25519 or len(key) != 33:
            raise NoteInvalid(f"{vkey!r} is no Ed25519 verifier key (NAME+HASH+KEY)")
        found = cls(name, key[1:])
        if found.key_id.hex() != hash_text:
            raise NoteInvalid(f"{vkey!r}: the hash in it does not fit the key")
        return found

    @property
    def key_id(self) -> bytes:
        """The first four bytes of SHA-256 over name, newline, and typed key."""
        return hashlib.sha256(self.name.encode() + b"\n" + ED25519 + self.public).digest()[:4]

    @property
    def vkey(self) -> str:
        """`NAME+HASH+BASE64`, to give to others."""
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(ED25519 + self.public).decode()}"

    def open(self, note: bytes) -> str:
        """The text that the note's signature by this key covers. Raises NoteInvalid when there is none."""
        text, signatures = _split(note)
        for line in signatures:
            name, _, encoded = line.partition(" ")
            signature = _decode(encoded)
            if name == self.name and signature[:4] == self.key_id:
                try:
                    Ed25519PublicKey.from_public_bytes(self.public).verify(signature[4:], text.encode())
                except InvalidSignature as error:
                    raise NoteInvalid(f"the signature by {self.name} is forged, or the text was changed") from error
                return text
        raise NoteInvalid(f"no signature by {self.name} ({self.key_id.hex()})")


class Signer:
    """A private key and its name."""

    def __init__(self, name: str, seed: bytes) -> None:
        """`seed`: the 32 bytes of an Ed25519 private key."""
        if not _is_name(name):
            raise ValueError(f"{name!r} cannot name a key: it must not be empty, nor have spaces or '+'")
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.verifier = Verifier(name, self._key.public_key().public_bytes_raw())

    @classmethod
    def parse(cls, name: str, text: str) -> Signer:
        """From the base64 of a 32-byte seed. Raises NoteInvalid; the error does not show the text."""
        try:
            seed = base64.b64decode(text.strip(), validate=True)
        except (binascii.Error, ValueError) as error:
            raise NoteInvalid("the signing key must be the base64 of 32 bytes") from error
        if len(seed) != 32:
            raise NoteInvalid(f"the signing key must be the base64 of 32 bytes, not of {len(seed)}")
        return cls(name, seed)

    def sign(self, text: str) -> bytes:
        """The note: the text (which ends with a newline), and this key's signature."""
        if not text.endswith("\n"):
            raise ValueError("a note's text ends with a newline")
        signature = base64.b64encode(self.verifier.key_id + self._key.sign(text.encode())).decode()
        return f"{text}\n{DASH}{self.verifier.name} {signature}\n".encode()


def _split(note: bytes) -> tuple[str, list[str]]:
    """The text, and what stands after the dash of each signature line."""
    try:
        whole = note.decode()
    except UnicodeDecodeError as error:
        raise NoteInvalid("not a signed note: not UTF-8") from error
    text, separator, rest = whole.rpartition("\n\n")
    lines = rest.split("\n")
    if not separator or lines.pop() or not lines or not all(line.startswith(DASH) for line in lines):
        raise NoteInvalid("not a signed note")
    return text + "\n", [line.removeprefix(DASH) for line in lines]


def _decode(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise NoteInvalid("not a signed note: a signature that is no base64") from error


def _is_name(name: str) -> bool:
    return bool(name) and "+" not in name and not any(character.isspace() for character in name)
