"""What is pushed: the ModelVersion that is built is one that the API's own types accept."""

from __future__ import annotations

from pathlib import Path

import joblib
import pytest
import sklearn
from sklearn.dummy import DummyClassifier

from slipway.api.v1alpha1.model import Model
from slipway.api.v1alpha1.model_version import ModelVersion
from slipway.cli.artifact import files, manifest
from slipway.cli.artifact.describe import Wanted, describe
from slipway.cli.artifact.store import Store
from slipway.cli.cluster import Json
from slipway.cli.errors import CliError
from slipway_runtime.fetch.digest import digest_path


@pytest.fixture
def model_file(tmp_path: Path) -> Path:
    file = tmp_path / "churn-final.joblib"
    joblib.dump(DummyClassifier().fit([[0], [1]], [0, 1]), file)
    return file


def accepted(version: Json) -> bool:
    checked = {key: value for key, value in version.items() if key in ("metadata", "spec")}
    return ModelVersion.model_validate(checked) is not None


def test_a_file_is_stored_under_the_name_that_servers_look_for(model_file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "model.joblib").write_bytes(model_file.read_bytes())
    artifact = files.read(model_file)
    assert [file.name for file in artifact.files] == ["model.joblib"]
    assert artifact.digest == digest_path(folder) == files.read(folder).digest
    assert artifact.size == model_file.stat().st_size


def test_symlinks_are_refused(model_file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "model.joblib").symlink_to(model_file)
    with pytest.raises(CliError, match="symlink"):
        files.read(folder)


def test_model_version_of_a_file(model_file: Path) -> None:
    described = describe(Wanted(model_file, "churn", "3", metrics=("auc=0.91",), training_data="s3://data/churn"))
    version = manifest.model_version("growth", described.placed("s3://models/growth/churn/3/", "slipway-artifact-store"))
    spec = version["spec"]
    assert accepted(version)
    assert version["metadata"] == {"name": "churn-3", "namespace": "growth"}
    assert spec["format"] == {"name": "sklearn", "version": ".".join(sklearn.__version__.split(".")[:2])}
    assert spec["artifact"]["digest"] == files.read(model_file).digest
    assert spec["lineage"]["environment"]["scikit-learn"] == sklearn.__version__
    assert spec["lineage"]["metrics"] == {"auc": "0.91"}
    assert "container" not in spec


def test_another_environment_than_the_one_that_trained_is_not_recorded(
    model_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lib/python3.12/site-packages").mkdir(parents=True)
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path))
    described = describe(Wanted(model_file, "churn", "3"))
    assert described.spec["lineage"]["environment"] == {"scikit-learn": sklearn.__version__}


def test_model_version_of_a_container() -> None:
    described = describe(Wanted(None, "churn", "3", image="registry/churn@sha256:1", port=9090))
    version = manifest.model_version("growth", described.placed(None, None))
    assert accepted(version)
    assert version["spec"]["container"] == {"image": "registry/churn@sha256:1", "port": 9090}
    assert "artifact" not in version["spec"]


@pytest.mark.parametrize("task", manifest.TASKS)
def test_model(task: str) -> None:
    made = manifest.model("churn", "growth", task)
    assert Model.model_validate({"metadata": made["metadata"], "spec": made["spec"]}).spec.task == task


@pytest.mark.parametrize(("model", "version"), [("Churn", "3"), ("3churn", "1"), ("a" * 51, "1"), ("churn", "V3"), ("churn", "a" * 33)])
def test_names_that_the_apiserver_would_refuse(model: str, version: str) -> None:
    with pytest.raises(CliError, match="must be"):
        manifest.check_names(model, version)


def test_same_means_same_bytes_and_same_image() -> None:
    one = {"spec": {"artifact": {"digest": "a", "uri": "s3://x/"}, "format": {"name": "sklearn"}}}
    moved = {"spec": {"artifact": {"digest": "a", "uri": "s3://y/"}, "format": {"name": "sklearn", "version": "1.9"}}}
    assert manifest.same(one, moved)
    assert not manifest.same(one, {"spec": {"artifact": {"digest": "b"}}})
    assert not manifest.same({"spec": {"container": {"image": "a"}}}, {"spec": {"container": {"image": "b"}}})


def test_next_version() -> None:
    assert manifest.next_version(["1", "10", "beta"], "2") == "11"
    assert manifest.next_version(["1"], "2026-11-23") == "2026-11-23-2"


def test_folder_of_an_artifact() -> None:
    assert Store("s3://slipway-models").folder("growth", "churn", "3") == "s3://slipway-models/growth/churn/3/"
    assert Store("s3://b/prefix/").folder("growth", "churn", "3") == "s3://b/prefix/growth/churn/3/"
