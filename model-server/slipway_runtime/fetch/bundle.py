"""The bundle of an OpenSSF model signature (https://github.com/sigstore/model-transparency), by an elliptic-curve key.

A Sigstore bundle (JSON) around a DSSE envelope around an in-toto statement that lists every file with its SHA-256. The package
`model-signing` reads what `sign` writes, and writes what `verify` reads: a test holds them together. It is not used itself
since it brings all of sigstore's network client along (docs/adr/0018).
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://model_signing/signature/v1.0"
HASHES: Mapping[str, hashes.HashAlgorithm] = {
    "secp256r1": hashes.SHA256(),
    "secp384r1": hashes.SHA384(),
    "secp521r1": hashes.SHA512(),
}
"""The curves that the format knows, each with the hash that belongs to it."""
MALFORMED = (ValueError, KeyError, TypeError, AttributeError, RecursionError)


class BundleError(Exception):
    """Why a bundle proves nothing, as the end of a sentence that begins with its address."""


@dataclass(frozen=True)
class _Envelope:
    payload: bytes
    signature: bytes
    key_id: str
    """What the bundle says of its key; nobody vouches for it."""


def sign(name: str, files: Mapping[str, str], key: EllipticCurvePrivateKey) -> bytes:
    """A bundle over the files of the model `name` (path → SHA-256 in hex)."""
    payload = json.dumps(_statement(name, files)).encode()
    signature = key.sign(_signed_bytes(payload), ECDSA(HASHES[key.curve.name]))
    bundle = {
        "mediaType": MEDIA_TYPE,
        "verificationMaterial": {"publicKey": {"hint": key_id(key.public_key())}, "tlogEntries": []},
        "dsseEnvelope": {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [{"sig": base64.b64encode(signature).decode(), "keyid": ""}],
        },
    }
    return json.dumps(bundle, separators=(",", ":")).encode()


def verify(content: bytes, keys: Sequence[EllipticCurvePublicKey]) -> dict[str, str]:
    """The files that one of the keys signed, path in NFC → SHA-256 in hex; a signed single file is called `.`.

    Raises BundleError: no bundle, by none of the keys, or of a kind that is not supported.
    """
    try:
        envelope = _envelope(json.loads(content))
    except MALFORMED as error:
        raise BundleError("is no OpenSSF model signature, or a broken one") from error
    if not any(_is_by(key, envelope) for key in keys):
        raise BundleError(_stranger(envelope.key_id, [key_id(key) for key in keys]))
    try:
        return _files(json.loads(envelope.payload))
    except MALFORMED as error:
        raise BundleError("signs something else than a model") from error


def key_id(key: EllipticCurvePublicKey) -> str:
    """The SHA-256 of the public key's PEM, in hex: how bundles name their key."""
    return hashlib.sha256(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def _statement(name: str, files: Mapping[str, str]) -> dict[str, Any]:
    resources = [{"name": path, "algorithm": "sha256", "digest": files[path]} for path in sorted(files)]
    return {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": name, "digest": {"sha256": _root(resources)}}],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "serialization": {"method": "files", "hash_type": "sha256", "allow_symlinks": False},
            "resources": resources,
        },
    }


def _root(resources: Sequence[Mapping[str, str]]) -> str:
    return hashlib.sha256(b"".join(bytes.fromhex(resource["digest"]) for resource in resources)).hexdigest()


def _signed_bytes(payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding."""
    return b"DSSEv1 %d %s %d %s" % (len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode(), len(payload), payload)


def _envelope(bundle: Any) -> _Envelope:
    material, envelope = bundle["verificationMaterial"], bundle["dsseEnvelope"]
    (signature,) = envelope["signatures"]
    if bundle["mediaType"] != MEDIA_TYPE or envelope["payloadType"] != PAYLOAD_TYPE:
        raise ValueError("another format")
    if "publicKey" not in material:
        raise BundleError("is signed with a certificate or an identity, not with a key")
    return _Envelope(
        base64.b64decode(envelope["payload"], validate=True),
        base64.b64decode(signature["sig"], validate=True),
        str(material["publicKey"].get("hint", "")),
    )


def _is_by(key: EllipticCurvePublicKey, envelope: _Envelope) -> bool:
    try:
        key.verify(envelope.signature, _signed_bytes(envelope.payload), ECDSA(HASHES[key.curve.name]))
    except InvalidSignature:
        return False
    return True


def _stranger(named: str, known: Sequence[str]) -> str:
    if named in known:
        return "names a key that counts, but was altered since it signed"
    other = f" ({named[:12]}…)" if re.fullmatch(r"[0-9a-f]{64}", named) else ""
    return f"is by another key{other} than those that count ({', '.join(f'{key[:12]}…' for key in known) or 'none'})"


def _files(statement: Any) -> dict[str, str]:
    predicate, (subject,) = statement["predicate"], statement["subject"]
    if (statement["_type"], statement["predicateType"]) != (STATEMENT_TYPE, PREDICATE_TYPE):
        raise ValueError("another statement")
    serialization, resources = predicate["serialization"], predicate["resources"]
    if (serialization["method"], serialization["hash_type"]) != ("files", "sha256"):
        raise BundleError("lists shards or other hashes, not each file with its SHA-256")
    files = {unicodedata.normalize("NFC", resource["name"]): resource["digest"].lower() for resource in resources}
    if len(files) != len(resources) or any(resource["algorithm"] != "sha256" for resource in resources):
        raise ValueError("a file twice, or another hash")
    if _root(resources) != subject["digest"]["sha256"]:
        raise ValueError("an inconsistent manifest")
    return files
