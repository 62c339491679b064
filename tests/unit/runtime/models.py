"""Models that the tests train and pickle; the server under test imports this module to unpickle `Moody`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

Array = npt.NDArray[Any]


def churn_frame(rows: int = 200) -> tuple[pd.DataFrame, Array]:
    """Three columns, one of them text; labels `stay` and `leave`."""
    random = np.random.default_rng(7)
    frame = pd.DataFrame(
        {
            "age": random.integers(18, 80, rows).astype(float),
            "plan": random.choice(["basic", "gold", "free"], rows),
            "spend": random.normal(50, 20, rows),
        }
    )
    return frame, np.where(frame["spend"] + frame["age"] / 4 > 62, "leave", "stay")


def churn_model() -> Pipeline:
    """A classifier over named columns, as most tabular models are."""
    columns = ColumnTransformer([("number", StandardScaler(), ["age", "spend"]), ("text", OneHotEncoder(), ["plan"])])
    return Pipeline([("columns", columns), ("model", LogisticRegression())]).fit(*churn_frame())


def matrix_model(features: int = 4) -> Pipeline:
    """A classifier trained on a bare array, with integer labels."""
    random = np.random.default_rng(3)
    values = random.normal(size=(100, features))
    return make_pipeline(StandardScaler(), LogisticRegression()).fit(values, (values[:, 0] > 0).astype(int))


def regression_model() -> LinearRegression:
    """y = 2a + 3b."""
    values = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    return LinearRegression().fit(values, values @ [2.0, 3.0])


class Moody:
    """Does what its first value says: below 0 it raises, else it sleeps so many seconds and answers the value."""

    n_features_in_ = 1

    def predict(self, table: Array) -> Array:
        seconds = float(table[0][0])
        if seconds < 0:
            raise RuntimeError("first line\nthe model is in a bad mood")
        time.sleep(seconds)
        return np.asarray(table).ravel()


def save(model: Any, folder: Path, name: str = "model.joblib") -> Path:
    """The folder, made, with the model in it."""
    folder.mkdir(parents=True, exist_ok=True)
    joblib.dump(model, folder / name)
    return folder
