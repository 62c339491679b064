"""Lineage from real git repositories and real environments."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
import sklearn

from slipway.cli.artifact import lineage
from slipway.cli.errors import CliError


def git(folder: Path, *arguments: str) -> str:
    names = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b"}
    alone = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ | names | alone).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "train"
    folder.mkdir()
    git(folder, "init", "-q")
    (folder / "train.py").write_text("print(1)\n")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "first")
    git(folder, "remote", "add", "origin", "https://me:secret@git.example.com/ds/churn.git?token=x")
    return folder


def test_code(repository: Path, tmp_path: Path) -> None:
    expected = {"repository": "https://git.example.com/ds/churn.git", "commit": git(repository, "rev-parse", "HEAD")}
    (repository / "model.joblib").touch()
    assert lineage.code(tmp_path / "elsewhere", repository) == expected
    (repository / "train.py").write_text("print(2)\n")
    assert lineage.code(repository) == expected | {"dirty": True}


def test_no_repository(tmp_path: Path) -> None:
    assert lineage.code(tmp_path) is None


def test_no_remote(repository: Path) -> None:
    git(repository, "remote", "remove", "origin")
    assert lineage.code(repository) is None


def test_another_remote_than_origin(repository: Path) -> None:
    git(repository, "remote", "rename", "origin", "upstream")
    assert lineage.code(repository) is not None


def test_a_repository_starts_no_programs(repository: Path, tmp_path: Path) -> None:
    hook = tmp_path / "hook"
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path / 'ran'}\n")
    hook.chmod(0o755)
    git(repository, "config", "core.fsmonitor", str(hook))
    assert lineage.code(repository) is not None
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("url", "clean"),
    [
        ("https://token@github.com/a/b.git", "https://github.com/a/b.git"),
        ("ssh://git:pw@host:2222/a/b", "ssh://host:2222/a/b"),
        ("git@github.com:a/b.git", "git@github.com:a/b.git"),
        ("/srv/git/b.git", "/srv/git/b.git"),
        ("https://u:p@[::1]:8443/a?access_token=1#f", "https://[::1]:8443/a"),
    ],
)
def test_credentials_are_left_out(url: str, clean: str) -> None:
    assert lineage.without_credentials(url) == clean


def test_environment_of_this_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    monkeypatch.delenv("CONDA_PREFIX", raising=False)
    assert lineage.environment()["scikit-learn"] == sklearn.__version__


def test_environment_that_is_active(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = tmp_path / "lib/python3.12/site-packages/scikit_learn-1.7.2.dist-info"
    installed.mkdir(parents=True)
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: scikit-learn\nVersion: 1.7.2\n")
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path))
    assert lineage.environment() == {"python": "3.12", "scikit-learn": "1.7.2"}


def test_metrics() -> None:
    assert lineage.metrics(["auc=0.91", "loss=-1e-5"]) == {"auc": "0.91", "loss": "-1e-5"}


@pytest.mark.parametrize("wrong", ["auc", "=1", "auc=", "auc=high", "auc=nan", "auc=.5"])
def test_wrong_metrics(wrong: str) -> None:
    with pytest.raises(CliError, match="NAME=NUMBER"):
        lineage.metrics([wrong])


def test_trained_at(tmp_path: Path) -> None:
    file = tmp_path / "model.joblib"
    file.touch()
    os.utime(file, (1_800_000_000, 1_800_000_000))
    assert lineage.trained_at(file) == "2027-01-15T08:00:00Z"
