"""Formats by file name, and errors that list the choices."""

from __future__ import annotations

from pathlib import Path

import pytest

from slipway.cli.artifact.formats import Guess, guess
from slipway.cli.errors import CliError


@pytest.mark.parametrize("name", ["model.joblib", "model.pkl", "model.pickle", "churn-2026.joblib"])
def test_a_pickle_is_sklearn(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.touch()
    assert guess(file, None, None) == Guess("sklearn", file)


def test_a_folder_with_a_pickle_is_sklearn(tmp_path: Path) -> None:
    (tmp_path / "model.joblib").touch()
    (tmp_path / "notes.txt").touch()
    assert guess(tmp_path, None, None) == Guess("sklearn", tmp_path / "model.joblib")


def test_an_image_is_custom() -> None:
    assert guess(None, None, "registry/churn:1") == Guess("custom")


@pytest.mark.parametrize(
    ("files", "asked", "image", "said"),
    [
        (["model.onnx"], None, None, "choices: sklearn"),
        (["model.joblib"], "onnx", None, "choices: sklearn"),
        (["model.joblib", "model.pkl"], None, None, "model.joblib and model.pkl"),
        ([], "custom", None, "--image"),
        ([], "sklearn", "registry/churn:1", "leave one of them out"),
    ],
)
def test_what_cannot_be_told(tmp_path: Path, files: list[str], asked: str | None, image: str | None, said: str) -> None:
    for name in files:
        (tmp_path / name).touch()
    with pytest.raises(CliError, match=said):
        guess(tmp_path, asked, image)


def test_nothing_at_all() -> None:
    with pytest.raises(CliError, match="name the model's file"):
        guess(None, None, None)
