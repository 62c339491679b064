"""Drift of all features together: can a classifier tell the window's rows from the baseline's?"""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pyarrow as pa
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import StratifiedKFold

from slipway.api.v1alpha1.model_monitor import CheckStatus, Thresholds, Verdict
from slipway.monitor.performance.features import Encoder, drawn, encoder
from slipway.monitor.performance.numbers import Z95, FloatArray, IntArray
from slipway.monitor.performance.probability import delong
from slipway.monitor.performance.trees import fitted

MAX_ROWS = 10_000
"""Of each side; of more, so many are drawn."""
MIN_ROWS = 300
FOLDS = 3


def domain_check(baseline: pa.Table, window: pa.Table, spec: Thresholds, seed: int) -> CheckStatus:
    """The cross-validated AUC of telling both apart: 0.5 where they are alike in every combination of columns, 1 where they never are.

    Takes the columns that both have. Bad from a threshold on that the whole 95 % interval has reached. Never raises for what rows hold.
    """
    first = spec.critical if spec.warning is None else spec.warning
    rows = len(window)
    try:
        reason, how = _refused(baseline, window)
        if reason or how is None:
            return _without("NoData", reason, rows, first)
        auc, error = _told_apart(how, drawn(baseline, MAX_ROWS, seed), drawn(window, MAX_ROWS, seed + 1), seed)
    except Exception as problem:
        return _without("Error", f"{type(problem).__name__}: {problem}", rows, first)
    return _judged(auc, error, spec, rows, how)


def _refused(baseline: pa.Table, window: pa.Table) -> tuple[str, Encoder | None]:
    for name, table in (("baseline", baseline), ("window", window)):
        if len(table) < MIN_ROWS:
            return f"the {name} has {len(table):,} rows, {MIN_ROWS} are needed", None
    names = list(dict.fromkeys([*baseline.column_names, *window.column_names]))
    how = encoder([drawn(table, MAX_ROWS, 0) for table in (baseline, window)], names)
    return ("" if how.columns else "baseline and window have no column of numbers or texts in common"), how


def _told_apart(how: Encoder, baseline: pa.Table, window: pa.Table, seed: int) -> tuple[float, float]:
    """The mean AUC over the folds, and its standard error (DeLong)."""
    features = np.concatenate([how.matrix(baseline), how.matrix(window)])
    side: IntArray = np.repeat(np.array([0, 1], dtype=np.int64), [len(baseline), len(window)])
    areas, squares = [], 0.0
    for known, tried in StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(features, side):
        area, influence = delong(_scores(features, side, known, tried, how, seed), side[tried] == 1)
        areas.append(area)
        squares += float(np.sum(influence**2))
    return float(np.mean(areas)), math.sqrt(squares) / FOLDS


def _scores(features: FloatArray, side: IntArray, known: IntArray, tried: IntArray, how: Encoder, seed: int) -> FloatArray:
    model = HistGradientBoostingClassifier(
        max_iter=60, max_leaf_nodes=15, categorical_features=how.categorical, early_stopping=False, random_state=seed
    )
    return fitted(model, features[known], side[known], lambda of, rows: of.predict_proba(rows)[:, 1])(features[tried])


def _judged(auc: float, error: float, spec: Thresholds, rows: int, how: Encoder) -> CheckStatus:
    low, high = max(0.0, auc - Z95 * error), min(1.0, auc + Z95 * error)
    verdict, threshold = _verdict(low, spec)
    text = f"a classifier tells window and baseline apart with auc {auc:.3f} ({low:.3f} to {high:.3f}), by {len(how.columns)} columns"
    if how.left_out:
        text += f"; left out: {', '.join(how.left_out)}"
    return CheckStatus(
        check="MultivariateDrift",
        measure="auc",
        value=auc,
        lower=low,
        upper=high,
        threshold=threshold,
        p_value=1 - NormalDist().cdf((auc - 0.5) / error) if error > 0 else float(auc <= 0.5),
        rows=rows,
        verdict=verdict,
        message=text[:512],
    )


def _verdict(low: float, spec: Thresholds) -> tuple[Verdict, float | None]:
    levels: tuple[tuple[Verdict, float | None], ...] = (("Critical", spec.critical), ("Warning", spec.warning))
    for verdict, threshold in levels:
        if threshold is not None and low >= threshold:
            return verdict, threshold
    return "Healthy", spec.critical if spec.warning is None else spec.warning


def _without(verdict: Verdict, reason: str, rows: int, threshold: float | None) -> CheckStatus:
    return CheckStatus(check="MultivariateDrift", measure="auc", rows=rows, threshold=threshold, verdict=verdict, message=reason[:512])
