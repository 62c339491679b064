"""Artifacts on a mounted claim."""

from __future__ import annotations

from pathlib import Path

import pytest

from slipway_runtime.failure import ArtifactInvalid, ArtifactNotFound
from tests.unit.runtime.fetching import CONTENT, fetch_uri, files_of

FILES = {"model.joblib": CONTENT, "vocab/words.txt": b"one"}


@pytest.fixture
def claims(tmp_path: Path) -> Path:
    folder = tmp_path / "claims" / "models" / "churn" / "3"
    (folder / "vocab").mkdir(parents=True)
    for name, content in FILES.items():
        (folder / name).write_bytes(content)
    return tmp_path / "claims"


@pytest.mark.parametrize("uri", ["pvc://models/churn/3", "pvc://models/churn/3/", "pvc://models//churn/%33"])
async def test_a_folder(uri: str, claims: Path, tmp_path: Path) -> None:
    await fetch_uri(uri, tmp_path / "target", FILES, claims=claims)
    assert files_of(tmp_path / "target") == FILES


async def test_a_file(claims: Path, tmp_path: Path) -> None:
    await fetch_uri("pvc://models/churn/3/model.joblib", tmp_path / "target", {"model.joblib": CONTENT}, claims=claims)
    assert files_of(tmp_path / "target") == {"model.joblib": CONTENT}


async def test_a_whole_claim(claims: Path, tmp_path: Path) -> None:
    await fetch_uri("pvc://models", tmp_path / "target", {f"churn/3/{name}": content for name, content in FILES.items()}, claims=claims)


@pytest.mark.parametrize("uri", ["pvc://models/churn/4", "pvc://other/churn"])
async def test_nothing_there(uri: str, claims: Path, tmp_path: Path) -> None:
    with pytest.raises(ArtifactNotFound, match="does not exist: check the claim and the path"):
        await fetch_uri(uri, tmp_path / "target", FILES, claims=claims)


@pytest.mark.parametrize(
    "uri", ["pvc://models/../../outside", "pvc://models/%2e%2e/%2e%2e/outside", "pvc://models/link", "pvc://models/link/file"]
)
async def test_leaving_the_claim_is_refused(uri: str, claims: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "file").write_text("secret")
    (claims / "models" / "link").symlink_to(tmp_path / "outside")
    with pytest.raises(ArtifactInvalid, match="leads out of its claim"):
        await fetch_uri(uri, tmp_path / "target", FILES, claims=claims)
    assert files_of(tmp_path / "target") == {}


async def test_a_symlink_inside_is_refused(claims: Path, tmp_path: Path) -> None:
    (claims / "models" / "churn" / "3" / "latest").symlink_to("model.joblib")
    with pytest.raises(ArtifactInvalid, match="is a symlink"):
        await fetch_uri("pvc://models/churn/3", tmp_path / "target", FILES, claims=claims)
