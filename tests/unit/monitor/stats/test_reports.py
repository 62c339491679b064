"""Columns as reports draw them."""

from __future__ import annotations

from typing import Any

import numpy as np

from slipway.monitor.result import ColumnReport
from slipway.monitor.stats.reports import column_reports
from tests.unit.monitor.stats.counted import kinds, normal, profile_of, window_of

BASELINE = {"in_age": normal(1, 1000), "in_plan": ["basic", "pro"] * 500, "in_kids": [0, 1] * 500, "out_predict": [0.5] * 1000}


def _reports(window: dict[str, Any], baseline: dict[str, Any] = BASELINE) -> dict[str, ColumnReport]:
    profile = profile_of(baseline)
    return {report.name: report for report in column_reports(profile, window_of(window, profile, kinds(baseline)))}


def test_numbers() -> None:
    values = normal(2, 500, 1)
    age = _reports({"in_age": [*values, None]})["age"]
    assert (age.role, age.type, age.rows, age.missing, age.minimum, age.maximum) == (
        "Feature",
        "Number",
        501,
        1,
        values.min(),
        values.max(),
    )
    assert age.baseline is not None
    assert age.window is not None
    assert age.window.edges is not None
    assert age.window.counts == np.histogram(values, age.window.edges)[0].tolist()
    assert sum(age.baseline.counts) == 1000


def test_texts() -> None:
    plan = _reports({"in_plan": ["basic"] * 3 + ["new"]})["plan"]
    assert plan.window is not None
    assert (plan.type, plan.unseen, plan.window.categories, plan.window.has_rest) == ("Category", 1, ["basic", "pro", "other"], True)
    assert plan.window.counts == [3, 0, 1]


def test_few_numbers_are_drawn_by_value() -> None:
    kids = _reports({"in_kids": [0, 1, 1]})["kids"]
    assert kids.window is not None
    assert (kids.type, kids.window.categories, kids.window.counts, kids.window.has_rest) == ("Number", ["0", "1"], [1, 2], False)


def test_outputs_and_constants_are_said_to_be() -> None:
    predict = _reports({"out_predict": [0.5]})["predict"]
    assert (predict.role, predict.note) == ("Output", "constant in the baseline")


def test_notes_say_why_there_is_no_drift() -> None:
    found = _reports({"in_age": ["old"], "in_plan": [None]})
    assert "ArrowInvalid" in found["age"].note
    assert found["plan"].note == "no values in the window"
    assert found["kids"].note == "the window has no such column"


def test_without_a_baseline() -> None:
    (report,) = column_reports(None, window_of({"in_age": [1.0, 2.0]}, None), {"in_age": "Age in years"})
    assert (report.name, report.note, report.baseline, report.mean) == ("Age in years", "there is no baseline for it", None, 1.5)
