"""The pages that people read, and what the tests take out of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[3]
NOT_APPLIED = "<!-- not applied -->"
_BLOCK = re.compile(r"^(?P<indent> *)```(?P<language>\w*)[^\n]*\n(?P<body>.*?)^(?P=indent)```", re.MULTILINE | re.DOTALL)


def pages() -> list[Path]:
    """README, CHANGELOG and everything below docs/."""
    return [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(text: str, language: str, *, unapplied: bool = False) -> Iterator[tuple[int, str]]:
    """Line number and content of each fenced block of the language; those marked as not applied only where asked for."""
    for match in _BLOCK.finditer(text):
        before = text[: match.start()]
        if match["language"] == language and (unapplied or not before.rstrip().endswith(NOT_APPLIED)):
            yield before.count("\n") + 1, match["body"]


def prose(text: str) -> str:
    """The page without its fenced blocks and inline code."""
    return re.sub(r"`[^`\n]*`", "", _BLOCK.sub("", text))
