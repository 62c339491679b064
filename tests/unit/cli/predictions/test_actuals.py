"""Ground truth from files: what is sent, and what is said about rows that lack something."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from slipway.cli.errors import CliError
from slipway.cli.predictions.actuals import BATCH_ROWS, send, told
from slipway.cli.predictions.collector import reached
from slipway.cli.predictions.truths import Shape, truths
from tests.unit.cli.predictions.stand_in import Answer, Asked, collector
from tests.unit.cli.predictions.test_collector import cluster, given


def written(folder: Path, text: str) -> Path:
    file = folder / "truths.csv"
    file.write_text(text)
    return file


def test_by_prediction_id(tmp_path: Path) -> None:
    file = written(tmp_path, "prediction_id,row,value,time\n0b7a,0,1,2026-11-22T08:00:00Z\n0b7b,1,0,2026-11-22\n")
    assert list(truths(file, Shape())) == [
        {"prediction_id": "0b7a", "row": 0, "time": "2026-11-22T08:00:00+00:00", "output": "predict", "value": 1},
        {"prediction_id": "0b7b", "row": 1, "time": "2026-11-22T00:00:00+00:00", "output": "predict", "value": 0},
    ]


def test_by_keys_and_another_output(tmp_path: Path) -> None:
    file = written(tmp_path, "customer,shop,churned\n0071,3,true\n0815,4,false\n")
    assert list(truths(file, Shape(("customer", "shop"), value="churned", output="churn"))) == [
        {"key": {"customer": "0071", "shop": 3}, "output": "churn", "value": True},
        {"key": {"customer": "0815", "shop": 4}, "output": "churn", "value": False},
    ]


def test_parquet(tmp_path: Path) -> None:
    file = tmp_path / "truths.parquet"
    columns: dict[str, Any] = {
        "prediction_id": ["a", "b"],
        "value": [1.5, 2.5],
        "time": pa.array([datetime(2026, 11, 22, 8, tzinfo=UTC)] * 2),
        "output": ["x", None],
        "unused": [date(2026, 1, 1)] * 2,
    }
    pq.write_table(pa.table(columns), file)
    assert [(row["output"], row["value"], row["time"]) for row in truths(file, Shape())] == [
        ("x", 1.5, "2026-11-22T08:00:00+00:00"),
        ("predict", 2.5, "2026-11-22T08:00:00+00:00"),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "has no rows below its header"),
        ("prediction_id,truth\na,1\n", "has no column value, only prediction_id, truth: name the right ones"),
        ("prediction_id,value\na,1\nb,\n", "row 2 has nothing in column value"),
        ("prediction_id,value\na,1,2\n", "row 1 of .* has 3 values, and the header 2"),
        ("prediction_id,value,time\na,1,yesterday\n", "row 1: the time 'yesterday' must be such as"),
    ],
)
def test_what_is_wrong_with_a_file(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(CliError, match=said):
        list(truths(written(tmp_path, text), Shape()))


def test_what_is_no_parquet(tmp_path: Path) -> None:
    file = tmp_path / "truths.parquet"
    file.write_text("a,b\n")
    with pytest.raises(CliError, match="cannot read .* as Parquet"):
        list(truths(file, Shape()))


def test_batches_are_numbered_and_counts_added() -> None:
    def answer(asked: Asked) -> Answer:
        return 200, {"accepted": len(asked.body["rows"]) - 1, "unmatched": 1, "state": "Stored"}

    rows = ({"prediction_id": str(number), "output": "predict", "value": 1} for number in range(BATCH_ROWS + 2))
    with collector(answer) as stand_in, reached(given(stand_in.url), cluster("mine")) as way:
        counts = send(way, "growth", "churn", rows)
    assert counts == {"accepted": BATCH_ROWS, "duplicate": 0, "unmatched": 2, "late": 0}
    assert [asked.headers["x-slipway-sequence"] for asked in stand_in.asked] == ["1", "2"]
    assert len({asked.headers["x-slipway-writer"] for asked in stand_in.asked}) == 1
    assert [len(asked.body["rows"]) for asked in stand_in.asked] == [BATCH_ROWS, 2]
    assert stand_in.asked[0].body["deployment"] == "churn"
    assert told(counts) == f"{BATCH_ROWS} accepted; 2 are of no prediction that the log has (kept until one comes)"
