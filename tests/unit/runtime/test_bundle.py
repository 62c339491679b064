"""The bundles against the package `model-signing`: each reads what the other writes, and refuses what the other refuses."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from model_signing import hashing, signing, verifying

from slipway_runtime.fetch import bundle
from slipway_runtime.fetch.digest import TreeDigest, artifact_files, hash_file
from tests.unit.runtime.signers import Key, new_key, signed, write_pair

CURVES = [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()]
FILES = {"model.joblib": b"a model", "vocab/größe.txt": b"klein", "vocab/a b": b"", "vocab.txt": b"beside a folder of that name"}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    for name, content in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def tree(model: Path) -> dict[str, str]:
    """What a fetch of this folder would have written."""
    digest = TreeDigest()
    for name, file in artifact_files(model):
        digest.add(name, *hash_file(file))
    return digest.files


def sign_theirs(model: Path, key: Key, tmp_path: Path, hashes: hashing.Config | None = None) -> bytes:
    private, _ = write_pair(key, tmp_path)
    config = signing.Config().use_elliptic_key_signer(private_key=private)
    config.set_hashing_config(hashes or hashing.Config()).sign(model, tmp_path / "model.sig")
    return (tmp_path / "model.sig").read_bytes()


def verify_theirs(model: Path, content: bytes, key: Key, tmp_path: Path) -> None:
    _, public = write_pair(key, tmp_path)
    (tmp_path / "ours.sig").write_bytes(content)
    verifying.Config().use_elliptic_key_verifier(public_key=public).verify(model, tmp_path / "ours.sig")


@pytest.mark.parametrize("curve", CURVES, ids=lambda curve: curve.name)
def test_they_accept_ours(curve: ec.EllipticCurve, model: Path, tmp_path: Path) -> None:
    key = new_key(curve)
    verify_theirs(model, bundle.sign("churn-3", tree(model), key), key, tmp_path)


def test_they_refuse_ours_where_the_bytes_changed(model: Path, tmp_path: Path) -> None:
    key = new_key()
    content = signed(FILES, key)
    verify_theirs(model, content, key, tmp_path)
    (model / "model.joblib").write_bytes(b"another")
    with pytest.raises(ValueError, match=r"Hash mismatch for 'model.joblib'"):
        verify_theirs(model, content, key, tmp_path)


def test_they_refuse_ours_by_another_key(model: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Key mismatch"):
        verify_theirs(model, signed(FILES, new_key()), new_key(), tmp_path)


@pytest.mark.parametrize("curve", CURVES, ids=lambda curve: curve.name)
def test_we_accept_theirs(curve: ec.EllipticCurve, model: Path, tmp_path: Path) -> None:
    key = new_key(curve)
    content = sign_theirs(model, key, tmp_path)
    assert bundle.verify(content, [new_key().public_key(), key.public_key()]) == tree(model)


def test_we_accept_theirs_of_a_single_file(model: Path, tmp_path: Path) -> None:
    key = new_key()
    content = sign_theirs(model / "model.joblib", key, tmp_path)
    assert bundle.verify(content, [key.public_key()]) == {".": tree(model)["model.joblib"]}


@pytest.mark.parametrize(
    "hashes",
    [hashing.Config().use_file_serialization(hashing_algorithm="blake2"), hashing.Config().use_shard_serialization()],
    ids=["blake2", "shards"],
)
def test_theirs_with_other_hashes_is_refused(hashes: hashing.Config, model: Path, tmp_path: Path) -> None:
    key = new_key()
    content = sign_theirs(model, key, tmp_path, hashes)
    with pytest.raises(bundle.BundleError, match="lists shards or other hashes"):
        bundle.verify(content, [key.public_key()])


def altered(change: Callable[[dict[str, Any]], None], content: bytes) -> bytes:
    parsed = json.loads(content)
    change(parsed)
    return json.dumps(parsed).encode()


def resigned(change: Callable[[dict[str, Any]], None], key: Key) -> bytes:
    """A bundle by the key itself, its statement changed before."""
    statement = bundle._statement("churn-3", {"model.joblib": "00" * 32, "other": "11" * 32})
    change(statement)
    payload = json.dumps(statement).encode()
    parsed = json.loads(signed(FILES, key))
    parsed["dsseEnvelope"]["payload"] = base64.b64encode(payload).decode()
    signature = key.sign(bundle._signed_bytes(payload), ec.ECDSA(bundle.HASHES[key.curve.name]))
    parsed["dsseEnvelope"]["signatures"][0]["sig"] = base64.b64encode(signature).decode()
    return json.dumps(parsed).encode()


def test_a_payload_that_was_altered(model: Path) -> None:
    key = new_key()

    def swap(parsed: dict[str, Any]) -> None:
        payload = base64.b64decode(parsed["dsseEnvelope"]["payload"])
        parsed["dsseEnvelope"]["payload"] = base64.b64encode(payload.replace(b"model.joblib", b"model.pickle")).decode()

    with pytest.raises(bundle.BundleError, match="names a key that counts, but was altered since it signed"):
        bundle.verify(altered(swap, signed(FILES, key)), [key.public_key()])


def test_by_another_key_both_are_named() -> None:
    key, other = new_key(), new_key()
    with pytest.raises(bundle.BundleError) as caught:
        bundle.verify(signed(FILES, other), [key.public_key()])
    ours, theirs = (bundle.key_id(known.public_key())[:12] for known in (key, other))
    assert str(caught.value) == f"is by another key ({theirs}…) than those that count ({ours}…)"


def test_with_no_key_at_all_nothing_counts() -> None:
    with pytest.raises(bundle.BundleError, match=r"than those that count \(none\)"):
        bundle.verify(signed(FILES, new_key()), [])


def test_the_claimed_id_of_a_key_proves_nothing_and_reaches_no_message() -> None:
    key = new_key()

    def claim(parsed: dict[str, Any]) -> None:
        parsed["verificationMaterial"]["publicKey"]["hint"] = "\x1b[31m evil"

    with pytest.raises(bundle.BundleError) as caught:
        bundle.verify(altered(claim, signed(FILES, new_key())), [key.public_key()])
    assert "evil" not in str(caught.value)
    assert bundle.verify(altered(claim, signed(FILES, key)), [key.public_key()])


@pytest.mark.parametrize(
    "change",
    [
        lambda parsed: parsed.pop("dsseEnvelope"),
        lambda parsed: parsed["dsseEnvelope"].update(signatures=[]),
        lambda parsed: parsed["dsseEnvelope"].update(signatures=parsed["dsseEnvelope"]["signatures"] * 2),
        lambda parsed: parsed["dsseEnvelope"].update(payload=7),
        lambda parsed: parsed["dsseEnvelope"].update(payload="-"),
        lambda parsed: parsed["dsseEnvelope"].update(payloadType="text/plain"),
        lambda parsed: parsed.update(mediaType="text/plain"),
        lambda parsed: parsed.update(verificationMaterial=None),
    ],
)
def test_another_shape(change: Callable[[dict[str, Any]], None]) -> None:
    key = new_key()
    with pytest.raises(bundle.BundleError, match="is no OpenSSF model signature, or a broken one"):
        bundle.verify(altered(change, signed(FILES, key)), [key.public_key()])


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"mediaType": 1}'])
def test_garbage(content: bytes) -> None:
    with pytest.raises(bundle.BundleError, match="is no OpenSSF model signature, or a broken one"):
        bundle.verify(content, [new_key().public_key()])


def test_every_truncation_is_refused() -> None:
    key = new_key()
    content = signed({"model.joblib": b"a model"}, key)
    for length in range(len(content)):
        with pytest.raises(bundle.BundleError):
            bundle.verify(content[:length], [key.public_key()])


def test_a_certificate_is_no_key() -> None:
    def certify(parsed: dict[str, Any]) -> None:
        parsed["verificationMaterial"] = {"certificate": {"rawBytes": ""}}

    with pytest.raises(bundle.BundleError, match="is signed with a certificate or an identity, not with a key"):
        bundle.verify(altered(certify, signed(FILES, new_key())), [new_key().public_key()])


@pytest.mark.parametrize(
    "change",
    [
        lambda statement: statement.update(predicateType="https://example.com/other"),
        lambda statement: statement.update(_type="other"),
        lambda statement: statement["subject"][0]["digest"].update(sha256="22" * 32),
        lambda statement: statement["predicate"]["resources"].append(statement["predicate"]["resources"][0]),
        lambda statement: statement["predicate"]["resources"][0].update(algorithm="md5"),
        lambda statement: statement["predicate"]["resources"][0].update(digest="zz"),
        lambda statement: statement["predicate"].pop("resources"),
        lambda statement: statement.update(subject=[]),
    ],
)
def test_a_good_key_under_another_statement(change: Callable[[dict[str, Any]], None]) -> None:
    key = new_key()
    assert bundle.verify(resigned(lambda _: None, key), [key.public_key()])
    with pytest.raises(bundle.BundleError, match="signs something else than a model"):
        bundle.verify(resigned(change, key), [key.public_key()])
