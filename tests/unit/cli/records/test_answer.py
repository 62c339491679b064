"""What a trace shows of the prediction log."""

from __future__ import annotations

from typing import Any

import pytest

from slipway.cli.errors import CliError
from slipway.cli.output import text
from slipway.cli.records.answer import NOTHING, Answer, lines, looked_up
from slipway.cli.records.trace import _show, traced
from tests.unit.cli.governance.samples import EVIL
from tests.unit.cli.predictions.stand_in import collector
from tests.unit.cli.predictions.test_collector import cluster, given
from tests.unit.cli.records.samples import facts

DIGEST = "sha256:" + "3" * 64
ROW = {
    "prediction_id": "0b7a", "row": 0, "rows": 1, "time": "2026-11-25T09:00:00Z", "version": "3", "digest": DIGEST, "status": 200,
    "latency_ms": 3.14159265, "protocol": "REST", "caller": EVIL, "in_age": 30, "in_plan": "gold", "out_predict": 1, "key_customer": 7,
}  # fmt: skip
TRUTH = {"prediction_id": "0b7a", "row": 0, "output": "churn", "label": "1", "time": "2026-12-01T00:00:00Z", "late": True}


def shown(answer: Answer) -> list[str]:
    return [f"{head}: {said}" for head, said in lines(answer.as_json("0b7a"))]


def test_the_row_its_truth_and_what_the_model_saw() -> None:
    assert shown(Answer((ROW,), (TRUTH,))) == [
        f": asked at 2026-11-25T09:00:00Z over REST by {EVIL} (as the caller says), answered 200 in 3.14159 ms",
        "It saw: age=30  plan=gold",
        "Known as: customer=7",
        "It said: predict=1",
        "Truth: churn=1 (2026-12-01T00:00:00Z, late)",
    ]


def test_several_rows_are_numbered_and_many_are_cut() -> None:
    rows = tuple(ROW | {"row": number, "rows": 12} for number in range(12))
    said = shown(Answer(rows, (TRUTH | {"row": 11},)))
    assert "It saw: row 10 of 12: age=30  plan=gold" in said
    assert ": … and 2 more rows: -o json" in said
    assert "Truth: row 12: churn=1 (2026-12-01T00:00:00Z, late)" in said


def test_a_call_that_failed_and_one_without_bodies() -> None:
    failed: dict[str, Any] = {"status": 400, "error": "columns are missing", "time": "t", "protocol": "gRPC", "latency_ms": 1.0}
    assert shown(Answer((failed,)))[-1] == "It said: columns are missing"
    assert "It saw: not kept" in shown(Answer(({**failed, "truncated": True},)))
    assert "too large to be kept" in shown(Answer(({**failed, "truncated": True},)))[0]


def test_it_is_part_of_the_trace(capsys: pytest.CaptureFixture[str]) -> None:
    found = traced("0b7a", facts(), "3", DIGEST, Answer((ROW,), (TRUTH,)))
    _show(found)
    page = capsys.readouterr().out
    assert "It saw       age=30  plan=gold" in page
    assert text(EVIL).plain in page
    assert found["prediction"]["actuals"] == [TRUTH]


def test_nothing_there_and_no_way_there() -> None:
    with collector(lambda _: (200, {"predictions": [], "actuals": []})) as stand_in:
        assert looked_up(given(stand_in.url), cluster("mine"), "churn", "0b7a").note == NOTHING
    assert "predictionLog.enabled=false" in looked_up(given(None), cluster("mine"), "churn", "0b7a").note


def test_headers_that_are_not_the_logs() -> None:
    answer = Answer((ROW,))
    answer.check(version="3", digest=None)
    with pytest.raises(CliError, match="by the prediction log version 3 answered, not 4"):
        answer.check(version="4")
    Answer().check(version="4")
