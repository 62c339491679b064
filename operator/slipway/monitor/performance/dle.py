"""Direct loss estimation: a second model, of the first one's error, learned of reference rows with truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor

from slipway.monitor.performance.cbpe import SEED, bins_of
from slipway.monitor.performance.numbers import FloatArray, Undefined
from slipway.monitor.performance.trees import Predict, fitted

MAX_ERROR = 0.2
"""Of the errors that are predicted, relative to those that are."""


@dataclass(frozen=True)
class Losses:
    """A model of the mean error."""

    predict: Predict
    """Shape [rows, columns] to [rows]."""
    error: float
    """How far its bins are from what they should be, relative to the mean, on rows that it has not seen."""


def learned(features: FloatArray, losses: FloatArray, categorical: list[bool]) -> Losses:
    """Learned of one half and tried on the other, then learned of all. Shapes [rows, columns] and [rows]."""
    order = np.random.default_rng(SEED).permutation(len(losses))
    known, tried = order[::2], order[1::2]
    half = _fitted(features[known], losses[known], categorical)
    return Losses(_fitted(features, losses, categorical), gap(half(features[tried]), losses[tried]))


def gap(claimed: FloatArray, happened: FloatArray) -> float:
    """Mean distance of predicted and real means of each bin, relative to the real mean."""
    if happened.sum() == 0:
        return 0.0 if np.allclose(claimed, 0) else float("inf")
    return float(sum(abs(happened[rows].sum() - claimed[rows].sum()) for rows in bins_of(claimed)) / happened.sum())


def expected(name: str, known: FloatArray, errors: FloatArray, ahead: FloatArray, categorical: list[bool]) -> float:
    """The expected mae or rmse of rows `ahead`, by absolute errors of the rows `known`. Raises Undefined."""
    if name not in {"mae", "rmse"}:
        raise Undefined("cannot be estimated of a regression: only mae and rmse can")
    power = 2 if name == "rmse" else 1
    losses = learned(known, errors**power, categorical)
    # What is amiss with a square is half as much amiss with its root.
    amiss = losses.error / power
    if not amiss <= MAX_ERROR:
        raise Undefined(
            f"calibration is not shown: errors of held-out reference rows are predicted {amiss:.0%} amiss, {MAX_ERROR:.0%} at most"
        )
    return float(losses.predict(ahead).mean() ** (1 / power))


def _fitted(features: FloatArray, losses: FloatArray, categorical: list[bool]) -> Predict:
    model = HistGradientBoostingRegressor(
        max_iter=100, max_leaf_nodes=8, l2_regularization=1.0, categorical_features=categorical, early_stopping=False, random_state=SEED
    )
    return fitted(model, features, losses, lambda of, rows: np.maximum(0, of.predict(rows)))
