"""Whether a live child still is what was applied."""

from __future__ import annotations

from typing import Any

import pytest

from slipway.plan.build.metadata import with_hash
from slipway.plan.differ import Difference, compare, contains


@pytest.mark.parametrize(
    ("live", "wanted", "expected"),
    [
        ({"a": 1, "b": 2}, {"a": 1}, True),
        ({"a": 1}, {"a": 2}, False),
        ({}, {"a": {"b": 1}}, False),
        ({"cpu": "1"}, {"cpu": "1000m"}, True),
        ({"memory": "1Gi"}, {"memory": "1024Mi"}, True),
        ({"cpu": "2"}, {"cpu": "1000m"}, False),
        ([{"name": "a", "x": 1}, {"name": "injected"}], [{"name": "a", "x": 1}], True),
        ([{"name": "b"}], [{"name": "a"}], False),
        (["--fast"], ["--fast"], True),
        (["--fast", "--more"], ["--fast"], False),
        (None, {}, True),
        (None, [], True),
        ("2026-11-23", "2026-11-24", False),
        (False, False, True),
        (None, "", True),
        (None, False, False),
    ],
)
def test_contains(live: Any, wanted: Any, expected: bool) -> None:
    assert contains(live, wanted) is expected


def manifest(image: str) -> dict[str, Any]:
    return with_hash({"metadata": {"name": "d", "annotations": {}}, "spec": {"image": image}})


def test_compare_tells_an_old_manifest_from_a_foreign_edit() -> None:
    applied = manifest("a")
    assert compare(applied, applied) is Difference.NONE
    assert compare(manifest("b"), applied) is Difference.OUTDATED
    assert compare(applied, applied | {"spec": {"image": "evil"}}) is Difference.EDITED
    assert compare(applied, {"metadata": {"name": "d"}, "spec": {"image": "a"}}) is Difference.OUTDATED
