"""How tests are spread over processes (pytest-xdist): what shares a cluster stays together, and the longest begins first."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parent
_FIRST = ("cluster_tests", "e2e", "faults", "integration")
"""Folders in the order in which they begin; the others fill what is left."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.add_marker(pytest.mark.xdist_group(group_of(item.path)))
    items.sort(key=lambda item: _rank(item.path))


def group_of(path: Path) -> str:
    """Tests of one group run one after another, in one process: those of a folder with fixtures of its own, else those of a file."""
    if path.is_relative_to(ROOT / "cluster_tests") or path.is_relative_to(ROOT / "e2e"):
        return "cluster"  # there is one on a machine
    folder = next(parent for parent in path.parents if (parent / "conftest.py").exists())
    return str((path if folder == ROOT else folder).relative_to(ROOT))


def _rank(path: Path) -> int:
    folder = path.relative_to(ROOT).parts[0]
    return _FIRST.index(folder) if folder in _FIRST else len(_FIRST)
