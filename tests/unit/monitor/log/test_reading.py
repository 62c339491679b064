"""What a run reads of a table: the span, the columns, a piece at a time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from slipway.collector.settings import LogPlace
from slipway.monitor.log import reading
from slipway.monitor.log.ahead import ahead
from slipway.monitor.log.reading import LogTable
from slipway.monitor.log.span import Span
from tests.unit.monitor.tables import DEPLOYMENT, NAMESPACE, place_in, predictions, write

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def place(tmp_path: Path) -> LogPlace:
    """Ten days, a row an hour, the last at noon."""
    place = place_in(tmp_path)
    times = [NOON - HOUR * back for back in range(240)]
    write(place, "predictions", predictions([f"id-{n}" for n in range(240)], times, **{"in_age": pa.array(range(240))}))
    return place


def opened(place: LogPlace, kind: str = "predictions") -> LogTable:
    return LogTable(place, NAMESPACE, DEPLOYMENT, kind)


def ages(table: LogTable, span: Span) -> list[int]:
    return sorted(age for batch in table.batches(span, ["in_age"]) for age in batch["in_age"].to_pylist())


def test_the_end_is_not_in_it(place: LogPlace) -> None:
    assert ages(opened(place), Span(NOON - 3 * HOUR, NOON)) == [1, 2, 3]
    assert ages(opened(place), Span(NOON - 2 * HOUR - timedelta(microseconds=1), NOON + timedelta(microseconds=1))) == [0, 1, 2]


def test_nothing_but_the_columns(place: LogPlace) -> None:
    (names,) = {tuple(batch.schema.names) for batch in opened(place).batches(Span(NOON - 3 * HOUR, NOON), ["in_age", "in_gone", "status"])}
    assert names == ("in_age", "status")


def test_other_days_are_not_opened(place: LogPlace, tmp_path: Path) -> None:
    table = opened(place)
    for file in tmp_path.rglob("*.parquet"):
        if "2026-11-20" not in str(file):
            file.unlink()
    assert ages(table, Span(NOON - 2 * HOUR, NOON)) == [1, 2]


def test_an_empty_window(place: LogPlace) -> None:
    assert ages(opened(place), Span(NOON + HOUR, NOON + 2 * HOUR)) == []


def test_no_table(tmp_path: Path) -> None:
    table = opened(place_in(tmp_path))
    assert ages(table, Span(NOON - HOUR, NOON)) == []
    assert table.columns.types == {}


def test_challengers_are_left_out(place: LogPlace) -> None:
    batch = predictions(["a", "b"], [NOON - HOUR] * 2, **{"in_age": pa.array([1000, 1001])})
    roles = pa.array(["Canary", "Challenger"])
    write(place, "predictions", batch.set_column(batch.column_names.index("role"), "role", roles), 2)
    assert ages(opened(place), Span(NOON - HOUR, NOON)) == [1, 1000]


def test_a_column_that_came_later(place: LogPlace) -> None:
    write(place, "predictions", predictions(["a"], [NOON - HOUR], **{"in_new": pa.array(["x"])}), 2)
    rows = pa.Table.from_batches(list(opened(place).padded_batches(Span(NOON - HOUR, NOON), ["in_age", "in_new"])))
    assert sorted(rows.to_pylist(), key=str) == [{"in_age": 1, "in_new": None}, {"in_age": None, "in_new": "x"}]


def test_a_piece_at_a_time(place: LogPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "READ_ROWS", 5000)
    count = 20_000
    write(place, "predictions", predictions([str(n) for n in range(count)], [NOON - HOUR] * count, **{"in_age": pa.array([7] * count)}), 2)
    sizes = [len(batch) for batch in opened(place).batches(Span(NOON - HOUR, NOON), ["in_age"])]
    assert sum(sizes) == count + 1
    assert max(sizes) <= 20_000


def test_names_as_they_were(place: LogPlace) -> None:
    write(place, "predictions", predictions(["a"], [NOON], **{"in_monthly charges": pa.array([1.5])}), 2)
    assert opened(place).by_original["in_monthly charges"] == "in_monthly_charges"


def test_ahead_keeps_order_and_errors() -> None:
    def items() -> Iterator[int]:
        yield from range(3)
        raise OSError("gone")

    coming = ahead(items())
    assert [next(coming) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(OSError, match="gone"):
        next(coming)
