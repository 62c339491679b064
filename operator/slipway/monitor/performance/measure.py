"""A metric by its name, of rows of either sort."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from slipway.api.v1alpha1.model import Task
from slipway.api.v1alpha1.model_monitor import Metric
from slipway.monitor.performance import confusion, probability, regression
from slipway.monitor.performance.numbers import Estimate, FloatArray, Undefined
from slipway.monitor.performance.sample import Labelled, Numeric

OF_LABELS: dict[str, Callable[[FloatArray, int | None], Estimate]] = {
    "accuracy": confusion.accuracy,
    "precision": confusion.precision,
    "recall": confusion.recall,
    "f1": confusion.f1,
}
OF_PROBABILITIES: dict[str, Callable[[probability.Scored], Estimate]] = {
    "auc": probability.auc,
    "logLoss": probability.log_loss,
    "brier": probability.brier,
    "calibrationError": probability.calibration_error,
}
OF_NUMBERS: dict[str, Callable[[FloatArray, FloatArray], Estimate]] = {
    "mae": regression.mae,
    "rmse": regression.rmse,
    "r2": regression.r2,
}


def family(task: Task, metrics: list[Metric]) -> Task:
    """How a model is looked at: by its task; where that is Other, as its metrics are, labels as many classes."""
    if task != "Other":
        return task
    return "Regression" if all(name in OF_NUMBERS for name in metrics) else "MulticlassClassification"


def measure(name: Metric, sample: Labelled | Numeric) -> Estimate:
    """Raises Undefined with the reason."""
    if sample.rows == 0:
        raise Undefined("there are no rows")
    if isinstance(sample, Numeric):
        if name not in OF_NUMBERS:
            raise Undefined("it is of classifications, and this is a regression")
        return OF_NUMBERS[name](sample.truth, sample.predicted)
    if name in OF_NUMBERS:
        raise Undefined("it is of regressions, and this is a classification")
    if name != "accuracy" and len(sample.classes.keys) == 1:
        raise Undefined(f"there is one class only ({sample.classes.names[0]})"[:200])
    if name in OF_PROBABILITIES:
        return OF_PROBABILITIES[name](scored(sample))
    return OF_LABELS[name](counted(sample), sample.classes.positive)


def counted(sample: Labelled) -> FloatArray:
    """The confusion matrix, [classes, classes]."""
    return confusion.matrix_of(sample.truth, sample.predicted, len(sample.classes.keys))


def scored(sample: Labelled) -> probability.Scored:
    """The rows with usable probabilities. Raises Undefined where there are none."""
    if sample.probabilities is None:
        raise Undefined(sample.classes.note or "there are no probabilities of all classes")
    usable = np.isfinite(sample.probabilities[:, 0])
    if not usable.any():
        raise Undefined("no row has usable probabilities (numbers from 0 to 1 that add up to 1)")
    positive = sample.classes.positive
    return probability.Scored(sample.probabilities[usable], sample.truth[usable], sample.predicted[usable], positive)
