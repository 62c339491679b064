"""`push --sign`: the bytes under an OpenSSF model signature by the user's key (docs/signing.md)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from slipway.cli.artifact.files import Artifact
from slipway.cli.errors import CliError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

PASSPHRASE = "SLIPWAY_SIGN_PASSPHRASE"
MAKE = "make one with openssl ecparam -name prime256v1 -genkey -noout -out key.pem"


def sign(key: Path, name: str, artifact: Artifact | None) -> bytes:
    """The signature of an artifact, called `name` in it. Raises CliError where there is nothing to sign, or no key to sign with."""
    from slipway_runtime.fetch import bundle

    if artifact is None:
        raise CliError("--sign signs files, and no PATH is given: a container's image is signed in its registry, with other tools")
    return bundle.sign(name, {file.name: file.sha256 for file in artifact.files}, load_key(key))


def load_key(path: Path) -> EllipticCurvePrivateKey:
    """The private key in a PEM file, decrypted with $SLIPWAY_SIGN_PASSPHRASE if need be. Raises CliError."""
    from cryptography.hazmat.primitives.asymmetric import ec

    from slipway_runtime.fetch.bundle import HASHES

    key = _parsed(path)
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name in HASHES:
        return key
    kind = key.curve.name if isinstance(key, ec.EllipticCurvePrivateKey) else type(key).__name__.removesuffix("PrivateKey")
    raise CliError(f"--sign {path} is a key of kind {kind}; signatures take the curves P-256, P-384 and P-521: {MAKE}")


def _parsed(path: Path) -> object:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        pem = path.read_bytes()
    except OSError as error:
        raise CliError(f"cannot read the key --sign {path}: {error.strerror}") from error
    passphrase = os.environ.get(PASSPHRASE)
    encrypted = b"ENCRYPTED" in pem
    if encrypted and not passphrase:
        raise CliError(f"the key --sign {path} is encrypted: put its passphrase into the environment variable {PASSPHRASE}")
    if b"PRIVATE KEY" not in pem and b"PUBLIC KEY" in pem:
        raise CliError(f"--sign {path} is a public key, which belongs into the ApprovalPolicy: give the private key")
    try:
        return load_pem_private_key(pem, passphrase.encode() if passphrase and encrypted else None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        if encrypted:
            raise CliError(f"the key --sign {path} cannot be decrypted with the passphrase in {PASSPHRASE}: correct it") from error
        raise CliError(f"--sign {path} holds no private key in PEM: {MAKE}") from error
