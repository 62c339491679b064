"""The scikit-learn version that saved a pickle, read without unpickling: a pickle is code.

scikit-learn puts `_sklearn_version` into each estimator's state (BaseEstimator.__getstate__): two string opcodes in a
row, the key and its value. They are searched for, not parsed up to, since joblib writes arrays raw between opcodes.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

CHUNK = 1 << 20
OVERLAP = 128
"""Bytes kept of the chunk before: more than the pattern's longest match."""

PATTERN = re.compile(
    rb"_sklearn_version"
    rb"(?:\x94|q.|r.{4}|\np\d+\n)?"  # memoize: MEMOIZE, BINPUT, LONG_BINPUT, PUT
    rb"(?:\x95.{8})?"  # FRAME
    rb"(?:\x8c.|X.{4}|V)"  # SHORT_BINUNICODE, BINUNICODE, UNICODE
    rb"(\d{1,4}\.\d{1,4}(?:\.\d{1,4})?(?:(?:a|b|rc|\.dev|\.post)\d{1,4})?)",
    re.DOTALL,
)


def sklearn_version(path: Path) -> str | None:
    """Such as `1.9.1`; None when the file does not say, or cannot be decompressed."""
    tail = b""
    try:
        for chunk in _pieces(path):
            data = tail + chunk
            # A match that touches the end may go on in the next chunk.
            if (match := PATTERN.search(data)) and match.end() < len(data):
                return match[1].decode()
            tail = data[-OVERLAP:]
    except (OSError, EOFError, zlib.error, lzma.LZMAError):
        return None
    match = PATTERN.search(tail)
    return match[1].decode() if match else None


def minor(version: str) -> str | None:
    """`1.9.1` → `1.9`; None when it begins otherwise."""
    found = re.match(r"\d+\.\d+", version)
    return found[0] if found else None


def _pieces(path: Path) -> Iterator[bytes]:
    """The file's content, decompressed as joblib would."""
    with path.open("rb") as file:
        start = file.read(6)
        file.seek(0)
        if start[:1] == b"\x78":
            yield from _inflate(file)
            return
    opener = next((opener for magic, opener in OPENERS.items() if start.startswith(magic)), None)
    with opener(path) if opener else path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            yield chunk


def _inflate(file: BinaryIO) -> Iterator[bytes]:
    inflater = zlib.decompressobj()
    while chunk := file.read(CHUNK):
        while chunk:
            yield inflater.decompress(chunk, CHUNK)
            chunk = inflater.unconsumed_tail
    yield inflater.flush()


OPENERS: dict[bytes, Callable[..., Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ": lzma.open,
    b"\x5d\x00\x00": lzma.open,
}
"""How to open a compressed file, by its first bytes."""
