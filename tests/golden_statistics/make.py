"""Writes evidently.json: what Evidently 0.7.23 says of the rows in rows.py.

Evidently needs an older pandas than we have, hence an environment of its own; from the repository's root:

    python -m venv /tmp/evidently && /tmp/evidently/bin/pip install evidently==0.7.23 'pandas==2.3.3'
    /tmp/evidently/bin/python -m tests.golden_statistics.make
"""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from evidently.legacy.calculations import stattests
from evidently.legacy.core import ColumnType

from tests.golden_statistics.rows import NUMBERS, TEXTS, columns

PAGE = Path(__file__).with_name("evidently.json")
FOR_ALL = {"psi": stattests.psi_stat_test, "jensenshannon": stattests.jensenshannon_stat_test}
FOR_NUMBERS = {"wasserstein": stattests.wasserstein_stat_test}


def main() -> None:
    baseline, window = columns("baseline"), columns("window")
    found = {name: _column(name, pd.Series(baseline[name]), pd.Series(window[name])) for name in (*NUMBERS, *TEXTS)}
    PAGE.write_text(json.dumps({"evidently": version("evidently"), "columns": found}, indent=1) + "\n")


def _column(name: str, baseline: pd.Series, window: pd.Series) -> dict[str, Any]:
    kind = ColumnType.Numerical if name in NUMBERS else ColumnType.Categorical
    tests = FOR_ALL | (FOR_NUMBERS if name in NUMBERS else {})
    scores = {test: float(one(baseline, window, kind, 0.1).drift_score) for test, one in tests.items()}
    scores |= {"sum": float(baseline.sum())} if name in NUMBERS else {}
    return scores | ({"edges": _edges(baseline, window)} if name in NUMBERS and baseline.nunique() > 20 else {})


def _edges(baseline: pd.Series, window: pd.Series) -> list[float]:
    """Of the bins that Evidently makes of both sides together."""
    edges: list[float] = np.histogram_bin_edges(np.concatenate([baseline, window]), bins="sturges").tolist()
    return edges


if __name__ == "__main__":
    main()
