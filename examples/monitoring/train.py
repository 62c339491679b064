"""Trains the model on summer days, and writes them down as its baseline: `python train.py FOLDER`."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import joblib
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from weather import COLUMNS, training_days


def train(folder: Path) -> tuple[Path, Path]:
    """Writes FOLDER/model.joblib and FOLDER/baseline.csv; returns both.

    The baseline has the features, the truth, and the answers for days that it was not trained on: what a monitor needs to compare
    features and answers, and to estimate accuracy before the truth is known.
    """
    known = pd.DataFrame([asdict(day) for day in training_days()])
    features, rain = known[list(COLUMNS)], known["rain"]
    prepared = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), ["weather"]), remainder=StandardScaler())
    model = make_pipeline(prepared, LogisticRegression(max_iter=1000))
    unseen = cross_val_predict(model, features, rain, cv=10, method="predict_proba")
    answers = pd.DataFrame({"predict": unseen.argmax(axis=1), "predict_proba_0": unseen[:, 0], "predict_proba_1": unseen[:, 1]})
    folder.mkdir(parents=True, exist_ok=True)
    joblib.dump(model.fit(features, rain), folder / "model.joblib")
    pd.concat([features, answers, rain.rename("truth")], axis=1).to_csv(folder / "baseline.csv", index=False)
    return folder / "model.joblib", folder / "baseline.csv"


if __name__ == "__main__":
    print(*train(Path(sys.argv[1])), sep="\n")
