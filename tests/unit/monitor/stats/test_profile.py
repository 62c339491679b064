"""A baseline, made in one pass."""

from __future__ import annotations

from unittest.mock import patch

import numpy as np
import pyarrow as pa
import pytest

from slipway.monitor.stats import gather, profile
from slipway.monitor.stats.compare import baseline_bins
from slipway.monitor.stats.profile import CategoryProfile, NumberProfile, Profile, build
from tests.unit.monitor.stats.counted import batch, normal, pieces, profile_of


def _number(values: object) -> NumberProfile:
    column = profile_of({"in_x": values}).columns["in_x"]
    assert isinstance(column, NumberProfile)
    return column


def test_ten_bins_of_equal_frequency() -> None:
    column = _number(normal(1, 10_000))
    assert not column.by_value
    assert baseline_bins(column) == pytest.approx(np.full(10, 1000), abs=1)


def test_summary_of_numbers() -> None:
    values = normal(2, 5_000, 3, 2)
    column = _number([*values, None, float("nan"), float("inf")])
    assert (column.rows, column.missing, column.infinite, column.sampled) == (5003, 2, 1, 5000)
    assert (column.minimum, column.maximum) == (values.min(), values.max())
    assert (column.mean, column.deviation) == pytest.approx((values.mean(), values.std()))


def test_few_values_are_bins_of_their_own() -> None:
    column = _number([3, 1, 1, 2, 2, 2])
    assert (column.by_value, column.edges) == (True, (1.0, 2.0, 3.0))
    assert baseline_bins(column).tolist() == [2, 3, 1, 0]


def test_a_frequent_value_has_a_bin_of_its_own() -> None:
    values = np.concatenate([np.zeros(600), normal(3, 400, 10)])
    assert baseline_bins(_number(values))[0] == 600


def test_edges_are_distinct_and_ascending() -> None:
    edges = _number(np.concatenate([np.full(500, 5.0), np.arange(100)])).edges
    assert list(edges) == sorted(set(edges))


def test_the_most_frequent_categories_and_the_rest() -> None:
    texts = [f"c{index:03}" for index in range(80) for _ in range(100 - index)]
    column = profile_of({"in_plan": texts}).columns["in_plan"]
    assert isinstance(column, CategoryProfile)
    assert column.categories == tuple(f"c{index:03}" for index in range(50))
    assert (column.counts[0], column.rest, len(column.others), column.complete) == (
        100,
        sum(100 - index for index in range(50, 80)),
        30,
        True,
    )


def test_booleans_are_categories() -> None:
    column = profile_of({"in_new": [True, True, False, None]}).columns["in_new"]
    assert isinstance(column, CategoryProfile)
    assert (dict(zip(column.categories, column.counts, strict=True)), column.missing) == ({"true": 2, "false": 1}, 1)


def test_too_many_categories_are_not_all_kept() -> None:
    with patch.object(gather, "MAX_DISTINCT", 200):
        column = profile_of({"in_id": [str(index) for index in range(1000)] + ["often"] * 50}).columns["in_id"]
    assert isinstance(column, CategoryProfile)
    assert not column.complete
    assert column.categories[0] == "often"
    assert sum(column.counts) + column.rest == 1050


def test_a_large_baseline_is_sampled_alike() -> None:
    values = normal(4, 50_000)
    with patch.object(profile, "SAMPLE_ROWS", 10_000):
        column = build(pieces({"in_x": values}, 20), {"in_x": "Number"}).columns["in_x"]
    assert isinstance(column, NumberProfile)
    assert 5_000 <= column.sampled <= 10_000
    assert (column.rows, column.minimum, column.maximum) == (50_000, values.min(), values.max())
    assert column.edges == pytest.approx(np.quantile(values, np.linspace(0.1, 0.9, 9)), abs=0.1)


def test_it_is_the_same_however_it_comes_in_pieces() -> None:
    rows = {"in_x": normal(5, 3000), "in_plan": ["a", "b", "b"] * 1000}
    one, many = profile_of(rows, 1), profile_of(rows, 50)
    assert one.columns["in_plan"] == many.columns["in_plan"]
    column, other = one.columns["in_x"], many.columns["in_x"]
    assert isinstance(column, NumberProfile)
    assert isinstance(other, NumberProfile)
    assert (column.edges, column.below) == (other.edges, other.below)


def test_json_and_back() -> None:
    rows = {"in_x": normal(6, 500), "in_k": [1, 2] * 250, "in_plan": ["a", None] * 250, "in_none": pa.nulls(500, pa.float64())}
    made = profile_of(rows)
    assert Profile.from_json(made.to_json()) == made


def test_json_of_another_version_is_refused() -> None:
    with pytest.raises(ValueError, match="schema_version"):
        Profile.from_json(profile_of({"in_x": [1.0]}).to_json().replace('"schema_version":1', '"schema_version":2'))


def test_a_column_that_is_no_number_has_a_note_and_others_a_profile() -> None:
    made = build([batch({"in_x": ["a", "b"], "in_y": [1.0, 2.0]})], {"in_x": "Number", "in_y": "Number", "in_z": "Number"})
    assert set(made.columns) == {"in_y"}
    assert "ArrowInvalid" in made.notes["in_x"]
    assert made.notes["in_z"] == "the baseline has no such column"
