"""Gradient-boosted trees, fitted without surprises."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped,unused-ignore]

from slipway.monitor.performance.numbers import FloatArray

Predict = Callable[[FloatArray], FloatArray]


def fitted(model: Any, features: FloatArray, target: npt.NDArray[Any], answer: Callable[[Any, FloatArray], FloatArray]) -> Predict:
    """Fit the model and give back how it answers. One thread: OpenMP's threads spin, and a pod with half a CPU has nothing to spin with.

    A column without any value here, which scikit-learn cannot cut into bins, becomes a constant.
    """
    empty = np.isnan(features).all(axis=0)
    with threadpool_limits(1, "openmp"):
        model.fit(np.where(empty, 0.0, features), target)

    def predict(rows: FloatArray) -> FloatArray:
        with threadpool_limits(1, "openmp"):
            return answer(model, rows)

    return predict
