"""A fetch that must find a signature: over https, on a claim and in S3, and each way in which one proves nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from slipway_runtime.failure import ArtifactAccessDenied, FetchFailed, SignatureInvalid, SignatureMissing
from slipway_runtime.fetch import signature
from slipway_runtime.fetch.command import fetch
from slipway_runtime.fetch.settings import FetchSettings
from slipway_runtime.fetch.signature import SignedFiles, beside
from tests.s3 import Server
from tests.unit.runtime.fetching import CONTENT, Pauses, Reply, digest_of, files_of, http, http_server
from tests.unit.runtime.signers import new_key, public_pem, signed
from tests.unit.runtime.test_fetch_command import ended, environment, message, spawn
from tests.wait import free_port

FILES = {"model.joblib": CONTENT, "vocab/words.txt": b"one"}
ONE = {"model.joblib": CONTENT}
KEY = new_key()
KEYS = (public_pem(new_key()), public_pem(KEY))


@pytest.fixture
def claim(tmp_path: Path) -> Path:
    """A claim's mount, with the artifact at churn/3."""
    for name, content in FILES.items():
        file = tmp_path / "claims/models/churn/3" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return tmp_path / "claims/models"


async def fetch_signed(
    uri: str,
    tmp_path: Path,
    files: Mapping[str, bytes] = FILES,
    keys: tuple[str, ...] = KEYS,
    secret: Mapping[str, str] | None = None,
) -> None:
    """Fetch; a refusal must leave nothing behind."""
    target = tmp_path / "target"
    settings = FetchSettings(uri, digest_of(files), target, secret or {}, claims=tmp_path / "claims", signed_by=keys)
    try:
        await fetch(settings, Pauses())
    except Exception:
        assert files_of(target) == {}
        raise
    assert files_of(target) == files


@pytest.mark.parametrize("uri", ["pvc://models/churn/3", "pvc://models/churn/3/"])
async def test_a_signed_folder(uri: str, claim: Path, tmp_path: Path) -> None:
    (claim / "churn/3.sig").write_bytes(signed(FILES, KEY))
    await fetch_signed(uri, tmp_path)


async def test_without_keys_nobody_looks_for_a_signature(claim: Path, tmp_path: Path) -> None:
    (claim / "churn/3.sig").write_bytes(b"garbage")
    await fetch_signed("pvc://models/churn/3", tmp_path, keys=())


async def test_missing(claim: Path, tmp_path: Path) -> None:
    with pytest.raises(SignatureMissing) as caught:
        await fetch_signed("pvc://models/churn/3/", tmp_path)
    assert str(caught.value) == (
        "nothing is stored at pvc://models/churn/3.sig, and a policy asks for signed bytes: sign these bytes again with "
        "kubectl slipway push --sign KEY.pem, or put an OpenSSF model signature there"
    )


async def test_by_another_key(claim: Path, tmp_path: Path) -> None:
    (claim / "churn/3.sig").write_bytes(signed(FILES, new_key()))
    with pytest.raises(
        SignatureInvalid, match=r"^pvc://models/churn/3.sig is by another key \(\w{12}…\) than those that count \(\w{12}…, \w"
    ):
        await fetch_signed("pvc://models/churn/3", tmp_path)


@pytest.mark.parametrize(
    ("covered", "said"),
    [
        (FILES | {"model.joblib": b"before"}, "other content than was signed: 'model.joblib'"),
        ({"vocab/words.txt": b"one"}, "not signed: 'model.joblib'"),
        (FILES | {"gone": b"", "more": b"", "and more": b""}, "signed, but not there: 'and more', 'gone' and 1 more"),
        ({"vocab/w\x1bords.txt": b"one"}, "not signed: 'model.joblib', 'vocab/words.txt'; signed, but not there: 'vocab/w\\x1bords.txt'"),
        ({".": CONTENT}, "not signed: 'model.joblib', 'vocab/words.txt'; signed, but not there: '.'"),
    ],
)
async def test_of_other_bytes(covered: dict[str, bytes], said: str, claim: Path, tmp_path: Path) -> None:
    (claim / "churn/3.sig").write_bytes(signed(covered, KEY))
    with pytest.raises(SignatureInvalid) as caught:
        await fetch_signed("pvc://models/churn/3", tmp_path)
    assert str(caught.value) == (
        f"pvc://models/churn/3.sig is not of these bytes ({said}): sign these bytes again with kubectl slipway push --sign KEY.pem"
    )


@pytest.mark.parametrize("content", [b"", b"garbage", b"{}", signed(FILES, KEY)[:-1], signed(FILES, KEY)[:100]], ids=range(5))
async def test_garbage_and_truncated(content: bytes, claim: Path, tmp_path: Path) -> None:
    (claim / "churn/3.sig").write_bytes(content)
    with pytest.raises(
        SignatureInvalid, match="is no OpenSSF model signature, or a broken one: sign these bytes again with kubectl slipway"
    ):
        await fetch_signed("pvc://models/churn/3", tmp_path)


async def test_a_folder_where_the_signature_belongs(claim: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (claim / "churn/3.sig").mkdir(exist_ok=True)
        (claim / "churn/3.sig" / name).touch()
    with pytest.raises(SignatureInvalid, match=r"3.sig is a folder, not a signature: remove it"):
        await fetch_signed("pvc://models/churn/3", tmp_path)


async def test_it_is_bounded(claim: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signature, "LIMIT_BYTES", 100)
    (claim / "churn/3.sig").write_bytes(signed(FILES, KEY))
    with pytest.raises(SignatureInvalid, match="is larger than 100 bytes, so it is no signature"):
        await fetch_signed("pvc://models/churn/3", tmp_path)


async def test_keys_that_cannot_be_used_count_for_nothing(claim: Path, tmp_path: Path) -> None:
    encoding = (Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    broken = (
        "-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----\n",
        rsa.generate_private_key(65537, 2048).public_key().public_bytes(*encoding).decode(),
        public_pem(new_key(ec.SECP256K1())),
    )
    (claim / "churn/3.sig").write_bytes(signed(FILES, KEY))
    await fetch_signed("pvc://models/churn/3", tmp_path, keys=(*broken, *KEYS))
    with pytest.raises(SignatureInvalid, match=r"those that count \(none\).*, 3 of which cannot be used: correct require.signedBy"):
        await fetch_signed("pvc://models/churn/3", tmp_path, keys=broken)


async def test_a_whole_claim_has_no_place_for_it(claim: Path, tmp_path: Path) -> None:
    with pytest.raises(
        SignatureMissing, match="is a whole bucket or claim, so no signature can be beside it: move the artifact into a folder"
    ):
        await fetch_signed("pvc://models/", tmp_path)


@pytest.mark.parametrize(
    ("uri", "wanted"),
    [
        ("s3://models/growth/churn/3/", "s3://models/growth/churn/3.sig"),
        ("s3://models/what?#/", "s3://models/what?#.sig"),
        ("https://host/a%20b.joblib", "https://host/a%20b.joblib.sig"),
        ("https://host/model.joblib?token=1/2", "https://host/model.joblib.sig?token=1/2"),
        ("pvc://claim/churn//", "pvc://claim/churn.sig"),
    ],
)
def test_where_it_is(uri: str, wanted: str) -> None:
    assert beside(uri) == wanted


def test_a_single_file_may_be_signed_without_its_name() -> None:
    SignedFiles("uri", {".": "00"}).require({"model.joblib": "00"})
    for fetched in ({"model.joblib": "11"}, {"folder/model.joblib": "00"}, {"a": "00", "b": "00"}):
        with pytest.raises(SignatureInvalid):
            SignedFiles("uri", {".": "00"}).require(fetched)


def serving(bundle: bytes | None, seen: list[str], token: str | None = None) -> Reply:
    """Answers the model, and the signature when there is one; with a token, only to those who bring it."""

    async def reply(line: str, headers: dict[str, str], writer: asyncio.StreamWriter) -> None:
        seen.append(line.split()[1])
        if token and headers.get("authorization") != f"Bearer {token}":
            writer.write(http("403 Forbidden"))
        elif ".sig" not in seen[-1]:
            writer.write(http("200 OK", CONTENT))
        else:
            writer.write(http("404 Not Found") if bundle is None else http("200 OK", bundle))

    return reply


async def test_over_https_with_the_same_credentials(tmp_path: Path) -> None:
    seen: list[str] = []
    async with http_server(serving(signed(ONE, KEY), seen, token="t0ken")) as port:
        uri = f"http://127.0.0.1:{port}/model.joblib?x=1"
        await fetch_signed(uri, tmp_path, ONE, secret={"token": "t0ken"})
        assert seen == ["/model.joblib.sig?x=1", "/model.joblib?x=1"]
        with pytest.raises(ArtifactAccessDenied, match=r"model.joblib.sig answered 403: name a Secret"):
            await fetch_signed(uri, tmp_path, ONE)


async def test_a_missing_one_costs_no_download(tmp_path: Path) -> None:
    seen: list[str] = []
    async with http_server(serving(None, seen)) as port:
        with pytest.raises(SignatureMissing, match=rf"nothing is stored at http://127.0.0.1:{port}/model.joblib.sig, and a policy asks"):
            await fetch_signed(f"http://127.0.0.1:{port}/model.joblib", tmp_path, ONE)
    assert seen == ["/model.joblib.sig"]


async def test_a_broken_connection_is_tried_again(tmp_path: Path) -> None:
    bundle = signed(ONE, KEY)
    left = [http("200 OK", bundle, cut=50), http("503 Busy"), http("200 OK", bundle), http("200 OK", CONTENT)]

    async def reply(line: str, headers: dict[str, str], writer: asyncio.StreamWriter) -> None:
        writer.write(left.pop(0))

    async with http_server(reply) as port:
        await fetch_signed(f"http://127.0.0.1:{port}/model.joblib", tmp_path, ONE)
    assert left == []


async def test_in_s3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(tmp_path / "store", free_port())
    server.folder.mkdir()
    folder = server.folder / server.bucket("models") / "growth/churn"
    for name, content in FILES.items():
        (folder / "3" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "3" / name).write_bytes(content)
    for key, value in server.secret.items():
        monkeypatch.setenv(key, value)
    server.start()
    try:
        with pytest.raises(SignatureMissing, match=r"nothing is stored at s3://models/growth/churn/3.sig, and a policy asks"):
            await fetch_signed("s3://models/growth/churn/3/", tmp_path)
        (folder / "3.sig").write_bytes(signed(FILES, KEY))
        await fetch_signed("s3://models/growth/churn/3/", tmp_path)
    finally:
        server.stop()


async def test_the_termination_message(tmp_path: Path) -> None:
    variables = {"SLIPWAY_SIGNED_BY": json.dumps(KEYS)}
    async with http_server(serving(signed(ONE, new_key()), [])) as port:
        uri = f"http://127.0.0.1:{port}/model.joblib?sig=hush"
        code, _, _ = await ended(spawn(environment(uri, tmp_path, digest_of(ONE)) | variables))
    assert code == 1
    assert message(tmp_path)["reason"] == "SignatureInvalid"
    assert f"127.0.0.1:{port}/model.joblib.sig is by another key" in message(tmp_path)["message"]
    assert "hush" not in message(tmp_path)["message"]
    assert files_of(tmp_path / "model") == {}


@pytest.mark.parametrize("text", ["{}", "[1]", "nonsense", '"key"'])
def test_malformed_keys_never_mean_no_keys(text: str, tmp_path: Path) -> None:
    variables = environment("s3://bucket/key", tmp_path) | {"SLIPWAY_SIGNED_BY": text}
    with pytest.raises(FetchFailed, match="SLIPWAY_SIGNED_BY is not a JSON list of public keys"):
        FetchSettings.load(variables, tmp_path)


@pytest.mark.parametrize("text", [None, "", "[]"])
def test_no_keys_no_check(text: str | None, tmp_path: Path) -> None:
    variables = environment("s3://bucket/key", tmp_path) | ({} if text is None else {"SLIPWAY_SIGNED_BY": text})
    assert FetchSettings.load(variables, tmp_path).signed_by == ()
