"""Uploads to a real S3 server: nothing that is there is ever overwritten, and an interrupted push goes on."""

from __future__ import annotations

import hashlib
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from slipway.cli.artifact import files
from slipway.cli.artifact.baseline import Baseline, beside
from slipway.cli.artifact.upload import PART, _create, filesystem, put_baseline, upload
from slipway.cli.errors import CliError
from tests.cluster.tools import binary
from tests.wait import free_port, until

KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret-key", "AWS_REGION": "us-east-1"}


def answers(port: int) -> bool:
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("s3")
    (folder / "models").mkdir()
    port = free_port()
    environment = os.environ | {"ROOT_ACCESS_KEY": "key", "ROOT_SECRET_KEY": "secret-key"}
    command = [str(binary("versitygw")), "--port", f"127.0.0.1:{port}", "posix", str(folder)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            until(lambda: answers(port), seconds=20, what="the S3 server")
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


@pytest.fixture
def store(endpoint: str) -> Any:
    return filesystem(KEYS, endpoint)


@pytest.fixture
def uri(request: pytest.FixtureRequest) -> str:
    return f"s3://models/{request.node.name}/churn/3/"


@pytest.fixture
def artifact(tmp_path: Path) -> files.Artifact:
    folder = tmp_path / "model"
    (folder / "words").mkdir(parents=True)
    (folder / "model.joblib").write_bytes(b"a model")
    (folder / "words/größe.txt").write_text("klein")
    (folder / "empty").touch()
    return files.read(folder)


def push(store: Any, uri: str, artifact: files.Artifact) -> int:
    """Push, and answer how many bytes it said were there."""
    seen: list[int] = []
    upload(store, uri, artifact, seen.append)
    return sum(seen)


def stored(store: Any, uri: str) -> dict[str, bytes]:
    folder = uri.removeprefix("s3://")
    return {key.removeprefix(folder): store.cat_file(key) for key in store.find(folder)}


def test_push_twice(store: Any, uri: str, artifact: files.Artifact) -> None:
    expected = {file.name: file.path.read_bytes() for file in artifact.files}
    for _ in range(2):
        assert push(store, uri, artifact) == artifact.size
        assert stored(store, uri) == expected


def test_an_interrupted_push_goes_on(store: Any, uri: str, artifact: files.Artifact) -> None:
    store.pipe_file(f"{uri}model.joblib", b"a model")
    assert push(store, uri, artifact) == artifact.size
    assert len(stored(store, uri)) == 3


@pytest.mark.parametrize("other", [b"longer than the model", b"A model"])
def test_other_bytes_stay(store: Any, uri: str, artifact: files.Artifact, other: bytes) -> None:
    store.pipe_file(f"{uri}model.joblib", other)
    with pytest.raises(CliError, match="model.joblib is there already with other bytes"):
        push(store, uri, artifact)
    assert stored(store, uri)["model.joblib"] == other


def test_other_files_stay(store: Any, uri: str, artifact: files.Artifact) -> None:
    store.pipe_file(f"{uri}older.pkl", b"x")
    with pytest.raises(CliError, match=r"holds other files already \(older.pkl\)"):
        push(store, uri, artifact)
    assert stored(store, uri) == {"older.pkl": b"x"}


def test_a_file_that_somebody_else_uploads_meanwhile_stays(store: Any, uri: str, artifact: files.Artifact) -> None:
    key = f"{uri}model.joblib".removeprefix("s3://")
    store.pipe_file(key, b"theirs")
    file = next(file for file in artifact.files if file.name == "model.joblib")
    seen: list[int] = []
    assert not _create(store, key, file, seen.append)
    assert store.cat_file(key) == b"theirs"
    assert sum(seen) == 0


def test_a_large_file_goes_up_in_parts(store: Any, uri: str, tmp_path: Path) -> None:
    (tmp_path / "model.joblib").write_bytes(os.urandom(2 * PART + 7))
    artifact = files.read(tmp_path / "model.joblib")
    seen: list[int] = []
    upload(store, uri, artifact, seen.append)
    assert len(seen) == 3
    assert sum(seen) == artifact.size
    assert push(store, uri, artifact) == artifact.size
    (tmp_path / "model.joblib").write_bytes(os.urandom(2 * PART + 7))
    with pytest.raises(CliError, match="other bytes"):
        push(store, uri, files.read(tmp_path / "model.joblib"))


@pytest.mark.parametrize(
    ("change", "bucket", "said"),
    [
        ({"AWS_SECRET_ACCESS_KEY": "wrong"}, "models", "check the credentials"),
        ({}, "nowhere", "no bucket nowhere: create it"),
    ],
)
def test_what_the_store_refuses(endpoint: str, artifact: files.Artifact, change: dict[str, str], bucket: str, said: str) -> None:
    with pytest.raises(CliError, match=said):
        push(filesystem(KEYS | change, endpoint), f"s3://{bucket}/churn/3/", artifact)


def test_reference_rows_are_put_once_and_others_never_over_them(store: Any, uri: str) -> None:
    place = beside(uri)
    ours, others = (Baseline(content, f"sha256:{hashlib.sha256(content).hexdigest()}", 1, ("age",)) for content in (b"ours", b"others"))
    for _ in range(2):
        put_baseline(store, place, ours)
    with pytest.raises(CliError, match="is there already with other rows"):
        put_baseline(store, place, others)
    assert store.cat_file(place.removeprefix("s3://")) == b"ours"
