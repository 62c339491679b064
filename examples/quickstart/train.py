"""Trains two versions of a classifier on scikit-learn's breast-cancer data: `python train.py FOLDER`."""

from __future__ import annotations

import sys
from pathlib import Path

import joblib
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

CANDIDATES = {
    "1": RandomForestClassifier(n_estimators=50, random_state=0),
    "2": make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)),
}


def train(folder: Path) -> dict[str, float]:
    """Writes FOLDER/VERSION/model.joblib for each candidate; returns the test AUC by version."""
    features, labels = load_breast_cancer(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(features, labels, random_state=0, stratify=labels)
    scores = {}
    for version, model in CANDIDATES.items():
        model.fit(x_train, y_train)
        scores[version] = float(roc_auc_score(y_test, model.predict_proba(x_test)[:, 1]))
        target = folder / version / "model.joblib"
        target.parent.mkdir(parents=True, exist_ok=True)
        joblib.dump(model, target)
    return scores


if __name__ == "__main__":
    for version, auc in train(Path(sys.argv[1])).items():
        print(f"version {version}: AUC {auc:.4f} on the test rows")
