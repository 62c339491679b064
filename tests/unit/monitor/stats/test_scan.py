"""The one pass over a window."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from slipway.monitor.stats.scan import Scanner, scan
from slipway.monitor.stats.tally import Numbers, Texts
from tests.unit.monitor.stats.counted import batch, normal, pieces, profile_of, window_of

ROWS: dict[str, Any] = {"in_x": normal(1, 4000), "in_plan": ["a", "b", None, "c"] * 1000}


def test_rows_without_an_answer_count_for_health_alone() -> None:
    window = window_of({"in_x": [1.0, 2.0, 3.0, 4.0], "status": [200, 500, 404, 200]}, None, {"in_x": "Number"})
    column = window.columns["in_x"]
    assert (window.rows, column.rows) == (2, 2)
    assert (window.calls.total, window.calls.failed, window.calls.refused) == (4, 1, 1)


def test_a_call_counts_once_however_many_rows_it_has() -> None:
    window = window_of({"row": [0, 1, 2, 0], "status": [200] * 4, "latency_ms": [5.0, 5.0, 5.0, 7.0]}, None, {})
    assert (window.rows, window.calls.total, window.calls.latencies.total) == (4, 2, 2)


def test_threads_count_the_same() -> None:
    profile = profile_of(ROWS)
    columns = {"in_x": "Number", "in_plan": "Category"}
    alone = window_of(ROWS, profile)
    together = scan(Scanner(profile, columns), iter(pieces(ROWS, 40)), threads=4)  # type: ignore[arg-type]
    for name in ROWS:
        one, other = alone.columns[name], together.columns[name]
        assert (one.rows, one.missing) == (other.rows, other.missing)
        if isinstance(one, Numbers) and isinstance(other, Numbers):
            assert one.below.tolist() == other.below.tolist()
            assert one.sums == pytest.approx(other.sums)
        else:
            assert isinstance(one, Texts)
            assert isinstance(other, Texts)
            assert one.counts.tolist() == other.counts.tolist()


def test_trouble_in_reading_reaches_the_caller() -> None:
    def batches() -> Iterator[pa.RecordBatch]:
        yield batch(ROWS)
        raise OSError("the store is gone")

    with pytest.raises(OSError, match="the store is gone"):
        scan(Scanner(None, {"in_x": "Number"}), batches())


def test_ranges_of_the_schema_are_stronger_than_the_baselines() -> None:
    profile = profile_of({"in_x": [1.0, 2.0, 3.0]})
    rows = {"in_x": [0.0, 1.0, 3.0, 4.0, float("inf"), float("nan"), None]}
    by_baseline, by_schema = window_of(rows, profile), window_of(rows, profile, ranges={"in_x": (0, None)})
    outside = [window.columns["in_x"].outside for window in (by_baseline, by_schema) if isinstance(window.columns["in_x"], Numbers)]
    assert outside == [3, 1]


def test_categories_of_the_schema_are_stronger_than_the_baselines() -> None:
    profile = profile_of({"in_plan": ["a", "b"]})
    rows = {"in_plan": ["a", "b", "c", "d", None]}
    by_baseline, by_schema = window_of(rows, profile), window_of(rows, profile, categories={"in_plan": ["a", "d"]})
    unseen = [window.columns["in_plan"].unseen for window in (by_baseline, by_schema) if isinstance(window.columns["in_plan"], Texts)]
    assert unseen == [2, 2]


def test_a_column_that_joined_later_is_missing_before() -> None:
    scanner = Scanner(None, {"in_x": "Number"})
    scanner.add(batch({"other": [1, 2, 3]}))
    scanner.add(batch({"in_x": [1.0]}))
    column = scanner.window().columns["in_x"]
    assert (column.rows, column.missing, column.absent) == (4, 3, 3)


@pytest.mark.parametrize(
    "values", [pa.array(["a", "b", None, "a"]).dictionary_encode(), pa.array(["a", "b", None, "a"], pa.large_string())]
)
def test_texts_of_any_sort(values: pa.Array) -> None:
    profile = profile_of({"in_plan": ["a", "a", "c"]})
    column = window_of({"in_plan": values}, profile, {"in_plan": "Category"}).columns["in_plan"]
    assert isinstance(column, Texts)
    assert (column.known, column.counts.tolist(), column.other, column.missing) == (["a", "c"], [2, 0], 1, 1)


@pytest.mark.parametrize("kind", [pa.int8(), pa.int64(), pa.uint64(), pa.float32(), pa.decimal128(21, 1)])
def test_numbers_of_any_sort(kind: pa.DataType) -> None:
    column = window_of({"in_x": pa.array([1, 2, None, 3]).cast(kind)}, None, {"in_x": "Number"}).columns["in_x"]
    assert isinstance(column, Numbers)
    assert (column.minimum, column.maximum, column.missing, column.mean) == (1, 3, 1, 2)


def test_memory_does_not_grow_with_rows() -> None:
    profile = profile_of(ROWS)
    sizes = set()
    for parts in (1, 30):
        column = window_of({"in_x": np.tile(ROWS["in_x"], parts)}, profile, {"in_x": "Number"}).columns["in_x"]
        assert isinstance(column, Numbers)
        sizes.add(column.below.nbytes + column.upto.nbytes + column.sums.nbytes)
    assert len(sizes) == 1
