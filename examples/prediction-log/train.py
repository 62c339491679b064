"""Trains the model on the first thousand customers: `python train.py FOLDER`, then push FOLDER/model.joblib."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import joblib
import pandas as pd
from customers import COLUMNS, customer
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

TRAINED_ON = 1000


def train(folder: Path) -> Path:
    """Writes the model; returns where."""
    known = pd.DataFrame([asdict(customer(number)) for number in range(TRAINED_ON)])
    prepared = make_column_transformer((OneHotEncoder(), ["plan"]), remainder=StandardScaler())
    model = make_pipeline(prepared, LogisticRegression()).fit(known[list(COLUMNS)], known["left"])
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / "model.joblib"
    joblib.dump(model, target)
    return target


if __name__ == "__main__":
    print(train(Path(sys.argv[1])))
