"""`push --sign`: which keys it takes, and what it leaves in a real S3 store beside a version, new or there already."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from model_signing import verifying
from typer.testing import CliRunner

from slipway.cli import registering
from slipway.cli.app import app
from slipway.cli.artifact import files, signing
from slipway.cli.artifact.upload import filesystem
from slipway.cli.cluster import Json
from slipway.cli.errors import CliError
from slipway_runtime.fetch import bundle
from tests.s3 import Server
from tests.wait import free_port

PASSPHRASE = "hush"
KEYS: dict[str, tuple[str, ...]] = {
    "key": ("ecparam", "-name", "prime256v1", "-genkey", "-noout"),
    "with-parameters": ("ecparam", "-name", "secp384r1", "-genkey"),
    "pkcs8": ("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"),
    "encrypted": ("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-aes256", "-pass", f"pass:{PASSPHRASE}"),
    "rsa": ("genrsa", "2048"),
    "ed25519": ("genpkey", "-algorithm", "ed25519"),
    "bitcoin": ("ecparam", "-name", "secp256k1", "-genkey", "-noout"),
}
"""As users make them: name → arguments of openssl."""
OPENSSL = "openssl ecparam -name prime256v1 -genkey -noout -out key.pem"


def openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A key's file by its name in KEYS; `public` is the public half of `key`."""
    folder = tmp_path_factory.mktemp("keys")
    for name, arguments in KEYS.items():
        openssl(*arguments[:1], "-out", str(folder / f"{name}.pem"), *arguments[1:])
    openssl("ec", "-in", str(folder / "key.pem"), "-pubout", "-out", str(folder / "public.pem"))
    (folder / "garbage.pem").write_bytes(b"\xff garbage")
    return lambda name: folder / f"{name}.pem"


@pytest.mark.parametrize("name", ["key", "with-parameters", "pkcs8"])
def test_keys_it_takes(name: str, key: Callable[[str], Path]) -> None:
    assert signing.load_key(key(name)).key_size in (256, 384, 521)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("rsa", f"is a key of kind RSA; signatures take the curves P-256, P-384 and P-521: make one with {OPENSSL}"),
        ("ed25519", "is a key of kind Ed25519; signatures take the curves"),
        ("bitcoin", "is a key of kind secp256k1; signatures take the curves"),
        ("public", "is a public key, which belongs into the ApprovalPolicy: give the private key"),
        ("garbage", f"holds no private key in PEM: make one with {OPENSSL}"),
        ("missing", "missing.pem: No such file or directory"),
        ("encrypted", "is encrypted: put its passphrase into the environment variable SLIPWAY_SIGN_PASSPHRASE"),
    ],
)
def test_keys_it_refuses(name: str, said: str, key: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(signing.PASSPHRASE, raising=False)
    with pytest.raises(CliError) as caught:
        signing.load_key(key(name))
    assert said in str(caught.value)
    assert f"--sign {key(name)}" in str(caught.value)


def test_an_encrypted_key(key: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(signing.PASSPHRASE, PASSPHRASE)
    assert signing.load_key(key("encrypted"))
    assert signing.load_key(key("key")), "a passphrase that is not needed harms nothing"
    monkeypatch.setenv(signing.PASSPHRASE, "wrong")
    with pytest.raises(CliError, match="cannot be decrypted with the passphrase in SLIPWAY_SIGN_PASSPHRASE: correct it"):
        signing.load_key(key("encrypted"))


def test_a_container_alone_has_nothing_to_sign(key: Callable[[str], Path]) -> None:
    with pytest.raises(CliError, match="--sign signs files, and no PATH is given"):
        signing.sign(key("key"), "churn-3", None)


@dataclass
class Objects:
    """A cluster in the plugin's eyes: a namespace with objects by their URL."""

    namespace: str = "growth"
    held: dict[str, Json] = field(default_factory=dict)

    def get(self, url: str) -> Json | None:
        return self.held.get(url)

    def list(self, url: str, selector: str = "") -> list[Json]:
        return [held for name, held in self.held.items() if name.startswith(url)]

    def create(self, url: str, body: Json, *, dry_run: bool = False) -> Json:
        if not dry_run:
            self.held[f"{url}/{body['metadata']['name']}"] = body
        return body


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("s3"), free_port())
    running.bucket("models")
    running.start()
    yield running
    running.stop()


@dataclass
class Pushing:
    """Pushes a folder with two files as version 3 of `churn`, under a prefix of its own."""

    folder: Path
    prefix: str
    store: Any

    def push(self, *options: str) -> str:
        """What it said; a refusal fails the test."""
        result = self.try_push(*options)
        if result.exception:
            raise result.exception
        return str(result.stderr)

    def try_push(self, *options: str) -> Any:
        command = ["push", str(self.folder), "--model", "churn", "--version", "3", "--task", "Other", "--to", self.prefix]
        return CliRunner().invoke(app, [*command, *options])

    @property
    def signature(self) -> bytes:
        found: bytes = self.store.cat_file(f"{self.prefix}/growth/churn/3.sig")
        return found

    def stored(self) -> set[str]:
        prefix = self.prefix.removeprefix("s3://")
        return {name.removeprefix(f"{prefix}/") for name in self.store.find(prefix)}


@pytest.fixture
def pushing(server: Server, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pushing:
    folder = tmp_path / "model"
    (folder / "words").mkdir(parents=True)
    (folder / "model.joblib").write_bytes(b"a model")
    (folder / "words/de.txt").write_text("größe")
    for name, value in server.secret.items():
        monkeypatch.setenv(name, value)
    cluster = Objects()
    monkeypatch.setattr(registering, "connect", lambda access: cluster)
    return Pushing(folder, f"s3://models/{request.node.name}", filesystem(server.secret))


BYTES = {"growth/churn/3/model.joblib", "growth/churn/3/words/de.txt"}
SIGNED = BYTES | {"growth/churn/3.sig"}


def test_without_a_key_nothing_changes(pushing: Pushing) -> None:
    assert "Signed" not in pushing.push()
    assert pushing.stored() == BYTES


def test_a_signed_folder_is_what_model_signing_accepts(pushing: Pushing, key: Callable[[str], Path], tmp_path: Path) -> None:
    assert f"Signed: {pushing.prefix}/growth/churn/3.sig" in pushing.push("--sign", str(key("key")))
    assert pushing.stored() == SIGNED
    fetched, signature = tmp_path / "fetched", tmp_path / "fetched.sig"
    pushing.store.get(f"{pushing.prefix}/growth/churn/3/", str(fetched), recursive=True)
    signature.write_bytes(pushing.signature)
    verifying.Config().use_elliptic_key_verifier(public_key=key("public")).verify(fetched, signature)


def by(pushing: Pushing, public: Path) -> bool:
    known: Any = load_pem_public_key(public.read_bytes())
    try:
        covered = bundle.verify(pushing.signature, [known])
    except bundle.BundleError:
        return False
    return covered == {file.name: file.sha256 for file in files.read(pushing.folder).files}


def test_what_is_there_can_be_signed_later_and_by_another_key(pushing: Pushing, key: Callable[[str], Path], tmp_path: Path) -> None:
    pushing.push()
    pushing.push("--sign", str(key("pkcs8")))
    assert pushing.stored() == SIGNED
    assert not by(pushing, key("public"))
    pushing.push("--sign", str(key("key")))
    assert by(pushing, key("public"))


def test_a_dry_run_writes_no_signature(pushing: Pushing, key: Callable[[str], Path]) -> None:
    pushing.push("--sign", str(key("key")), "--dry-run")
    assert pushing.stored() == set()
    pushing.push()
    pushing.push("--sign", str(key("key")), "--dry-run")
    assert pushing.stored() == BYTES


def test_a_bad_key_is_refused_before_anything_is_sent(pushing: Pushing, key: Callable[[str], Path]) -> None:
    assert "is a key of kind RSA" in str(pushing.try_push("--sign", str(key("rsa"))).exception)
    assert pushing.stored() == set()


def test_other_bytes_are_not_signed_under_a_version_that_is_there(pushing: Pushing, key: Callable[[str], Path]) -> None:
    pushing.push()
    (pushing.folder / "model.joblib").write_bytes(b"another")
    assert "versions are immutable" in str(pushing.try_push("--sign", str(key("key"))).exception)
    assert pushing.stored() == BYTES


def test_bytes_elsewhere_are_signed_where_they_are(pushing: Pushing, key: Callable[[str], Path]) -> None:
    pushing.push()
    elsewhere = Pushing(pushing.folder, f"{pushing.prefix}-other", pushing.store)
    said = str(elsewhere.try_push("--sign", str(key("key"))).exception)
    assert f"the bytes of ModelVersion churn-3 are at {pushing.prefix}/growth/churn/3/, not at {elsewhere.prefix}" in said
    assert elsewhere.stored() == set()


def test_a_single_file_is_signed_under_the_name_that_it_is_stored_under(pushing: Pushing, key: Callable[[str], Path]) -> None:
    pushing.folder = pushing.folder / "model.joblib"
    pushing.folder = pushing.folder.rename(pushing.folder.with_name("churn-final.joblib"))
    pushing.push("--sign", str(key("key")))
    assert pushing.stored() == {"growth/churn/3/model.joblib", "growth/churn/3.sig"}
    assert by(pushing, key("public"))


def test_a_store_that_refuses(pushing: Pushing, key: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    pushing.push()
    monkeypatch.setitem(os.environ, "AWS_SECRET_ACCESS_KEY", "wrong")
    assert "3.sig" in str(pushing.try_push("--sign", str(key("key"))).exception)
