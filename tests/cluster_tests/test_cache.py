from __future__ import annotations

from pathlib import Path

import pytest

from tests.cluster import builders, cache


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "ROOT", tmp_path)


def test_a_key_depends_on_every_part_and_its_bounds(tmp_path: Path) -> None:
    file = tmp_path / "input"
    file.write_text("a")
    assert cache.content_key("a", b"b") == cache.content_key(file, "b")
    assert cache.content_key("ab", "c") != cache.content_key("a", "bc")


def test_a_folder_is_built_once() -> None:
    builds: list[Path] = []

    def build(folder: Path) -> None:
        builds.append(folder)
        folder.joinpath("result").write_text("done")

    first = cache.cached("kind", "key", build)
    assert cache.cached("kind", "key", build) == first
    assert first.joinpath("result").read_text() == "done"
    assert len(builds) == 1


def test_a_failed_build_leaves_nothing(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        folder.joinpath("half").write_text("")
        raise RuntimeError("no space left")

    with pytest.raises(RuntimeError, match="no space left"):
        cache.cached("kind", "key", fail)
    assert list(tmp_path.joinpath("kind").iterdir()) == []


def test_the_newest_archives_of_each_name_are_kept(tmp_path: Path) -> None:
    for name in ("slipway-operator", "slipway-operator-x"):
        for tag in ("1", "2", "3"):
            builders.archived(name, tag, lambda path: path.touch())
    kept = sorted(path.name for path in tmp_path.joinpath("images").iterdir())
    assert kept == ["slipway-operator-2", "slipway-operator-3", "slipway-operator-x-2", "slipway-operator-x-3"]
