"""Which columns a run looks at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from slipway.api.v1alpha1.model_monitor import ModelMonitorSpec
from slipway.monitor.features import Columns, columns_of
from slipway.monitor.log.reading import LogTable
from slipway.monitor.log.span import Span
from slipway.monitor.stats.profile import build
from slipway.monitor.window import scanned
from tests.unit.monitor.tables import DEPLOYMENT, NAMESPACE, place_in, predictions, write
from tests.unit.monitor.test_assemble import NOW, WHEN

MODEL = {
    "spec": {
        "schema": {
            "inputs": [
                {"name": "monthly charges", "datatype": "FP64", "min": 0.0},
                {"name": "plan", "datatype": "BYTES", "categories": ["basic", "plus"]},
            ]
        }
    }
}


@pytest.fixture
def table(tmp_path: Path) -> LogTable:
    place = place_in(tmp_path)
    columns = {"in_monthly charges": pa.array([1.0, -1.0]), "out_predict": pa.array([1, 0]), "key_customer": pa.array([1, 2])}
    write(place, "predictions", predictions(["a", "b"], [WHEN.window.start] * 2, **columns))
    return LogTable(place, NAMESPACE, DEPLOYMENT, "predictions")


def columns(table: LogTable, profile: Any = None, **spec: Any) -> Columns:
    return columns_of(table, ModelMonitorSpec.model_validate({"deployment": "churn"} | spec), MODEL, profile)


def test_what_is_asked_for(table: LogTable) -> None:
    found = columns(table, drift={}, predictionDrift={})
    assert found.features == {"in_monthly_charges": "monthly charges", "in_plan": "plan"}
    assert found.outputs == {"out_predict": "predict"}
    assert found.kinds == {"in_monthly_charges": "Number", "in_plan": "Category", "out_predict": "Number"}
    assert found.ranges["in_monthly_charges"] == (0.0, None)
    assert found.categories == {"in_plan": ["basic", "plus"]}


def test_nothing_is_read_that_no_check_needs(table: LogTable) -> None:
    assert columns(table, serviceHealth={"maxErrorRate": 0.1}).kinds == {}


def test_what_the_baseline_alone_has(table: LogTable) -> None:
    profile = build([pa.record_batch({"in_gone": [1.5]})], {"in_gone": "Number"})
    assert columns(table, profile, drift={}).features["in_gone"] == "gone"


def test_a_window_is_counted(table: LogTable) -> None:
    found = scanned(table, Span(WHEN.window.start, NOW), columns(table, drift={}), None, sample=True)
    assert (found.profile.rows, found.profile.calls.total, found.version) == (2, 2, "3")
    assert found.sample is not None
    assert found.sample.to_pydict() == {"in_monthly_charges": [1.0, -1.0]}
