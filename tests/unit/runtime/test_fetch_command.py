"""`slipway-fetch` as the init container runs it: environment and Secret in, exit code and termination message out."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

from slipway_runtime.failure import ArtifactNotFound, FetchFailed, last_line, report
from slipway_runtime.fetch import command
from slipway_runtime.fetch.settings import FetchSettings, apply_environment, read_secret, without_credentials
from tests.unit.runtime.fetching import CONTENT, always, digest_of, files_of, http, http_server
from tests.wait import until

FILES = {"model.joblib": CONTENT}
ROOT = Path(__file__).parents[3]


def environment(uri: str, folder: Path, digest: str | None = None) -> dict[str, str]:
    return {
        "SLIPWAY_ARTIFACT_URI": uri,
        "SLIPWAY_ARTIFACT_DIGEST": digest or digest_of(FILES),
        "SLIPWAY_ARTIFACT_TARGET": str(folder / "model"),
        "SLIPWAY_TERMINATION_LOG": str(folder / "termination-log"),
    }


def spawn(variables: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "slipway_runtime.fetch"],
        env={key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")} | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


async def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    output, errors = await asyncio.to_thread(process.communicate)
    return process.returncode, output, errors


def message(folder: Path) -> dict[str, str]:
    lines = (folder / "termination-log").read_text("utf-8").splitlines()
    assert len(lines) == 1
    parsed: dict[str, str] = json.loads(lines[0])
    assert set(parsed) == {"reason", "message"}
    return parsed


async def test_success_replaces_what_a_killed_run_left(tmp_path: Path) -> None:
    (tmp_path / "model" / "half").mkdir(parents=True)
    (tmp_path / "model" / "half" / "file").write_text("left over")
    async with http_server(always(http("200 OK", CONTENT))) as port:
        code, output, _ = await ended(spawn(environment(f"http://127.0.0.1:{port}/model.joblib?sig=hush", tmp_path)))
    assert code == 0
    assert output.startswith(f"fetched http://127.0.0.1:{port}/model.joblib {digest_of(FILES)} in ")
    assert files_of(tmp_path / "model") == FILES
    assert not (tmp_path / "termination-log").exists()


async def test_a_mismatch_is_one_line_with_both_digests(tmp_path: Path) -> None:
    other = digest_of({"model.joblib": b"other"})
    async with http_server(always(http("200 OK", CONTENT))) as port:
        code, _, errors = await ended(spawn(environment(f"http://127.0.0.1:{port}/model.joblib", tmp_path, other)))
    assert code == 1
    assert message(tmp_path)["reason"] == "DigestMismatch"
    assert digest_of(FILES) in message(tmp_path)["message"]
    assert other in message(tmp_path)["message"]
    assert json.loads(errors) == message(tmp_path)
    assert files_of(tmp_path / "model") == {}


async def test_sigterm_ends_a_download_at_once(tmp_path: Path) -> None:
    async def stall(line: str, headers: dict[str, str], writer: asyncio.StreamWriter) -> None:
        writer.write(http("200 OK", CONTENT, cut=1000))
        await writer.drain()
        await asyncio.Event().wait()

    async with http_server(stall) as port:
        process = spawn(environment(f"http://127.0.0.1:{port}/model.joblib", tmp_path))
        await asyncio.to_thread(until, lambda: files_of(tmp_path / "model"), 60, "the first bytes")
        process.send_signal(signal.SIGTERM)
        assert (await ended(process))[0] == 128 + signal.SIGTERM


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder to run the command in this process in; the environment comes back afterwards."""
    for name in [name for name in os.environ if name.startswith("AWS_") or name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(os, "environ", os.environ.copy())
    return tmp_path


def run_with(variables: dict[str, str], secret: dict[str, str], folder: Path) -> int:
    (folder / "secret").mkdir()
    for name, value in secret.items():
        (folder / "secret" / name).write_text(value)
    os.environ.update(variables)
    return command.run(folder / "secret")


def test_the_secrets_variables_reach_the_fetch(in_process: Path) -> None:
    secret = {"HTTPS_PROXY": "http://user:hush@127.0.0.1:1\n", "AWS_REGION": "eu-west-1", "OTHER": "x"}
    variables = environment("https://192.0.2.1/model.joblib", in_process) | {"SLIPWAY_FETCH_TEST": "1"}
    os.environ["https_proxy"] = "http://127.0.0.1:2"

    async def at_once(settings: FetchSettings) -> None:
        assert os.environ["HTTPS_PROXY"] == os.environ["https_proxy"] == "http://user:hush@127.0.0.1:1"
        assert os.environ["AWS_REGION"] == "eu-west-1"
        assert "OTHER" not in os.environ
        raise FetchFailed("via http://user:hush@127.0.0.1:1 failed")

    command_fetch, command.fetch = command.fetch, at_once  # type: ignore[assignment]
    try:
        assert run_with(variables, secret, in_process) == 1
    finally:
        command.fetch = command_fetch
    assert message(in_process) == {"reason": "FetchFailed", "message": "via http://127.0.0.1:1 failed"}


@pytest.mark.parametrize("uri", ["ftp://host/model", "model.joblib", "file:///etc/passwd"])
def test_an_unknown_scheme_names_the_choices(uri: str, in_process: Path) -> None:
    assert run_with(environment(uri, in_process), {}, in_process) == 1
    assert message(in_process) == {"reason": "FetchFailed", "message": f"{uri} is not supported: use s3://, https:// or pvc://"}


def test_a_missing_variable_is_named(in_process: Path) -> None:
    variables = environment("s3://bucket/key", in_process)
    del variables["SLIPWAY_ARTIFACT_URI"]
    assert run_with(variables, {}, in_process) == 1
    assert message(in_process)["message"] == "the environment variable SLIPWAY_ARTIFACT_URI is not set"


@pytest.mark.parametrize("digest", ["", "sha256:abc", "sha256:" + "G" * 64, "md5:" + "0" * 64])
def test_a_malformed_digest_is_refused(digest: str, in_process: Path) -> None:
    variables = environment("s3://bucket/key", in_process) | {"SLIPWAY_ARTIFACT_DIGEST": digest}
    assert run_with(variables, {}, in_process) == 1
    assert "must be sha256: and 64 hex digits" in message(in_process)["message"]


def test_kubernetes_bookkeeping_in_the_secret_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "..2026_11_23").mkdir()
    (tmp_path / "..2026_11_23" / "token").write_text("t0ken\n")
    (tmp_path / "..data").symlink_to("..2026_11_23")
    (tmp_path / "token").symlink_to("..data/token")
    assert read_secret(tmp_path) == {"token": "t0ken"}
    assert read_secret(tmp_path / "missing") == {}


def test_confidential_values_never_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = FetchSettings("https://a/b?sig=1", "", Path(), {"token": "t0ken", "password": "hush"})
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "aws-secret")
    assert settings.public("t0ken hush aws-secret at https://u:p@h/x?sig=1 'https://h?q'") == "*** *** *** at https://h/x 'https://h'"
    assert "hush" not in repr(settings)


def test_text_without_urls_stays() -> None:
    assert without_credentials("s3://bucket/key may not be read (what?): a@b") == "s3://bucket/key may not be read (what?): a@b"


def test_apply_environment_sets_both_spellings_of_a_proxy(in_process: Path) -> None:
    apply_environment({"NO_PROXY": "a", "AWS_REGION": "b"})
    assert (os.environ["NO_PROXY"], os.environ["no_proxy"], os.environ["AWS_REGION"]) == ("a", "a", "b")
    assert "aws_region" not in os.environ


def test_a_report_fits_the_kubelets_limit_and_survives_a_missing_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SLIPWAY_TERMINATION_LOG", str(tmp_path / "log"))
    report(ArtifactNotFound('x"\n' * 5000))
    assert len((tmp_path / "log").read_bytes()) <= 4096
    assert json.loads((tmp_path / "log").read_text())["reason"] == "ArtifactNotFound"
    monkeypatch.setenv("SLIPWAY_TERMINATION_LOG", str(tmp_path / "missing" / "log"))
    report(ArtifactNotFound("gone"))
    assert json.loads(capsys.readouterr().err.splitlines()[-1]) == {"reason": "ArtifactNotFound", "message": "gone"}


def test_last_line() -> None:
    assert last_line(ValueError("one\n two \n\n")) == "ValueError: two"
    assert last_line(KeyError()) == "KeyError"


def test_the_distributions_commands_exist() -> None:
    scripts = tomllib.loads((ROOT / "model-server" / "pyproject.toml").read_text())["project"]["scripts"]
    assert set(scripts) == {"slipway-fetch", "slipway-serve", "slipway-ship"}
    for target in scripts.values():
        module, _, function = target.partition(":")
        assert callable(getattr(import_module(module), function))
