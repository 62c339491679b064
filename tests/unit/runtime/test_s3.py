"""Artifacts in a real S3 store (versitygw), also with broken connections between, with TLS, and without credentials."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import s3fs

from slipway_runtime.failure import ArtifactAccessDenied, ArtifactInvalid, ArtifactNotFound, DigestMismatch, FetchFailed
from slipway_runtime.fetch.s3 import S3Source
from slipway_runtime.fetch.settings import FetchSettings, apply_environment
from tests.cluster.tools import binary
from tests.unit.runtime.fetching import CONTENT, Pauses, always, fetch_uri, files_of, http, http_server, make_ca
from tests.wait import free_port, until

KEYS = {"AWS_ACCESS_KEY_ID": "root-key", "AWS_SECRET_ACCESS_KEY": "root-secret", "AWS_REGION": "us-east-1"}
FILES = {"model.joblib": CONTENT, "vocab/words.txt": b"one", "vocab/empty": b""}


@dataclass
class Store:
    """A running versitygw and what its clients need."""

    port: int
    secret: dict[str, str] = field(default_factory=dict)

    def files(self) -> s3fs.S3FileSystem:
        verify = {"verify": self.secret["ca"]} if "ca" in self.secret else {}
        return s3fs.S3FileSystem(
            key=KEYS["AWS_ACCESS_KEY_ID"],
            secret=KEYS["AWS_SECRET_ACCESS_KEY"],
            endpoint_url=self.secret["AWS_ENDPOINT_URL"],
            client_kwargs={"region_name": "us-east-1", **verify},
            config_kwargs={"s3": {"addressing_style": "path"}},
            skip_instance_cache=True,
        )


def run_store(home: Path, scheme: str, *options: str) -> Iterator[int]:
    port = free_port()
    for name in ("data", "meta"):
        (home / name).mkdir()
    command = [
        str(binary("versitygw")),
        "--port",
        f"127.0.0.1:{port}",
        "--quiet",
        *options,
        "posix",
        "--sidecar",
        str(home / "meta"),
        str(home / "data"),
    ]
    environment = os.environ | {"ROOT_ACCESS_KEY": KEYS["AWS_ACCESS_KEY_ID"], "ROOT_SECRET_KEY": KEYS["AWS_SECRET_ACCESS_KEY"]}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    try:
        until(lambda: _listens(port), 30, f"versitygw over {scheme}", every=0.02)
        yield port
    finally:
        process.kill()
        process.wait()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store over http, filled."""
    home = tmp_path_factory.mktemp("s3")
    for port in run_store(home, "http"):
        running = Store(port, KEYS | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"})
        objects = running.files()
        objects.call_s3("create_bucket", Bucket="models")
        for name, content in FILES.items():
            objects.pipe(f"models/team/churn/3/{name}", content)
        objects.pipe("models/many/", b"")
        for number in range(1100):
            (home / "data" / "models" / "many" / f"part-{number:04}").touch()
        objects.pipe("models/ünï cødé/modèle +&=?.joblib", b"x")
        yield running


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No AWS_* and no proxy of this machine, and none left behind."""
    for name in [name for name in os.environ if name.startswith("AWS_") or name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(os, "environ", os.environ.copy())
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


async def fetch_s3(uri: str, target: Path, files: dict[str, bytes], secret: dict[str, str]) -> Pauses:
    apply_environment({key: value for key, value in secret.items() if key.startswith("AWS_")})
    return await fetch_uri(uri, target, files, secret)


@pytest.mark.parametrize("uri", ["s3://models/team/churn/3/", "s3://models/team/churn/3"])
async def test_a_folder(uri: str, store: Store, tmp_path: Path) -> None:
    await fetch_s3(uri, tmp_path, FILES, store.secret)
    assert files_of(tmp_path) == FILES


async def test_a_file(store: Store, tmp_path: Path) -> None:
    await fetch_s3("s3://models/team/churn/3/model.joblib", tmp_path, {"model.joblib": CONTENT}, store.secret)
    assert files_of(tmp_path) == {"model.joblib": CONTENT}


async def test_more_objects_than_a_page_lists(store: Store, tmp_path: Path) -> None:
    apply_environment(store.secret)
    async with S3Source.opened(FetchSettings("s3://models/many/", "", tmp_path)) as source:
        assert [file.name for file in await source.files()] == [f"part-{number:04}" for number in range(1100)]


async def test_names_beyond_ascii(store: Store, tmp_path: Path) -> None:
    await fetch_s3("s3://models/ünï cødé/", tmp_path, {"modèle +&=?.joblib": b"x"}, store.secret)


@pytest.mark.parametrize("uri", ["s3://models/team/churn/4/", "s3://models/team/churn/3/model", "s3://nobody/x", "s3://nobody/x/"])
async def test_nothing_there(uri: str, store: Store, tmp_path: Path) -> None:
    with pytest.raises(ArtifactNotFound, match=f"nothing is stored at {uri}.*: check the URI, or push again"):
        await fetch_s3(uri, tmp_path, FILES, store.secret)


async def test_no_bucket(store: Store, tmp_path: Path) -> None:
    with pytest.raises(ArtifactInvalid, match="write s3://BUCKET/KEY"):
        await fetch_s3("s3://", tmp_path, FILES, store.secret)


@pytest.mark.parametrize("wrong", [{"AWS_SECRET_ACCESS_KEY": "hush"}, {"AWS_ACCESS_KEY_ID": "nobody"}])
async def test_wrong_keys(wrong: dict[str, str], store: Store, tmp_path: Path) -> None:
    with pytest.raises(
        ArtifactAccessDenied, match=r"give the credentials of the Secret in spec.artifact.secretName read access \(s3:GetObject"
    ) as caught:
        await fetch_s3("s3://models/team/churn/3/", tmp_path, FILES, store.secret | wrong)
    assert "hush" not in str(caught.value)


async def test_no_keys(store: Store, tmp_path: Path) -> None:
    with pytest.raises(ArtifactAccessDenied, match="name a Secret with AWS_ACCESS_KEY_ID"):
        await fetch_s3("s3://models/team/churn/3/", tmp_path, FILES, {"AWS_ENDPOINT_URL": store.secret["AWS_ENDPOINT_URL"]})


async def test_other_bytes(store: Store, tmp_path: Path) -> None:
    with pytest.raises(DigestMismatch):
        await fetch_s3("s3://models/team/churn/3/", tmp_path, {"model.joblib": b"other"}, store.secret)
    assert files_of(tmp_path) == {}


async def test_nobody_listens(tmp_path: Path) -> None:
    secret = KEYS | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{free_port()}"}
    with pytest.raises(FetchFailed, match="gave up after 6 attempts"):
        await fetch_s3("s3://models/x", tmp_path, FILES, secret)


@pytest.mark.parametrize("status", ["500 Internal Server Error", "503 Slow Down"])
async def test_a_store_that_is_down_is_tried_again(status: str, tmp_path: Path) -> None:
    async with http_server(always(http(status))) as port:
        with pytest.raises(FetchFailed, match="gave up after 6 attempts"):
            await fetch_s3("s3://models/x", tmp_path, FILES, KEYS | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"})


@asynccontextmanager
async def breaking_proxy(port: int, cut_after: int, cuts: int) -> AsyncIterator[tuple[int, list[str]]]:
    """Passes requests on, each on its own connection; the first `cuts` long answers break off. Yields its port and the Range headers."""
    ranges: list[str] = []
    left = [cuts]

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        ranges.extend(line for line in head.split("\r\n") if line.lower().startswith("range:"))
        back, forth = await asyncio.open_connection("127.0.0.1", port)
        forth.write(head.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n").encode())
        answer = await back.read()
        forth.close()
        if left[0] and len(answer) > cut_after:
            left[0] -= 1
            answer = answer[:cut_after]
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(pass_on, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], ranges


async def test_a_broken_connection_resumes_with_range(store: Store, tmp_path: Path) -> None:
    async with breaking_proxy(store.port, cut_after=100_000, cuts=2) as (port, ranges):
        secret = KEYS | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"}
        pauses = await fetch_s3("s3://models/team/churn/3/", tmp_path, FILES, secret)
    assert files_of(tmp_path) == FILES
    offsets = [int(line.split("=")[1].removesuffix("-")) for line in ranges]
    assert len(offsets) == len(pauses) == 2
    assert 0 < offsets[0] < offsets[1] < len(CONTENT)


async def test_tls_with_the_secrets_authority(tmp_path: Path) -> None:
    (tmp_path / "ca").mkdir()
    pem, _ = make_ca(tmp_path / "ca")
    (tmp_path / "s3").mkdir()
    options = ("--cert", str(tmp_path / "ca" / "cert.pem"), "--key", str(tmp_path / "ca" / "key.pem"))
    for port in run_store(tmp_path / "s3", "https", *options):
        secret = KEYS | {"AWS_ENDPOINT_URL": f"https://127.0.0.1:{port}"}
        (tmp_path / "s3" / "data" / "models").mkdir()
        (tmp_path / "s3" / "data" / "models" / "model.pkl").write_bytes(CONTENT)
        await fetch_s3("s3://models/model.pkl", tmp_path / "target", {"model.pkl": CONTENT}, secret | {"ca.crt": pem})
        assert files_of(tmp_path / "target") == {"model.pkl": CONTENT}
        del os.environ["AWS_CA_BUNDLE"]
        with pytest.raises(FetchFailed, match=r"TLS with the object store failed .*give its CA as ca\.crt"):
            await fetch_s3("s3://models/model.pkl", tmp_path / "target", FILES, secret)
