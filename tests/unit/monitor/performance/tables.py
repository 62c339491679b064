"""Rows of models that never were, with a seed."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pyarrow as pa

from slipway.api.v1alpha1.model_monitor import GroundTruth, Metric, MetricThresholds, Performance

METRICS: tuple[Metric, ...] = get_args(Metric)


def spec(*metrics: Metric | MetricThresholds, min_matched: int = 30, **more: Any) -> Performance:
    wanted = [metric if isinstance(metric, MetricThresholds) else MetricThresholds(name=metric) for metric in metrics]
    return Performance(metrics=wanted, ground_truth=GroundTruth(min_matched=min_matched), **more)


def binary(rows: int, seed: int, steep: float = 1.0) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Truth (0, 1) and the probability of 1, calibrated where steep is 1."""
    rng = np.random.default_rng(seed)
    score = rng.normal(0, 1.5, rows)
    return (rng.random(rows) < 1 / (1 + np.exp(-score))).astype(int), 1 / (1 + np.exp(-steep * score))


def multiclass(rows: int, seed: int, classes: int = 4) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Truth (0 … classes - 1) and probabilities [rows, classes], calibrated."""
    rng = np.random.default_rng(seed)
    raw = np.exp(rng.normal(0, 1.5, (rows, classes)) + np.linspace(0.7, 0, classes))
    probabilities = raw / raw.sum(axis=1, keepdims=True)
    return (rng.random(rows)[:, None] > probabilities.cumsum(axis=1)).sum(axis=1).clip(0, classes - 1), probabilities


def regression(rows: int, seed: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Truth and prediction."""
    rng = np.random.default_rng(seed)
    predicted = rng.normal(10, 3, rows)
    return predicted + rng.normal(0.3, 1.5, rows), predicted


def binary_table(truth: Any, score: Any, **more: Any) -> pa.Table:
    return pa.table(
        {
            "truth_label": pa.array([str(value) for value in truth]),
            "prediction": pa.array((np.asarray(score) >= 0.5).astype(int)),
            "p_0": 1 - np.asarray(score),
            "p_1": score,
            **more,
        }
    )


def multiclass_table(truth: Any, probabilities: Any, names: str = "abcdefghij", **more: Any) -> pa.Table:
    classes = probabilities.shape[1]
    return pa.table(
        {
            "truth_label": [names[value] for value in truth],
            "prediction": [names[value] for value in probabilities.argmax(axis=1)],
            **{f"p_{names[number]}": probabilities[:, number] for number in range(classes)},
            **more,
        }
    )


def regression_table(truth: Any, predicted: Any, **more: Any) -> pa.Table:
    return pa.table({"truth_value": truth, "truth_label": [str(value) for value in truth], "prediction": predicted, **more})
