"""The columns of tests/bench/monitor.py, for all of its sides."""

from __future__ import annotations

NAMES = {f"in_f{index}": f"f{index}" for index in range(20)}
READ = [*NAMES, "status", "row", "latency_ms"]
"""By a run and by DuckDB; Evidently reads features alone."""
