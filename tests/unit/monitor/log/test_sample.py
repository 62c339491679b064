"""A few rows of many."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from slipway.monitor.log.sample import Sample, sampled


def batches(count: int, size: int = 1000) -> list[pa.RecordBatch]:
    return [pa.record_batch({"a": np.arange(place * size, (place + 1) * size)}) for place in range(count)]


def test_fewer_are_all() -> None:
    assert sampled(batches(2), 5000, 1)["a"].to_pylist() == list(range(2000))


def test_of_more_each_is_as_likely() -> None:
    found = np.sort(np.concatenate([sampled(batches(50), 1000, seed)["a"].to_numpy() for seed in range(20)]))
    assert len(found) == 20_000
    expected = np.linspace(0, 50_000, 20_000)
    assert np.abs(found - expected).max() < 50_000 * 1.95 / np.sqrt(20_000)


def test_the_same_in_every_run() -> None:
    assert sampled(batches(20), 100, 3) == sampled(batches(20), 100, 3)
    assert sampled(batches(20), 100, 3) != sampled(batches(20), 100, 4)


def test_columns_that_come_later() -> None:
    found = sampled([pa.record_batch({"a": [1]}), pa.record_batch({"a": [2], "b": ["x"]})], 10, 1)
    assert found.to_pylist() == [{"a": 1, "b": None}, {"a": 2, "b": "x"}]


def test_nothing() -> None:
    assert len(Sample(10, 1).rows()) == 0
