"""Estimates without truth: NannyML's on its own data, near the truth where it is known after all, and refused where there is no ground."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from slipway.api.v1alpha1.model import Task
from slipway.api.v1alpha1.model_monitor import Metric, MetricThresholds
from slipway.monitor.performance.estimate import estimate
from slipway.monitor.performance.evaluate import evaluate
from tests.unit.monitor.performance.tables import binary, binary_table, multiclass, multiclass_table, regression_table, spec

GOLDEN = Path(__file__).parents[3] / "golden_statistics"
NAMES: dict[str, Metric] = {"roc_auc": "auc", "accuracy": "accuracy", "f1": "f1", "precision": "precision", "recall": "recall"}
CLASSES: tuple[Metric, ...] = ("accuracy", "precision", "recall", "f1", "auc", "logLoss", "brier")


def golden_tables(kind: str) -> tuple[pa.Table, list[pa.Table]]:
    """The reference, and each chunk."""
    rows = pq.read_table(GOLDEN / f"nannyml_cbpe_{kind}.parquet")
    every = rows.take(np.repeat(np.arange(len(rows)), rows["rows"].to_numpy()))
    for name in [name for name in every.column_names if name.startswith("p_")]:
        every = every.set_column(every.column_names.index(name), name, pa.array(every[name].to_numpy() / 100))
    chunks = every["chunk"].to_numpy()
    return every.filter(pa.array(chunks == -1)), [every.filter(pa.array(chunks == number)) for number in range(chunks.max() + 1)]


@pytest.mark.parametrize(
    ("kind", "task", "near"), [("binary", "BinaryClassification", 1e-6), ("multiclass", "MulticlassClassification", 0.01)]
)
def test_cbpe_is_nannymls(kind: str, task: Task, near: float) -> None:
    reference, chunks = golden_tables(kind)
    golden = json.loads((GOLDEN / "nannyml_cbpe.json").read_text())[kind]
    assert len(chunks) == len(golden) > 1
    for chunk, theirs in zip(chunks, golden, strict=True):
        ours = {check.measure: check.value for check in estimate(reference, chunk, task, spec(*NAMES.values())).checks}
        assert ours == pytest.approx({NAMES[name]: value for name, value in theirs.items()}, abs=near)


@pytest.mark.parametrize("steep", [1.0, 3.0])
def test_of_a_binary_model_it_is_near_the_truth_calibrated_or_not(steep: float) -> None:
    """Fewer certain answers in the window: features shift, what they mean does not."""
    window = binary_table(*_uncertain(binary(20_000, 1, steep)))
    found = estimate(binary_table(*binary(5_000, 0, steep)), window, "BinaryClassification", spec(*CLASSES))
    really = evaluate(window, "BinaryClassification", spec(*CLASSES)).checks
    assert {check.measure: check.value for check in found.checks} == pytest.approx({one.measure: one.value for one in really}, abs=0.03)
    assert really[0].value is not None
    assert really[0].value < 0.72
    assert {check.check for check in found.checks} == {"EstimatedPerformance"}
    assert found.report.estimated
    assert sum(map(sum, found.report.confusion)) == pytest.approx(window.num_rows, abs=2)


def _uncertain(rows: tuple[Any, Any]) -> tuple[Any, Any]:
    truth, score = rows
    kept = (np.abs(score - 0.5) < 0.35) | (np.arange(len(score)) % 10 == 0)
    return truth[kept], score[kept]


def test_of_many_classes_it_is_near_the_truth() -> None:
    window = multiclass_table(*multiclass(8_000, 1))
    found = estimate(multiclass_table(*multiclass(8_000, 0)), window, "MulticlassClassification", spec(*CLASSES))
    really = evaluate(window, "MulticlassClassification", spec(*CLASSES)).checks
    assert {check.measure: check.value for check in found.checks} == pytest.approx({one.measure: one.value for one in really}, abs=0.03)


def test_the_interval_holds_what_the_truth_will_be() -> None:
    hits = dict.fromkeys(CLASSES, 0)
    for seed in range(100):
        reference, window = binary_table(*binary(3_000, 2 * seed)), binary_table(*binary(700, 2 * seed + 1))
        really = evaluate(window, "BinaryClassification", spec(*CLASSES)).checks
        for check, real in zip(estimate(reference, window, "BinaryClassification", spec(*CLASSES)).checks, really, strict=True):
            assert check.lower is not None
            assert check.upper is not None
            assert real.value is not None
            hits[real.measure] += check.lower <= real.value <= check.upper  # type: ignore[index]
    assert {name: count for name, count in hits.items() if not 87 <= count <= 100} == {}


def test_it_is_never_worse_than_a_warning() -> None:
    reference, window = binary_table(*binary(2_000, 0)), binary_table(*binary(2_000, 1))
    strict = MetricThresholds(name="accuracy", warning=0.99, critical=0.98)
    check = estimate(reference, window, "BinaryClassification", spec(strict)).checks[0]
    assert check.verdict == "Warning"
    assert check.message.endswith("an estimate, without truth")


def test_the_window_needs_no_column_of_truth() -> None:
    reference, window = binary_table(*binary(2_000, 0)), binary_table(*binary(2_000, 1)).drop_columns(["truth_label"])
    assert estimate(reference, window, "BinaryClassification", spec("accuracy")).checks[0].verdict == "Healthy"


@pytest.mark.parametrize(
    ("reference", "window", "reason"),
    [
        (None, binary_table(*binary(500, 1)), "there are no reference rows with truth"),
        (binary_table(*binary(200, 0)), binary_table(*binary(500, 1)), "200 usable reference rows with truth, 300 are needed"),
        (binary_table(*binary(900, 0)).drop_columns(["p_0", "p_1"]), binary_table(*binary(500, 1)), "there are no probabilities"),
        (binary_table(*binary(900, 0)), binary_table(*binary(500, 1)).drop_columns(["p_0", "p_1"]), "there are no probabilities"),
        (binary_table(*binary(900, 0)), binary_table(*binary(20, 1)), "the window has 20 usable rows, 30 are needed"),
        (binary_table(*binary(320, 3)), binary_table(*binary(500, 1)), "calibration is not shown: the error is 0."),
    ],
)
def test_it_is_refused_without_ground(reference: pa.Table | None, window: pa.Table, reason: str) -> None:
    found = estimate(reference, window, "BinaryClassification", spec("accuracy", "auc"))
    assert [check.verdict for check in found.checks] == ["NoData", "NoData"]
    assert reason in found.checks[0].message
    assert reason in found.report.note


def test_what_cannot_be_estimated_says_so() -> None:
    reference, window = binary_table(*binary(2_000, 0)), binary_table(*binary(2_000, 1))
    found = estimate(reference, window, "BinaryClassification", spec("calibrationError", "mae", "accuracy"))
    assert [check.verdict for check in found.checks] == ["NoData", "NoData", "Healthy"]
    assert "takes the calibration for granted" in found.checks[0].message


def test_it_is_not_made_where_nobody_wants_it() -> None:
    table = binary_table(*binary(2_000, 0))
    assert estimate(table, table, "BinaryClassification", spec("accuracy", estimate="Never")).checks == []


def priced(rows: int, seed: int, share: float = 0.2) -> pa.Table:
    """The error depends on the features: old and unknown houses are hard."""
    rng = np.random.default_rng(seed)
    old, size = rng.random(rows) < share, rng.normal(0, 1, rows)
    spread = np.where(old, 3.0, 1.0) * (1 + 0.3 * np.abs(size))
    predicted = 10 + 2 * size
    size = np.where(rng.random(rows) < 0.05, np.nan, size)
    more = {"in_age": pa.array(np.where(old, "old", "new")), "in_size": size, "in_nothing": pa.nulls(rows)}
    return regression_table(predicted + rng.normal(0, spread), predicted, **more)


def test_dle_sees_harder_rows_coming() -> None:
    reference, window = priced(6_000, 0), priced(4_000, 1, share=0.8)
    found = estimate(reference, window, "Regression", spec("mae", "rmse", "r2"))
    really = {check.measure: check.value for check in evaluate(window, "Regression", spec("mae", "rmse")).checks}
    before = {check.measure: check.value for check in evaluate(reference, "Regression", spec("mae", "rmse")).checks}
    assert {check.measure: check.value for check in found.checks[:2]} == pytest.approx(really, rel=0.05)
    assert (really["mae"] or 0) > 1.5 * (before["mae"] or 0)
    assert "only mae and rmse can" in found.checks[2].message
    assert found.report.note == "DLE with 2 features on 6,000 reference rows; left out: in_nothing"


def test_dle_without_features_goes_by_the_prediction() -> None:
    reference = priced(2_000, 0).select(["truth_value", "prediction"])
    assert estimate(reference, priced(500, 1), "Regression", spec("mae")).checks[0].value == pytest.approx(1.35, rel=0.15)


def test_dle_is_refused_where_errors_cannot_be_foreseen() -> None:
    rng = np.random.default_rng(0)
    table = regression_table(rng.standard_cauchy(400) ** 3, rng.normal(0, 1, 400), in_x=rng.normal(0, 1, 400))
    check = estimate(table, table, "Regression", spec("mae")).checks[0]
    assert check.verdict == "NoData"
    assert "calibration is not shown: errors of held-out reference rows are" in check.message
