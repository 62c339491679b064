"""A batch becomes rows of a table, and nothing of it is lost."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import orjson
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.collector.batch.conform import conform
from slipway.collector.batch.layout import FEATURE_TYPES, Columns
from slipway.collector.errors import Refused
from slipway.collector.settings import Limits

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
LIMITS = Limits()


def batch(count: int, **columns: Any) -> pa.Table:
    base = {
        "prediction_id": [f"p{index}" for index in range(count)],
        "row": pa.array([0] * count, pa.int32()),
        "time": pa.array([NOW] * count, pa.timestamp("us", "UTC")),
    }
    return pa.table({**base, **columns})


def columns(**types: pa.DataType) -> Columns:
    return Columns(types, {name: name for name in types})


def stored(values: pa.Array, target: pa.DataType) -> list[Any]:
    """What a reader finds for each value: in the column, or in `other`."""
    rows = conform(batch(len(values), in_a=values), "predictions", columns(in_a=target), {}, LIMITS).rows
    assert rows["in_a"].type == target
    found = []
    for value, other in zip(rows["in_a"].to_pylist(), rows["other"].to_pylist(), strict=True):
        aside = orjson.loads(other)["in_a"] if other else None
        assert value is None or aside is None
        found.append(value if value is not None else aside)
    return found


VALUES = st.one_of(
    st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), min_size=1).map(lambda found: pa.array(found, pa.int64())),
    st.lists(st.none() | st.integers(0, 2**64 - 1), min_size=1).map(lambda found: pa.array(found, pa.uint64())),
    st.lists(st.none() | st.floats(), min_size=1).map(lambda found: pa.array(found, pa.float64())),
    st.lists(st.none() | st.booleans(), min_size=1).map(lambda found: pa.array(found, pa.bool_())),
    st.lists(st.none() | st.text() | st.integers().map(str) | st.sampled_from(["true", "1.5", "1e5", "NaN"]), min_size=1).map(
        lambda found: pa.array(found, pa.string())
    ),
)


def same(value: Any, found: Any) -> bool:
    if value is None or found is None:
        return value is None and found is None
    if value == found:
        return True
    if isinstance(value, str) or isinstance(found, str):
        text, other = (value, found) if isinstance(value, str) else (found, value)
        if isinstance(other, bool):
            return text.lower() == str(other).lower()
        return float(text) == float(other) or (math.isnan(float(text)) and math.isnan(float(other))) or int(text) == other
    return math.isnan(value) and math.isnan(found)


@given(VALUES, st.sampled_from(FEATURE_TYPES))
def test_nothing_is_lost(values: pa.Array, target: pa.DataType) -> None:
    found = stored(values, target)
    assert all(same(value, kept) for value, kept in zip(values.to_pylist(), found, strict=True)), (values, found)


def test_the_models_schema_types_new_columns() -> None:
    given_rows = batch(2, in_age=pa.array([30.0, 31.5]), in_name=pa.array(["7", "x"]))
    made = conform(given_rows, "predictions", Columns(), {"in_age": "INT64", "in_name": "FP32"}, LIMITS)
    assert made.columns.types == {"in_age": pa.int64(), "in_name": pa.float64()}
    assert made.rows["in_age"].to_pylist() == [30, None]
    assert made.rows["other"].to_pylist() == [None, '{"in_age":31.5,"in_name":"x"}']


def test_what_others_know_stays_in_other() -> None:
    given_rows = batch(1, in_a=pa.array([0.5]), other=pa.array(['{"tensor":[1,2]}']), surprise=pa.array([3]))
    made = conform(given_rows, "predictions", columns(in_a=pa.int64()), {}, LIMITS)
    assert orjson.loads(made.rows["other"][0].as_py()) == {"tensor": [1, 2], "in_a": 0.5, "surprise": 3}


def test_a_full_table_takes_the_rest_aside() -> None:
    limits = Limits(table_columns=20)
    wide = batch(1, **{f"in_{index}": pa.array([index]) for index in range(30)})
    made = conform(wide, "predictions", Columns(), {}, limits)
    assert len(made.columns.types) == 2
    assert orjson.loads(made.rows["other"][0].as_py()) == {f"in_{index}": index for index in range(2, 30)}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"prediction_id": pa.array([None], pa.string())}, "prediction_id must be"),
        ({"prediction_id": pa.array([""])}, "prediction_id must be"),
        ({"prediction_id": pa.array(["a" * 257])}, "prediction_id must be"),
        ({"time": pa.array([None], pa.timestamp("us", "UTC"))}, "time must not be null"),
        ({"time": pa.array([2**62], pa.timestamp("us", "UTC"))}, "time must be between"),
        ({"row": pa.array(["x"])}, "column 'row' must be int32"),
        ({"status": pa.array([2**40])}, "column 'status' must be int32"),
    ],
)
def test_rows_that_are_none(change: dict[str, pa.Array], message: str) -> None:
    table = batch(1)
    made = pa.table({**{name: table[name] for name in table.column_names}, **change})
    with pytest.raises(Refused, match=message) as refused:
        conform(made, "predictions", Columns(), {}, LIMITS)
    assert refused.value.status == 400
