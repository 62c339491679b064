"""The artifact digest: the page's vectors, an independent implementation, and what is refused."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import unicodedata
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway_runtime.failure import ArtifactInvalid
from slipway_runtime.fetch.digest import TreeDigest, canonical_path, digest_path

PAGE = (Path(__file__).parents[3] / "docs" / "artifact-digest.md").read_text("utf-8")
VECTORS = re.findall(r"^\| (.+?) \| `(\{.*\})` \| `(sha256:[0-9a-f]{64})` \|$", PAGE, re.MULTILINE)
SCRIPT = re.search(r"```sh\n(.*?)```", PAGE, re.DOTALL)


def independent(files: Mapping[str, bytes]) -> str:
    """The page's algorithm, written from the page alone."""
    manifest = b"slipway-artifact-v1\n"
    names = {unicodedata.normalize("NFC", name).encode(): content for name, content in files.items()}
    for name in sorted(names):
        manifest += f"{len(name)}:".encode() + name + f" {len(names[name])} {hashlib.sha256(names[name]).hexdigest()}\n".encode()
    return "sha256:" + hashlib.sha256(manifest).hexdigest()


def tree(files: Mapping[str, bytes]) -> str:
    digest = TreeDigest()
    for name, content in files.items():
        digest.add(name, len(content), hashlib.sha256(content).hexdigest())
    return digest.digest()


def write(folder: Path, files: Mapping[str, bytes]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def test_the_page_has_its_vectors() -> None:
    assert len(VECTORS) == 8


@pytest.mark.parametrize(("files", "digest"), [vector[1:] for vector in VECTORS], ids=[vector[0] for vector in VECTORS])
def test_vector(files: str, digest: str, tmp_path: Path) -> None:
    contents = {name: content.encode() for name, content in json.loads(files).items()}
    assert independent(contents) == digest
    assert tree(contents) == digest
    assert digest_path(write(tmp_path, contents)) == digest


def test_the_script_on_the_page(tmp_path: Path) -> None:
    assert SCRIPT
    for _, files, digest in VECTORS:
        if files.isascii() and "\\u" not in files:
            folder = write(tmp_path / digest, {name: content.encode() for name, content in json.loads(files).items()})
            output = subprocess.run(["bash", "-c", SCRIPT[1]], cwd=folder, capture_output=True, text=True, check=True).stdout
            assert f"sha256:{output.split()[0]}" == digest


def test_unicode_forms_are_one_artifact() -> None:
    by_name = {name: digest for name, _, digest in VECTORS}
    assert by_name["Unicode"] == by_name["the same with NFD names"]


def test_a_file_equals_a_folder_that_holds_only_it(tmp_path: Path) -> None:
    write(tmp_path, {"model.joblib": b"hello"})
    assert digest_path(tmp_path / "model.joblib") == digest_path(tmp_path)


def test_a_relative_path_has_the_same_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"model.joblib": b"hello"})
    monkeypatch.chdir(tmp_path)
    assert digest_path("model.joblib") == digest_path(".") == digest_path(tmp_path)


def test_empty_folders_do_not_count(tmp_path: Path) -> None:
    before = digest_path(write(tmp_path, {"model.joblib": b"hello"}))
    (tmp_path / "empty" / "nested").mkdir(parents=True)
    assert digest_path(tmp_path) == before


def test_modes_and_times_do_not_count(tmp_path: Path) -> None:
    before = digest_path(write(tmp_path, {"model.joblib": b"hello"}))
    (tmp_path / "model.joblib").chmod(0o600)
    os.utime(tmp_path / "model.joblib", (0, 0))
    assert digest_path(tmp_path) == before


@pytest.mark.parametrize("target", ["model.joblib", "folder", "missing"])
def test_a_symlink_is_refused(target: str, tmp_path: Path) -> None:
    write(tmp_path, {"model.joblib": b"hello", "folder/file": b""})
    (tmp_path / "link").symlink_to(target)
    with pytest.raises(ArtifactInvalid, match="link' is a symlink: replace it"):
        digest_path(tmp_path)
    with pytest.raises(ArtifactInvalid, match="is a symlink"):
        digest_path(tmp_path / "link")


def test_a_pipe_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ArtifactInvalid, match="not a regular file"):
        digest_path(tmp_path)


def test_an_artifact_without_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ArtifactInvalid, match="holds no files"):
        digest_path(tmp_path)


def test_a_missing_path_raises_the_system_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        digest_path(tmp_path / "missing")


def test_a_name_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff")).write_bytes(b"")
    with pytest.raises(ArtifactInvalid, match="not valid UTF-8"):
        digest_path(tmp_path)


@pytest.mark.parametrize("name", ["", "/", "/etc/passwd", "../x", "a/../b", "a/./b", ".", "..", "a//b", "a/", "a\nb", "a\x00b", "a\x7f"])
def test_an_unsafe_name_is_refused(name: str) -> None:
    with pytest.raises(ArtifactInvalid, match="rename it"):
        canonical_path(name)


@pytest.mark.parametrize("name", ["x" * 256, "/".join(["x" * 200] * 6)])
def test_a_long_name_is_refused(name: str) -> None:
    with pytest.raises(ArtifactInvalid, match="too long"):
        canonical_path(name)


@pytest.mark.parametrize("names", [("a", "a"), ("mod\u00e8le", "mode\u0300le")])
def test_two_files_of_one_name_are_refused(names: tuple[str, str]) -> None:
    digest = TreeDigest()
    digest.add(names[0], 0, "0" * 64)
    with pytest.raises(ArtifactInvalid, match="two files are called"):
        digest.add(names[1], 0, "0" * 64)


@pytest.mark.parametrize("names", [("a", "a/b"), ("a/b/c", "a")])
def test_a_file_that_is_also_a_folder_is_refused(names: tuple[str, str]) -> None:
    with pytest.raises(ArtifactInvalid, match="'a' is both a file and a folder"):
        tree(dict.fromkeys(names, b""))


PARTS = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/"), min_size=1, max_size=8).filter(
    lambda part: part not in (".", "..")
)
NAMES = st.lists(PARTS, min_size=1, max_size=3).map("/".join)
TREES = st.dictionaries(NAMES, st.binary(max_size=20), min_size=1, max_size=6)


@given(TREES, st.randoms())
def test_any_tree_in_any_order_agrees_with_the_page(files: dict[str, bytes], random: object) -> None:
    names = list(files)
    random.shuffle(names)  # type: ignore[attr-defined]
    try:
        digest = tree({name: files[name] for name in names})
    except ArtifactInvalid:
        normal = {unicodedata.normalize("NFC", name) for name in files}
        assert len(normal) < len(files) or any(f"{one}/" in other for one in normal for other in normal)
    else:
        assert digest == independent(files)


@given(TREES, TREES)
def test_different_trees_have_different_digests(one: dict[str, bytes], other: dict[str, bytes]) -> None:
    try:
        digests = tree(one), tree(other)
    except ArtifactInvalid:
        return
    same = {unicodedata.normalize("NFC", n): c for n, c in one.items()} == {unicodedata.normalize("NFC", n): c for n, c in other.items()}
    assert (digests[0] == digests[1]) is same


def test_the_module_needs_the_standard_library_only() -> None:
    code = "import sys, slipway_runtime.fetch.digest; print(any(m in sys.modules for m in ('aiohttp', 's3fs', 'numpy', 'mlserver')))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "False"
