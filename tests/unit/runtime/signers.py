"""Keys and signatures for the tests of both ends."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from slipway_runtime.fetch import bundle

Key = ec.EllipticCurvePrivateKey


def new_key(curve: ec.EllipticCurve | None = None) -> Key:
    return ec.generate_private_key(curve or ec.SECP256R1())


def public_pem(key: Key) -> str:
    """As `openssl ec -pubout` writes it."""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def private_pem(key: Key) -> bytes:
    """As `openssl ecparam -genkey` writes it."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())


def write_pair(key: Key, folder: Path) -> tuple[Path, Path]:
    """The key's files: private, public."""
    private, public = folder / "key.pem", folder / "key.pub"
    private.write_bytes(private_pem(key))
    public.write_text(public_pem(key))
    return private, public


def signed(files: Mapping[str, bytes], key: Key) -> bytes:
    """A signature of an artifact with these files."""
    return bundle.sign("churn-3", {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}, key)
