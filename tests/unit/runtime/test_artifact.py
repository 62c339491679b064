"""Finding and unpickling the model's file."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

from slipway_runtime.failure import LoadFailed
from slipway_runtime.serve.artifact import load_model
from tests.unit.runtime.models import Moody, save


class Exits:
    """A pickle that ends the process when it is loaded."""

    def __reduce__(self) -> Any:
        return exit, (3,)


@pytest.mark.parametrize("name", ["model.joblib", "model.pkl", "model.pickle"])
def test_each_name_is_found(name: str, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("beside it")
    assert isinstance(load_model(save(Moody(), tmp_path, name)), Moody)


def test_a_plain_pickle_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(Moody()))
    assert isinstance(load_model(tmp_path), Moody)


@pytest.mark.parametrize(
    ("names", "holds"),
    [([], "nothing"), (["other.bin", "a.txt"], "a.txt, other.bin"), (["model.pkl", "model.joblib"], "model.joblib, model.pkl")],
)
def test_exactly_one_candidate(names: list[str], holds: str, tmp_path: Path) -> None:
    for name in names:
        save(Moody(), tmp_path, name)
    with pytest.raises(LoadFailed, match=rf"exactly one of model.joblib, model.pkl or model.pickle, it holds {holds}: push it again"):
        load_model(tmp_path)


def test_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(LoadFailed, match="it holds nothing"):
        load_model(tmp_path / "missing")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"cxgboost\nXGBClassifier\n.", "ModuleNotFoundError: No module named 'xgboost'"),
        (b"", "EOFError"),
        (b"ccollections\nNothing\n.", "has no attribute 'Nothing'"),
        (b"not a pickle", "model.pkl is not a pickle"),
        (pickle.dumps({"weights": [1]}), "model.pkl holds a dict, which has no predict method: pickle the model"),
        (pickle.dumps(Exits()), "SystemExit: 3"),
    ],
)
def test_what_is_not_a_model(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "model.pkl").write_bytes(content)
    with pytest.raises(LoadFailed, match=message):
        load_model(tmp_path)
