"""Every test that docs/attacks.md names is there."""

from __future__ import annotations

import ast
import re

import pytest

from tests.unit.docs.pages import ROOT

PAGE = (ROOT / "docs/attacks.md").read_text()
ROW = re.compile(r"^\| (?!attack|---)(.+?) \|.*\| `([^`|]+)` \|$", re.MULTILINE)
NAMED = [test for _, test in ROW.findall(PAGE)]


def test_every_attack_names_one() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("| attack")]
    assert len(NAMED) == len(rows) >= 40


@pytest.mark.parametrize("named", NAMED)
def test_it_is_there(named: str) -> None:
    path, *parts = named.split("::")
    found: ast.AST = ast.parse((ROOT / "tests" / path).read_text())
    for part in parts:
        inside = {
            node.name: node
            for node in ast.iter_child_nodes(found)
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        }
        assert part in inside, f"{named}: no {part} in {path}"
        found = inside[part]
