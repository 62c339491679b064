"""Every metric is scikit-learn's, on the same rows, to 1e-9."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from sklearn import metrics as reference
from sklearn.calibration import calibration_curve

from slipway.api.v1alpha1.model import Task
from slipway.monitor.performance.evaluate import evaluate
from tests.unit.monitor.performance.tables import binary, binary_table, multiclass, multiclass_table, regression, regression_table, spec

CLOSE = 1e-9
OF_CLASSES = ("accuracy", "precision", "recall", "f1", "auc", "logLoss", "brier")


def values(table: Any, task: Task, *names: Any) -> dict[str, float]:
    return {check.measure: check.value for check in evaluate(table, task, spec(*names)).checks if check.value is not None}


@pytest.mark.parametrize("seed", range(5))
def test_binary(seed: int) -> None:
    truth, score = binary(700, seed, steep=2)
    score = score.round(2)  # ties
    said = score >= 0.5
    assert values(binary_table(truth, score), "BinaryClassification", *OF_CLASSES) == pytest.approx(
        {
            "accuracy": reference.accuracy_score(truth, said),
            "precision": reference.precision_score(truth, said),
            "recall": reference.recall_score(truth, said),
            "f1": reference.f1_score(truth, said),
            "auc": reference.roc_auc_score(truth, score),
            "logLoss": reference.log_loss(truth, score),
            "brier": reference.brier_score_loss(truth, score),
        },
        abs=CLOSE,
    )


@pytest.mark.parametrize("seed", range(5))
def test_multiclass(seed: int) -> None:
    truth, probabilities = multiclass(900, seed)
    said = probabilities.argmax(axis=1)
    assert values(multiclass_table(truth, probabilities), "MulticlassClassification", *OF_CLASSES) == pytest.approx(
        {
            "accuracy": reference.accuracy_score(truth, said),
            "precision": reference.precision_score(truth, said, average="macro"),
            "recall": reference.recall_score(truth, said, average="macro"),
            "f1": reference.f1_score(truth, said, average="macro"),
            "auc": reference.roc_auc_score(truth, probabilities, multi_class="ovr", average="macro"),
            "logLoss": reference.log_loss(truth, probabilities),
            "brier": reference.brier_score_loss(truth, probabilities),
        },
        abs=CLOSE,
    )


def test_a_class_that_is_never_answered_counts_as_zero_as_in_sklearn() -> None:
    truth, said = np.array(list("aabbbc" * 20)), np.array(list("ababbb" * 20))
    table = {"truth_label": truth, "prediction": said}
    assert values(pa.table(table), "MulticlassClassification", "precision", "recall", "f1") == pytest.approx(
        {
            "precision": reference.precision_score(truth, said, average="macro", zero_division=0),
            "recall": reference.recall_score(truth, said, average="macro", zero_division=0),
            "f1": reference.f1_score(truth, said, average="macro", zero_division=0),
        },
        abs=CLOSE,
    )


@pytest.mark.parametrize("seed", range(5))
def test_regression(seed: int) -> None:
    truth, predicted = regression(400, seed)
    assert values(regression_table(truth, predicted), "Regression", "mae", "rmse", "r2") == pytest.approx(
        {
            "mae": reference.mean_absolute_error(truth, predicted),
            "rmse": reference.root_mean_squared_error(truth, predicted),
            "r2": reference.r2_score(truth, predicted),
        },
        abs=CLOSE,
    )


@pytest.mark.parametrize("seed", range(5))
def test_calibration_bins_and_error(seed: int) -> None:
    truth, score = binary(2_000, seed, steep=2)
    found = evaluate(binary_table(truth, score), "BinaryClassification", spec("calibrationError"))
    happened, claimed = calibration_curve(truth, score, n_bins=10, strategy="quantile")
    bins = found.report.calibration
    assert [one.share_positive for one in bins] == pytest.approx(happened, abs=CLOSE)
    assert [one.mean_probability for one in bins] == pytest.approx(claimed, abs=CLOSE)
    assert [one.rows for one in bins] == [200] * 10
    assert found.checks[0].value == pytest.approx(np.abs(happened - claimed).mean(), abs=CLOSE)
