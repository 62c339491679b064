"""Verdicts, segments, and rows that are not as they should be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from slipway.api.v1alpha1.model_monitor import CheckStatus, MetricThresholds, Segment, Truths
from slipway.monitor.performance.evaluate import Evaluation, evaluate
from slipway.monitor.performance.measure import measure
from tests.unit.monitor.performance.tables import (
    METRICS,
    binary,
    binary_table,
    multiclass,
    multiclass_table,
    regression,
    regression_table,
    spec,
)


def only(found: Evaluation) -> CheckStatus:
    assert len(found.checks) == 1
    return found.checks[0]


def labels(truth: list[Any], prediction: Any, **more: Any) -> pa.Table:
    return pa.table({"truth_label": pa.array(truth, pa.string()), "prediction": prediction, **more})


def limits(name: Any, warning: float | None = None, critical: float | None = None) -> MetricThresholds:
    return MetricThresholds(name=name, warning=warning, critical=critical)


@pytest.mark.parametrize(
    ("right", "expected", "threshold"), [(95, "Healthy", 0.9), (85, "Healthy", 0.9), (70, "Warning", 0.9), (50, "Critical", 0.7)]
)
def test_a_metric_is_bad_where_its_whole_interval_is(right: int, expected: str, threshold: float) -> None:
    table = labels(["1"] * 100, [1] * right + [0] * (100 - right))
    check = only(evaluate(table, "BinaryClassification", spec(limits("accuracy", 0.9, 0.7))))
    assert (check.verdict, check.threshold, check.rows) == (expected, threshold, 100)


def test_lower_is_better_for_errors() -> None:
    truth, predicted = regression(500, 0)
    table = regression_table(truth, predicted)
    found = evaluate(table, "Regression", spec(limits("mae", 0.2, 0.5), limits("rmse", 1.0, 9.0), limits("r2", 0.1)))
    assert [check.verdict for check in found.checks] == ["Critical", "Warning", "Healthy"]
    assert "worse than 0.5" in found.checks[0].message


def test_too_few_rows_have_no_verdict() -> None:
    check = only(evaluate(labels(["1"] * 40, [1] * 40), "BinaryClassification", spec(limits("accuracy", 0.9), min_matched=300)))
    assert check.verdict == "NoData"
    assert check.message == "accuracy: 40 rows with truth and prediction, 300 are needed"


@pytest.mark.parametrize(
    "prediction",
    [
        pa.array([1, 0] * 50),
        pa.array([1.0, 0.0] * 50),
        pa.array([1.0, 0.0] * 50, pa.float32()),
        pa.array([True, False] * 50),
        pa.array(["1", "0"] * 50),
        pa.array(["1.0", "False"] * 50),
        pa.array([" true", "0"] * 50).dictionary_encode(),
    ],
    ids=lambda array: str(array.type),
)
def test_labels_of_any_type_match(prediction: pa.Array) -> None:
    truth = ["1", "0", "1.0", "0.0", "true", "false", "True", "False", "+1", "0"] * 10
    found = evaluate(labels(truth, prediction), "BinaryClassification", spec("accuracy", "precision", "recall"))
    assert [check.value for check in found.checks] == [1, 1, 1]


def test_a_code_with_leading_zeros_is_no_number() -> None:
    table = labels(["007", "7", "07"] * 20, ["007", "07", "07"] * 20)
    assert only(evaluate(table, "MulticlassClassification", spec("accuracy"))).value == pytest.approx(2 / 3)


@pytest.mark.parametrize(("positive", "recall"), [(None, 0.75), ("yes", 0.75), ("no", 0.5)])
def test_the_positive_class_is_the_last_or_the_one_that_is_named(positive: str | None, recall: float) -> None:
    table = labels(["yes"] * 40 + ["no"] * 40, ["yes"] * 30 + ["no"] * 10 + ["no"] * 20 + ["yes"] * 20)
    assert only(evaluate(table, "BinaryClassification", spec("recall", positive_class=positive))).value == recall


def test_one_column_of_two_classes_is_enough() -> None:
    truth, score = binary(500, 0)
    both = binary_table(truth, score)
    one = both.drop_columns(["p_0"])
    metrics = spec("auc", "logLoss", "brier", "calibrationError")
    assert evaluate(one, "BinaryClassification", metrics).checks == evaluate(both, "BinaryClassification", metrics).checks


def test_probabilities_by_number_follow_the_order_of_labels() -> None:
    truth, probabilities = multiclass(500, 0)
    table = multiclass_table(truth, probabilities)
    numbered = table.rename_columns(["truth_label", "prediction", "p_0", "p_1", "p_2", "p_3"])
    metrics = spec("auc", "logLoss")
    assert evaluate(numbered, "MulticlassClassification", metrics).checks == evaluate(table, "MulticlassClassification", metrics).checks


def test_probabilities_of_labels_that_no_column_can_be_named_after() -> None:
    truth = ["<=50K", ">50K"] * 50
    table = labels(truth, truth, **{"p___50K": [0.9, 0.2] * 50, "p__50K": [0.1, 0.8] * 50})
    assert only(evaluate(table, "BinaryClassification", spec("auc"))).value == 1


def test_probabilities_of_other_labels_are_not_used() -> None:
    table = labels(["a", "b"] * 50, ["a", "b"] * 50, p_x=[0.5] * 100, p_y=[0.5] * 100)
    found = evaluate(table, "BinaryClassification", spec("accuracy", "auc"))
    assert found.checks[0].value == 1
    assert found.checks[1].message == "auc: the probabilities are of x, y, which are no labels"


def test_weird_rows_are_counted_out_and_said() -> None:
    truth = ["1", "0"] * 50 + [None, "", "nan", "maybe", "1", "1"]
    prediction = pa.array([1.0, 0.0] * 50 + [1.0, 1.0, 1.0, 1.0, None, 7.0])
    table = labels(truth, prediction, p_0=[0.2, 0.7] * 50 + [0.5] * 6, p_1=[0.8, 0.3] * 50 + [0.5] * 6)
    check = only(evaluate(table, "BinaryClassification", spec("accuracy")))
    assert (check.value, check.rows) == (1, 100)
    left_out = "left out: 1 without a prediction, 1 with an unknown prediction, 3 without a truth, 1 with an unknown true label"
    assert check.message.endswith(left_out)


def test_rows_without_usable_probabilities_are_left_out_of_what_needs_them() -> None:
    score = [0.8, 0.3] * 50
    score[:8] = [float("nan"), 0.3, float("inf"), 0.3, -0.2, 0.3, 1.7, None]  # type: ignore[list-item]
    table = labels(["1", "0"] * 50, [1, 0] * 50, p_1=pa.array(score, pa.float64()))
    accuracy, auc = evaluate(table, "BinaryClassification", spec("accuracy", "auc")).checks
    assert (accuracy.rows, auc.rows, auc.value) == (100, 95, 1)
    assert "without 5 rows that have no usable probabilities" in auc.message


def test_too_few_usable_probabilities_have_no_verdict() -> None:
    table = labels(["1", "0"] * 50, [1, 0] * 50, p_1=[0.8, 0.3] * 10 + [None] * 80)
    check = only(evaluate(table, "BinaryClassification", spec("brier")))
    assert (check.verdict, check.rows) == ("NoData", 20)
    assert check.message == "brier: 20 rows without 80 rows that have no usable probabilities, 30 are needed"


def test_what_cannot_be_read_at_all_is_an_error() -> None:
    table = labels(["1", "0"] * 50, pa.array([[1], [0]] * 50))
    found = evaluate(table, "BinaryClassification", spec("accuracy", "f1"))
    assert [check.verdict for check in found.checks] == ["Error", "Error"]


@pytest.mark.parametrize(
    ("table", "metric", "reason"),
    [
        (labels(["1"] * 50, [1, 0] * 25, p_1=[0.7] * 50), "auc", "the truth has one class only"),
        (labels(["1"] * 5 + ["0"] * 50, [1] * 55, p_1=[0.7] * 55), "auc", "it needs 10 rows of a class and of the others"),
        (labels(["1", "0"] * 50, [1, 0] * 50), "auc", "there are no probabilities of all classes"),
        (labels(["1", "0"] * 50, [1, 0] * 50, p_1=["x", "y"] * 50), "brier", "no row has usable probabilities"),
        (labels(["1", "0"] * 50, [0, 0] * 50), "precision", "no row was predicted positive"),
        (labels(["0", "0"] * 50, [1, 0] * 50), "recall", "no row is truly positive"),
        (labels(["0"] * 50, [0] * 50), "f1", "there is one class only (0)"),
        (labels(["0", "1"] * 50, [0, 1] * 50), "mae", "it is of regressions"),
        (labels([None] * 50, pa.nulls(50)), "accuracy", "no row has a label"),
        (pa.table({"truth_label": ["1"] * 50}), "accuracy", "there is no column prediction"),
        (labels([], pa.array([], pa.int64())), "accuracy", "no row has a label"),
        (labels(["1"] * 50, [1] * 50, p_0=[0.1] * 50, p_1=[0.1] * 50, p_2=[0.8] * 50), "accuracy", "a binary classification, but"),
    ],
)
def test_what_is_undefined_says_why(table: pa.Table, metric: Any, reason: str) -> None:
    check = only(evaluate(table, "BinaryClassification", spec(limits(metric, 0.5, 0.5))))
    assert (check.verdict, check.value, check.threshold) == ("NoData", None, 0.5)
    assert reason in check.message


@pytest.mark.parametrize(
    ("truth", "prediction", "metric", "reason"),
    [
        ([3.0] * 50, [1.0] * 50, "r2", "the truth is the same in all rows"),
        ([0.1] * 50, [1.0] * 50, "r2", "the truth is the same in all rows"),
        ([1.0] * 50, ["x"] * 50, "mae", "0 rows with truth and prediction"),
        ([1.0, 2.0] * 25, [1.0, 1.0] * 25, "accuracy", "it is of classifications"),
    ],
)
def test_what_is_undefined_of_numbers(truth: Any, prediction: Any, metric: Any, reason: str) -> None:
    check = only(evaluate(pa.table({"truth_value": truth, "prediction": prediction}), "Regression", spec(metric)))
    assert check.verdict == "NoData"
    assert reason in check.message


def test_predictions_of_any_type_are_numbers_where_they_can_be() -> None:
    truth = pa.array([1.0, 2.0, None, float("nan"), float("inf")] * 20)
    table = pa.table({"truth_value": truth, "prediction": ["1", "2.5", "3", "4", "5"] * 20})
    check = only(evaluate(table, "Regression", spec("mae")))
    assert (check.value, check.rows) == (0.25, 40)
    assert check.message.endswith("left out: 60 whose truth is no finite number")


def test_other_tasks_are_looked_at_as_their_metrics_are() -> None:
    assert only(evaluate(labels(list("abc") * 20, list("abb") * 20), "Other", spec("accuracy"))).value == pytest.approx(2 / 3)
    assert only(evaluate(regression_table(*regression(100, 0)), "Other", spec("mae"))).value is not None


def test_a_metric_that_breaks_is_an_error_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    real = measure

    def breaks(name: Any, sample: Any) -> Any:
        if name == "f1":
            raise ZeroDivisionError("oops")
        return real(name, sample)

    monkeypatch.setattr("slipway.monitor.performance.verdict.measure", breaks)
    found = evaluate(labels(["1", "0"] * 50, [1, 0] * 50), "BinaryClassification", spec("accuracy", "f1"))
    assert [(check.verdict, check.message[:27]) for check in found.checks[1:]] == [("Error", "f1: ZeroDivisionError: oops")]
    assert found.checks[0].verdict == "Healthy"


def segmented(plans: list[str | None], wrong: list[bool], segment: Segment, metric: MetricThresholds | None = None) -> Evaluation:
    table = labels(["1"] * len(plans), [0 if bad else 1 for bad in wrong], plan=pa.array(plans, pa.string()), p_1=[0.9] * len(plans))
    return evaluate(table, "BinaryClassification", spec(metric or limits("accuracy", 0.8)), [segment])


def test_segments_are_the_most_frequent_values_the_rest_and_the_missing() -> None:
    plans: list[str | None] = ["a"] * 300 + ["b"] * 100 + ["c"] * 50 + ["d"] * 40 + [None] * 60
    wrong = [False] * 300 + [True] * 60 + [False] * 40 + [False] * 150
    found = segmented(plans, wrong, Segment(column="plan", max_values=2, min_rows=70))
    assert [(one.segment, one.rows, one.checks[0].verdict) for one in found.segments] == [
        ("plan=a", 300, "Healthy"),
        ("plan=b", 100, "Warning"),
        ("plan=(other)", 90, "Healthy"),
        ("plan=(missing)", 60, "NoData"),
    ]
    assert found.worst_segment == "plan=b"
    assert [check.segment for check in found.checks] == ["", "plan=a", "plan=b", "plan=(other)", "plan=(missing)"]


@pytest.mark.parametrize("values", [[1, 2], [1.0, 2.0], [True, False], ["x", "y"]])
def test_segments_of_any_type(values: list[Any]) -> None:
    table = labels(["1", "0"] * 100, [1, 0] * 100, plan=values * 100)
    found = evaluate(table, "BinaryClassification", spec("accuracy"), [Segment(column="plan", min_rows=30)])
    assert [one.rows for one in found.segments] == [100, 100]


def test_many_groups_raise_no_more_false_alarms_than_one() -> None:
    """100 groups that are just as good as they must be: one in forty would be called bad by its 95 % interval alone."""
    alarms = 0
    for seed in range(20):
        wrong = np.random.default_rng(seed).random(100 * 200) > 0.8
        plans: list[str | None] = [f"g{number:02}" for number in range(100) for _ in range(200)]
        found = segmented(plans, wrong.tolist(), Segment(column="plan", max_values=100, min_rows=200))
        alarms += any(one.checks[0].verdict != "Healthy" for one in found.segments)
    assert alarms <= 2


def test_a_segment_without_its_column_is_said_and_harms_no_other() -> None:
    table = labels(["1", "0"] * 50, [1, 0] * 50, plan=["a", "b"] * 50)
    segments = [Segment(column="nowhere"), Segment(column="plan", min_rows=30)]
    found = evaluate(table, "BinaryClassification", spec("accuracy"), segments)
    assert [(check.column, check.verdict) for check in found.checks if check.column] == [("nowhere", "NoData")]
    assert len(found.segments) == 2


def test_a_segment_that_cannot_be_read_is_an_error_of_its_own() -> None:
    table = labels(["1", "0"] * 50, [1, 0] * 50, plan=[["a"], ["b"]] * 50)
    found = evaluate(table, "BinaryClassification", spec("accuracy"), [Segment(column="plan")])
    assert [(check.column, check.verdict) for check in found.checks] == [("", "Healthy"), ("plan", "Error")]


def test_the_report_has_a_confusion_matrix() -> None:
    table = labels(["a"] * 60 + ["b"] * 40, ["a"] * 50 + ["b"] * 50)
    report = evaluate(table, "MulticlassClassification", spec("accuracy"), truths=Truths(matched=100, late=3)).report
    assert (report.classes, report.confusion, report.rows) == (["a", "b"], [[50, 10], [0, 40]], 100)
    assert report.truths == Truths(matched=100, late=3)


def test_of_many_classes_the_rest_are_together() -> None:
    truth = [str(number) for number in range(30) for _ in range(number + 1)]
    report = evaluate(labels(truth, truth), "MulticlassClassification", spec("accuracy")).report
    assert report.classes == [*(str(number) for number in range(11, 30)), "(other)"]
    assert report.confusion[-1][-1] == sum(range(1, 12))
    assert sum(map(sum, report.confusion)) == len(truth)


def test_the_report_has_residuals() -> None:
    truth, predicted = regression(1000, 0)
    residuals = evaluate(regression_table(truth, predicted), "Regression", spec("mae")).report.residuals
    assert residuals is not None
    assert residuals.edges is not None
    assert (len(residuals.edges), len(residuals.counts), sum(residuals.counts)) == (21, 20, 1000)
    assert residuals.edges[0] == pytest.approx(np.quantile(predicted - truth, 0.01))


def test_residuals_that_are_all_the_same() -> None:
    residuals = evaluate(regression_table([1.0, 2.0] * 50, [2.0, 3.0] * 50), "Regression", spec("mae")).report.residuals
    assert residuals is not None
    assert sum(residuals.counts) == 100


@pytest.mark.parametrize("task", ["BinaryClassification", "MulticlassClassification", "Regression", "Other"])
@pytest.mark.parametrize("seed", range(10))
def test_no_table_raises(task: Any, seed: int) -> None:
    """Columns of any type with anything in them."""
    rng = np.random.default_rng(seed)
    pools: list[list[Any]] = [[1, 0, None], [1.5, float("nan"), None, float("inf")], ["1", "x", "", None], [True, None], [None]]
    names = ["truth_label", "truth_value", "prediction", "p_1", "p_0", "plan"]
    columns = {name: pa.array([pool[at] for at in rng.integers(0, len(pool), 120)]) for name in names if (pool := pools[rng.integers(5)])}
    found = evaluate(pa.table(columns), task, spec(*METRICS), [Segment(column="plan", min_rows=30)])
    assert len([check for check in found.checks if not check.segment and not check.column]) == len(METRICS)
    assert not [check.message for check in found.checks if check.verdict == "Error"]
