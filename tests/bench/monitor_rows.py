"""The rows of tests/bench/monitor.py, in files as the collector makes them: `python -m tests.bench.monitor_rows FOLDER ROWS`."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
from obstore.store import LocalStore

from slipway.collector.log.files import put
from tests.bench.monitor_columns import NAMES

FILE_ROWS = 500_000
REFERENCE_ROWS = 100_000


def make(folder: Path, rows: int) -> None:
    """`large` with so many rows, `small` with a tenth of them, and `reference`: each a folder of files."""
    for seed, (name, count) in enumerate({"reference": REFERENCE_ROWS, "small": rows // 10, "large": rows}.items()):
        rng, store = np.random.default_rng(seed), LocalStore(str(folder / name), mkdir=True)
        for start in range(0, count, FILE_ROWS):
            put(store, date(2026, 1, 1), _rows(rng, min(FILE_ROWS, count - start)))


def _rows(rng: np.random.Generator, rows: int) -> pa.Table:
    health = {
        "status": pa.array(np.full(rows, 200, np.int32)),
        "row": pa.array(np.zeros(rows, np.int32)),
        "latency_ms": pa.array(rng.lognormal(2, 0.5, rows)),
    }
    return pa.table({name: rng.normal(size=rows) for name in NAMES} | health)


if __name__ == "__main__":
    make(Path(sys.argv[1]), int(sys.argv[2]))
