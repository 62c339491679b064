from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from slipway.collector.batch.names import MAX_LENGTH, assign, cleaned

NAMES = st.lists(st.text(min_size=1, max_size=200).map(lambda text: f"in_{text}"), unique=True, max_size=20)


def test_what_delta_and_spark_refuse_goes() -> None:
    assert cleaned("in_sepal length (cm)") == "in_sepal_length__cm_"
    assert cleaned("in_a,b;c{d}\n\t=e") == "in_a_b_c_d____e"
    assert cleaned("in_größe-1.5") == "in_größe-1.5"


def test_a_name_keeps_its_column_whatever_comes() -> None:
    first = assign(["in_a b"], {})
    assert first == {"in_a b": "in_a_b"}
    both = assign(["in_a_b", "in_A b", "in_a b"], {column: name for name, column in first.items()})
    assert both["in_a b"] == "in_a_b"
    assert len({column.casefold() for column in both.values()}) == 3


@given(NAMES, NAMES)
def test_columns_never_meet(before: list[str], now: list[str]) -> None:
    first = assign(before, {"time": "time"})
    second = assign(now, {"time": "time"} | {column: name for name, column in first.items()})
    both = first | second
    assert len({column.casefold() for column in both.values()}) == len(both)
    assert all(second[name] == first[name] for name in set(before) & set(now))
    assert all(len(column) <= MAX_LENGTH and not set(column) & set(" ,;{}()\n\t=\"'`\\/") for column in both.values())
