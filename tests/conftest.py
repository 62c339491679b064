"""How tests are spread over processes (pytest-xdist): what shares a cluster stays together, and the longest begins first."""

from __future__ import annotations

from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

ROOT = Path(__file__).parent
_FIRST = ("cluster_tests", "e2e", "faults", "integration")
"""Folders in the order in which they begin; the others fill what is left."""


class Rooms(LoadScopeScheduling):  # type: ignore[misc]
    """A group of tests at a time for each process. (`--dist loadgroup` of xdist 3.8 knows no groups under pytest 9.2.)"""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(ROOT.parent / nodeid.partition("::")[0])


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Rooms:
    return Rooms(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
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
