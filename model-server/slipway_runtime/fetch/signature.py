"""The signature beside an artifact: found, read, and held against the keys and the files (docs/signing.md)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from slipway_runtime.failure import ArtifactNotFound, SignatureInvalid, SignatureMissing
from slipway_runtime.fetch import bundle
from slipway_runtime.fetch.download import Pause, persist
from slipway_runtime.fetch.settings import FetchSettings
from slipway_runtime.fetch.source import PassingFault, RemoteFile, Source

SUFFIX = ".sig"
LIMIT_BYTES = 16 << 20
"""Enough for 70,000 files."""
ADVICE = "sign these bytes again with kubectl slipway push --sign KEY.pem"
SINGLE = "."
"""What model-signing calls the file when a single one is signed."""


@dataclass(frozen=True)
class SignedFiles:
    """What a signature covers that counts."""

    uri: str
    """Of the signature, fit for messages."""
    files: Mapping[str, str]
    """Path in NFC → SHA-256 in hex."""

    def require(self, fetched: Mapping[str, str]) -> None:
        """Raises SignatureInvalid unless exactly the fetched files (path → SHA-256) are signed."""
        signed = self.files
        if signed.keys() == {SINGLE} and len(fetched) == 1 and "/" not in "".join(fetched):
            signed = dict.fromkeys(fetched, signed[SINGLE])
        if signed == fetched:
            return
        changed = [name for name in fetched.keys() & signed.keys() if fetched[name] != signed[name]]
        found = (
            _some(changed, "other content than was signed"),
            _some(fetched.keys() - signed.keys(), "not signed"),
            _some(signed.keys() - fetched.keys(), "signed, but not there"),
        )
        raise SignatureInvalid(f"{self.uri} is not of these bytes ({'; '.join(filter(None, found))}): {ADVICE}")


def beside(uri: str) -> str:
    """Where the signature of an artifact is. Raises SignatureMissing where there is no place beside it."""
    if uri.startswith("s3://"):  # its keys may hold ? and #
        path, rest = uri, ""
    else:
        path = uri.partition("?")[0].partition("#")[0]
        rest = uri[len(path) :]
    path = path.rstrip("/")
    if not urlsplit(path).path:
        raise SignatureMissing(
            f"{uri} is a whole bucket or claim, so no signature can be beside it: move the artifact into a folder, and push it from there"
        )
    return path + SUFFIX + rest


async def read_signature(source: Source, settings: FetchSettings, pause: Pause = asyncio.sleep) -> SignedFiles:
    """The files that the signature at `settings.uri` covers.

    Raises SignatureMissing, SignatureInvalid, and what a source raises.
    """
    uri = settings.public_uri
    keys = _usable(settings.signed_by)
    try:
        content = await _read(source, uri, pause)
    except ArtifactNotFound as error:
        raise SignatureMissing(
            f"nothing is stored at {uri}, and a policy asks for signed bytes: {ADVICE}, or put an OpenSSF model signature there"
        ) from error
    try:
        return SignedFiles(uri, bundle.verify(content, keys))
    except bundle.BundleError as error:
        broken = len(settings.signed_by) - len(keys)
        note = f", {broken} of which cannot be used: correct require.signedBy" if broken else ""
        raise SignatureInvalid(f"{uri} {error}: {ADVICE}, with a key that the ApprovalPolicy lists{note}") from error


def _usable(pems: Sequence[str]) -> list[EllipticCurvePublicKey]:
    """The keys that can have signed; one that is broken is nobody's, and takes nothing from the others."""
    keys = []
    for pem in pems:
        try:
            key = load_pem_public_key(pem.encode())
        except (ValueError, UnsupportedAlgorithm):
            continue
        if isinstance(key, EllipticCurvePublicKey) and key.curve.name in bundle.HASHES:
            keys.append(key)
    return keys


async def _read(source: Source, uri: str, pause: Pause) -> bytes:
    files = await persist(source.files, lambda: 0, pause)
    if len(files) != 1:
        raise SignatureInvalid(f"{uri} is a folder, not a signature: remove it, and {ADVICE}")
    return await persist(lambda: _content(source, files[0], uri), lambda: 0, pause)


async def _content(source: Source, file: RemoteFile, uri: str) -> bytes:
    content = bytearray()
    async with source.read(file, 0) as body:
        async for chunk in body.chunks:
            content += chunk
            if len(content) > LIMIT_BYTES:
                raise SignatureInvalid(f"{uri} is larger than {LIMIT_BYTES} bytes, so it is no signature: {ADVICE}")
    if body.size is not None and len(content) != body.size:
        raise PassingFault(f"{uri} ended after {len(content)} of {body.size} bytes")
    return bytes(content)


def _some(names: Sequence[str] | set[str], what: str) -> str:
    """`'a', 'b' and 3 more: what`; empty when there are none."""
    if not names:
        return ""
    first = sorted(names)[:2]
    more = f" and {len(names) - len(first)} more" if len(names) > len(first) else ""
    return f"{what}: {', '.join(ascii(name[-80:]) for name in first)}{more}"
