"""DuckDB's side of tests/bench/monitor.py, a bare scan: `python -m tests.bench.monitor_duckdb FOLDER` prints seconds and MiB."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import duckdb

from tests.bench.monitor_columns import READ
from tests.bench.peak import peak_mib


def main(window: Path) -> None:
    duckdb.execute("SET threads = 2")
    began = time.monotonic()
    sums = ", ".join(f"sum({name})" for name in READ)
    (found,) = duckdb.sql(f"SELECT {sums} FROM read_parquet('{window}/**/*.parquet')").fetchall()
    print(time.monotonic() - began, peak_mib())
    assert len(found) == len(READ)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
