"""The digest of an artifact: one `sha256:<hex>` over the names, sizes and contents of its files.

The algorithm is the page docs/artifact-digest.md; a test holds this module, the page's vectors and an independent
implementation together. Standard library only: the CLI imports this module without the rest.
"""

from __future__ import annotations

import hashlib
import os
import stat
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from slipway_runtime.failure import ArtifactInvalid

HEADER = b"slipway-artifact-v1\n"
CHUNK_BYTES = 1 << 20
NAME_BYTES = 255
PATH_BYTES = 1024


class TreeDigest:
    """Collects one entry a file, in any order, and answers the digest of the whole."""

    def __init__(self) -> None:
        self.files: dict[str, str] = {}
        """Each file's path in NFC and its content's SHA-256 in hex."""
        self._entries: dict[bytes, bytes] = {}

    def add(self, path: str, size: int, sha256: str) -> None:
        """Add a file: its POSIX path relative to the artifact's root, its size in bytes, its content's SHA-256 in hex.

        Raises ArtifactInvalid for a name that `canonical_path` refuses and for a name that came before.
        """
        canonical = canonical_path(path)
        name = canonical.encode()
        if name in self._entries:
            raise ArtifactInvalid(f"two files are called {path!r} (after Unicode normalisation): rename one")
        self.files[canonical] = sha256
        self._entries[name] = b"%d:%s %d %s\n" % (len(name), name, size, sha256.encode("ascii"))

    def digest(self) -> str:
        """`sha256:<64 hex>` over all entries. Raises ArtifactInvalid when there is none, or a file is also a folder."""
        if not self._entries:
            raise ArtifactInvalid("the artifact holds no files: push a folder with at least one file")
        for name in self._entries:
            for folder in _parents(name):
                if folder in self._entries:
                    raise ArtifactInvalid(f"{folder.decode()!r} is both a file and a folder: rename one")
        content = HEADER + b"".join(self._entries[name] for name in sorted(self._entries))
        return f"sha256:{hashlib.sha256(content).hexdigest()}"


def digest_path(path: str | os.PathLike[str]) -> str:
    """The digest of a file, or of a folder with everything below it. Raises ArtifactInvalid, OSError."""
    tree = TreeDigest()
    for name, file in artifact_files(path):
        size, sha256 = hash_file(file)
        tree.add(name, size, sha256)
    return tree.digest()


def artifact_files(path: str | os.PathLike[str]) -> Iterator[tuple[str, Path]]:
    """Each file of an artifact as (its name in the artifact, where it is), in no particular order.

    A single file is an artifact with this one name, so a file and a folder that holds only that file are equal.
    Symlinks and special files raise ArtifactInvalid.
    """
    root = Path(path)
    mode = root.lstat().st_mode
    if stat.S_ISDIR(mode):
        yield from _walk(root, "")
    else:
        _require_regular(root, mode)
        yield root.absolute().name, root


def hash_file(path: Path) -> tuple[int, str]:
    """A file's size and the SHA-256 of its content in hex, read in pieces."""
    hasher = hashlib.sha256()
    size = 0
    with open(path, "rb", buffering=0) as file:
        while chunk := file.read(CHUNK_BYTES):
            hasher.update(chunk)
            size += len(chunk)
    return size, hasher.hexdigest()


def canonical_path(path: str) -> str:
    """The path in Unicode form NFC. Raises ArtifactInvalid unless it is relative, clean and valid UTF-8."""
    try:
        encoded = unicodedata.normalize("NFC", path).encode("utf-8")
    except UnicodeEncodeError:
        raise ArtifactInvalid(f"the file name {path!r} is not valid UTF-8: rename it") from None
    parts = encoded.split(b"/")
    if not all(parts) or b"." in parts or b".." in parts:
        raise ArtifactInvalid(f"the file name {path!r} is not a clean relative path: rename it")
    if any(byte < 0x20 or byte == 0x7F for byte in encoded):
        raise ArtifactInvalid(f"the file name {path!r} holds a control character: rename it")
    if len(encoded) > PATH_BYTES or any(len(part) > NAME_BYTES for part in parts):
        raise ArtifactInvalid(f"the file name {path!r} is too long ({NAME_BYTES} bytes a part, {PATH_BYTES} in all)")
    return encoded.decode()


def _walk(folder: Path, prefix: str) -> Iterator[tuple[str, Path]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            mode = entry.stat(follow_symlinks=False).st_mode
            if stat.S_ISDIR(mode):
                yield from _walk(Path(entry.path), f"{prefix}{entry.name}/")
            else:
                _require_regular(Path(entry.path), mode)
                yield f"{prefix}{entry.name}", Path(entry.path)


def _require_regular(path: Path, mode: int) -> None:
    if stat.S_ISLNK(mode):
        raise ArtifactInvalid(f"{str(path)!r} is a symlink: replace it with the file it points to")
    if not stat.S_ISREG(mode):
        raise ArtifactInvalid(f"{str(path)!r} is not a regular file: remove it from the artifact")


def _parents(name: bytes) -> Iterator[bytes]:
    while b"/" in name:
        name = name.rpartition(b"/")[0]
        yield name
