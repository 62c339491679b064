"""Makes the golden estimates of NannyML, on the data that it brings along.

In a virtual environment of its own (NannyML wants older libraries than Slipway):

    python3.11 -m venv /tmp/nannyml && /tmp/nannyml/bin/pip install nannyml==0.13.1 statsmodels
    /tmp/nannyml/bin/python tests/golden_statistics/nannyml_cbpe.py

Writes nannyml_cbpe.json (the estimates) and nannyml_cbpe_*.parquet (the rows they are of, of each only what CBPE looks at: which set and
chunk, probabilities in hundredths, prediction, truth; equal rows once, with their number).
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

os.environ["NML_DISABLE_USAGE_LOGGING"] = "1"

import nannyml  # type: ignore[import-not-found]
import pandas as pd

HERE = Path(__file__).parent
METRICS = ["roc_auc", "accuracy", "f1", "precision", "recall"]


def counted(rows: Any, chunk_size: int, probabilities: dict[str, str], prediction: str, truth: str | None) -> Any:
    """Equal rows once. Chunk -1 is the reference."""
    table = pd.DataFrame({"chunk": -1 if truth else [number // chunk_size for number in range(len(rows))]}, index=rows.index)
    for name, column in probabilities.items():
        hundredths = (rows[column] * 100).round()
        assert (hundredths / 100 - rows[column]).abs().max() < 1e-9, "probabilities are not of two digits"
        table[f"p_{name}"] = hundredths.astype("int8")
    table["prediction"] = rows[prediction].astype(str)
    table["truth_label"] = rows[truth].astype(str) if truth else None
    return table.value_counts(dropna=False).rename("rows").reset_index().sort_values(list(table.columns))


def estimates(reference: Any, analysis: Any, chunk_size: int, **how: Any) -> list[dict[str, float]]:
    """By chunk, by metric."""
    estimator = nannyml.CBPE(metrics=METRICS, chunk_size=chunk_size, **how).fit(reference)
    found = estimator.estimate(analysis).filter(period="analysis").to_df().xs("value", axis=1, level=-1)
    return [{name: float(row[name]) for name in METRICS} for _, row in found.iterrows()]


def binary() -> list[dict[str, float]]:
    """The synthetic car loans, whole: 50,000 reference rows, 10 chunks of 5,000."""
    reference, analysis, _ = nannyml.load_synthetic_car_loan_dataset()
    reference["repaid"] = reference["repaid"].astype(int)
    parts = (counted(rows, 5000, {"1": "y_pred_proba"}, "y_pred", truth) for rows, truth in ((reference, "repaid"), (analysis, None)))
    pd.concat(parts).to_parquet(HERE / "nannyml_cbpe_binary.parquet", index=False, compression="zstd")
    how = {"y_pred_proba": "y_pred_proba", "y_pred": "y_pred", "y_true": "repaid", "problem_type": "classification_binary"}
    return estimates(reference, analysis, 5000, **how)


def multiclass() -> list[dict[str, float]]:
    """The synthetic credit cards: 60,000 reference rows, and of the rows to estimate the first and the last chunk of 6,000."""
    reference, analysis, _ = nannyml.load_synthetic_multiclass_classification_dataset()
    analysis = pd.concat([analysis.iloc[:6000], analysis.iloc[-6000:]]).reset_index(drop=True)
    names = {name: f"y_pred_proba_{name}" for name in ("prepaid_card", "highstreet_card", "upmarket_card")}
    parts = (counted(rows, 6000, names, "y_pred", truth) for rows, truth in ((reference, "y_true"), (analysis, None)))
    pd.concat(parts).to_parquet(HERE / "nannyml_cbpe_multiclass.parquet", index=False, compression="zstd")
    how = {"y_pred_proba": names, "y_pred": "y_pred", "y_true": "y_true", "problem_type": "classification_multiclass"}
    return estimates(reference, analysis, 6000, **how)


if __name__ == "__main__":
    golden = {"nannyml": nannyml.__version__, "binary": binary(), "multiclass": multiclass()}
    (HERE / "nannyml_cbpe.json").write_text(json.dumps(golden, indent=1) + "\n")
