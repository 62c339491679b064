"""The scikit-learn version is read from real files, in every way joblib and pickle write them, without unpickling."""

from __future__ import annotations

import pickle
from pathlib import Path

import joblib
import numpy as np
import pytest
import sklearn
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from slipway.cli.artifact.sniff import CHUNK, minor, sklearn_version


@pytest.fixture(scope="module")
def model() -> Pipeline:
    rows = np.random.default_rng(0).normal(size=(50, 3))
    pipeline = Pipeline([("scale", StandardScaler()), ("model", LogisticRegression())])
    return pipeline.fit(rows, rows[:, 0] > 0)


@pytest.mark.parametrize("compress", [0, 3, ("zlib", 9), ("gzip", 3), ("bz2", 3), ("lzma", 3), ("xz", 3)], ids=str)
def test_joblib_files(model: Pipeline, tmp_path: Path, compress: object) -> None:
    joblib.dump(model, tmp_path / "model.joblib", compress=compress)
    assert sklearn_version(tmp_path / "model.joblib") == sklearn.__version__


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickles_of_every_protocol(model: Pipeline, tmp_path: Path, protocol: int) -> None:
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(model, protocol=protocol))
    assert sklearn_version(tmp_path / "model.pkl") == sklearn.__version__


def test_key_after_large_arrays(tmp_path: Path) -> None:
    model = LogisticRegression()
    model.coef_ = np.zeros(CHUNK // 4)  # 2 MiB
    joblib.dump(model, tmp_path / "model.joblib")
    assert sklearn_version(tmp_path / "model.joblib") == sklearn.__version__


@pytest.mark.parametrize("offset", range(-40, 41, 4))
def test_key_across_the_pieces_in_which_it_is_read(tmp_path: Path, offset: int) -> None:
    key = b"\x8c\x10_sklearn_version\x94\x8c\x061.10.2\x94ub."
    (tmp_path / "model.pkl").write_bytes(bytes(CHUNK + offset) + key)
    assert sklearn_version(tmp_path / "model.pkl") == "1.10.2"


@pytest.mark.parametrize(
    "content",
    [b"", b"x", b"\x1f\x8b\x08 not gzip", b"\x78\x9c not zlib", b"BZh9 no", b"\xfd7zXZ\x00 no", pickle.dumps([1, "_sklearn_version"])],
)
def test_files_that_do_not_say(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "model.pkl").write_bytes(content)
    assert sklearn_version(tmp_path / "model.pkl") is None


def test_nothing_is_executed(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return exec, (f"open({str(tmp_path / 'ran')!r}, 'w')",)

    (tmp_path / "model.pkl").write_bytes(pickle.dumps(Trap()))
    assert sklearn_version(tmp_path / "model.pkl") is None
    assert not (tmp_path / "ran").exists()


def test_minor() -> None:
    assert minor("1.9.1") == "1.9"
    assert minor("1.10rc1") == "1.10"
    assert minor("dev") is None
