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


@pytest.mark.parametrize(
    ("live", "wanted", "same"),
    [
        ("1", "1000m", True),
        ("1", 1, True),
        ("350m", "0.35", True),
        ("2300m", "2.3", True),
        ("1m", "0.0001", True),
        ("1Gi", "1024Mi", True),
        ("1536Mi", "1.5Gi", True),
        ("1e3", "1k", True),
        ("1e3", "1000", True),
        ("12E6", "12M", True),
        ("1E", "1000000000000M", True),
        ("351m", "0.35", False),
        ("2", "1000m", False),
        ("1000000000000001", "1000000000000000", False),
        (None, "1", False),
        ("one", "1", False),
    ],
)
def test_quantities_are_compared_by_value(live: Any, wanted: Any, same: bool) -> None:
    assert contains({"requests": {"cpu": live}}, {"requests": {"cpu": wanted}}) is same


def test_text_that_looks_like_a_quantity_is_text() -> None:
    assert not contains([{"name": "A", "value": "1"}], [{"name": "A", "value": "1000m"}])


def manifest(image: str) -> dict[str, Any]:
    return with_hash({"metadata": {"name": "d", "annotations": {}}, "spec": {"image": image}})


def test_compare_tells_an_old_manifest_from_a_foreign_edit() -> None:
    applied = manifest("a")
    assert compare(applied, applied) is Difference.NONE
    assert compare(manifest("b"), applied) is Difference.OUTDATED
    assert compare(applied, applied | {"spec": {"image": "evil"}}) is Difference.EDITED
    assert compare(applied, {"metadata": {"name": "d"}, "spec": {"image": "a"}}) is Difference.OUTDATED
