"""Which truth belongs to which answer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from slipway.api.v1alpha1.model_monitor import Truths
from slipway.collector.settings import LogPlace
from slipway.monitor.log import truth
from slipway.monitor.log.reading import LogTable
from slipway.monitor.log.span import Span
from slipway.monitor.log.truth import Joined, Question, join
from tests.unit.monitor.tables import DEPLOYMENT, NAMESPACE, actuals, place_in, predictions, write

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)


@pytest.fixture
def place(tmp_path: Path) -> LogPlace:
    """Six answers, one a day; the last is today's."""
    place = place_in(tmp_path)
    times = [NOW - DAY * back - timedelta(hours=1) for back in (5, 4, 3, 2, 1, 0)]
    columns = {
        "out_predict": pa.array([0, 1, 0, 1, 0, 1]),
        "key_customer": pa.array([1, 2, 3, 1, 5, 6]),
        "in_plan": pa.array(list("aabbab")),
    }
    write(place, "predictions", predictions([f"id-{n}" for n in range(6)], times, **columns))
    return place


def joined(place: LogPlace, delay: int = 3, days: int = 30) -> Joined:
    tables = [LogTable(place, NAMESPACE, DEPLOYMENT, kind) for kind in ("predictions", "actuals")]
    span = Span.before(NOW, DAY * days)
    return join(tables[0], tables[1], Question(span, "predict", ["prediction_id", "out_predict", "in_plan"], DAY * delay, NOW))


def known(found: Joined) -> dict[str, Any]:
    return {row["prediction_id"]: row["truth_label"] for row in found.matched.to_pylist()}


def bring(place: LogPlace, *rows: dict[str, Any], version: int = 1) -> None:
    write(place, "actuals", actuals(list(rows)), version)


def test_by_id(place: LogPlace) -> None:
    bring(
        place,
        {"prediction_id": "id-1", "label": "1", "value": 1.0, "arrived": NOW},
        {"prediction_id": "id-9", "label": "1", "arrived": NOW},
    )
    found = joined(place)
    assert found.matched.to_pylist() == [
        {"truth_value": 1.0, "truth_label": "1", "prediction_id": "id-1", "out_predict": 1, "in_plan": "a"}
    ]
    assert found.truths == Truths(matched=1, waiting=3, unmatched=2, late=1)


def test_the_last_one_holds(place: LogPlace) -> None:
    for version, (label, ago) in enumerate([("no", 3), ("yes", 1), ("maybe", 2)], 1):
        bring(place, {"prediction_id": "id-5", "label": label, "arrived": NOW - timedelta(minutes=ago)}, version=version)
    assert known(joined(place)) == {"id-5": "yes"}


def test_other_outputs_and_rows_are_not_meant(place: LogPlace) -> None:
    bring(
        place,
        {"prediction_id": "id-1", "label": "1", "arrived": NOW, "output": "score"},
        {"prediction_id": "id-2", "label": "2", "arrived": NOW, "output": "predict"},
        {"prediction_id": "id-3", "label": "3", "arrived": NOW, "row": 7},
    )
    assert known(joined(place)) == {"id-2": "2"}


def test_by_key(place: LogPlace) -> None:
    """A key has several predictions: its truth is about those that were made before it came."""
    bring(place, {"key_customer": 1, "label": "left", "arrived": NOW - 3 * DAY}, {"key_customer": 6, "label": "stays", "arrived": NOW})
    assert known(joined(place)) == {"id-0": "left", "id-5": "stays"}


def test_by_key_of_another_type_or_unknown(place: LogPlace) -> None:
    bring(place, {"key_customer": "2", "label": "left", "arrived": NOW}, {"key_account": "x", "label": "left", "arrived": NOW})
    assert known(joined(place)) == {"id-1": "left"}


def test_no_truth_yet(place: LogPlace) -> None:
    found = joined(place)
    assert len(found.matched) == 0
    assert found.truths == Truths(matched=0, waiting=3, unmatched=3, late=0)


def test_no_table_at_all(tmp_path: Path) -> None:
    found = joined(place_in(tmp_path / "nothing"))
    assert found.truths == Truths()
    assert len(found.matched) == 0


def test_failed_calls_wait_for_nothing(place: LogPlace) -> None:
    batch = predictions(["bad"], [NOW - timedelta(hours=2)])
    write(place, "predictions", batch.set_column(batch.column_names.index("status"), "status", pa.array([500], pa.int32())), 2)
    assert joined(place).truths == Truths(waiting=3, unmatched=3)


def test_of_too_many_a_part_is_compared(place: LogPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(truth, "MAX_MATCHED", 500)
    ids = [f"many-{n}" for n in range(5000)]
    write(place, "predictions", predictions(ids, [NOW - timedelta(hours=2)] * 5000), 2)
    bring(place, *({"prediction_id": name, "label": "1", "arrived": NOW} for name in ids))
    first, again = joined(place), joined(place)
    assert 400 < len(first.matched) < 600
    assert first.truths.matched == 5000
    assert known(first) == known(again)
