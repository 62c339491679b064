"""Evidently's side of tests/bench/monitor.py, in an environment of its own: `python -m tests.bench.monitor_evidently REFERENCE WINDOW`
prints seconds and MiB.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pandas as pd
from evidently import Report
from evidently.presets import DataDriftPreset

from tests.bench.monitor_columns import NAMES
from tests.bench.peak import peak_mib


def main(reference: Path, window: Path) -> None:
    began = time.monotonic()
    found = Report([DataDriftPreset(method="psi")]).run(_features(window), _features(reference)).dict()
    print(time.monotonic() - began, peak_mib())
    assert len(found["metrics"]) == 1 + len(NAMES)


def _features(folder: Path) -> pd.DataFrame:
    parts = (pd.read_parquet(path, columns=list(NAMES), partitioning=None) for path in sorted(folder.rglob("*.parquet")))
    return pd.concat(parts, ignore_index=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
