"""A monitor's scan: against a bare DuckDB scan of the same files, its memory as rows grow, and against Evidently on the same rows.

`ROWS` (10 million) is the large window; a tenth of it is the small one.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import venv
from collections.abc import Mapping
from pathlib import Path

from tests.bench.monitor_run import profile_of
from tests.bench.table import Row, Table
from tests.cluster.cache import cached, content_key

ROWS = int(os.environ.get("ROWS", "10000000"))
PAIRS = int(os.environ.get("PAIRS", "5"))
EVIDENTLY_ROUNDS = int(os.environ.get("EVIDENTLY_ROUNDS", "3"))
ROOT = Path(__file__).parents[2]
EVIDENTLY = ("evidently==0.7.23", "pandas==2.3.3")
Found = tuple[float, float]
"""Seconds, and the peak of memory in MiB."""
ABOUT = f"""20 float64 features with status and latency, in files as the collector makes them, in the page cache; {PAIRS} interleaved rounds
of {ROWS:,} and {ROWS // 10:,} rows, 2 threads, each side in a process of its own. A run: the scan and
[all checks](monitors/statistics.md) of drift (PSI), quality and health. Evidently 0.7.23: `DataDriftPreset(method="psi")`,
{EVIDENTLY_ROUNDS} rounds; it reads 100,000 reference rows besides, of which a run has the frozen profile."""


async def run() -> Table:
    home = Path(tempfile.mkdtemp(prefix="slipway-bench-monitor-"))
    try:
        _make(home)
        rows = [*_scan(home), *_evidently(home)]
    finally:
        shutil.rmtree(home, ignore_errors=True)
    return Table("Monitor", ABOUT, rows)


def _make(home: Path) -> None:
    subprocess.run([sys.executable, "-m", "tests.bench.monitor_rows", str(home), str(ROWS)], check=True, cwd=ROOT)
    (home / "profile.json").write_text(profile_of(home / "reference").to_json())


def _scan(home: Path) -> list[Row]:
    profile, folders = str(home / "profile.json"), {name: str(home / name) for name in ("large", "small")}
    sides = {
        "duckdb": [sys.executable, "-m", "tests.bench.monitor_duckdb", folders["large"]],
        "large": [sys.executable, "-m", "tests.bench.monitor_run", "profile", profile, folders["large"]],
        "small": [sys.executable, "-m", "tests.bench.monitor_run", "profile", profile, folders["small"]],
    }
    duckdb, large, small = _rounds(sides, PAIRS).values()
    times = statistics.median(ours[0] / bare[0] for ours, bare in zip(large, duckdb, strict=True))
    return [
        Row(f"DuckDB: the sum of every column of {ROWS:,} rows", _seconds(duckdb), "s"),
        Row("a run over them", _seconds(large), "s"),
        Row("a run ÷ DuckDB", times, at_most=2),
        Row("memory of DuckDB", _memory(duckdb), "MiB"),
        Row(f"memory of a run over {ROWS:,} rows", _memory(large), "MiB", at_most=1024),
        Row(f"memory of a run over {ROWS // 10:,} rows", _memory(small), "MiB"),
        Row("memory: a run over ten times the rows ÷ a run", _memory(large) / _memory(small), at_most=1.2),
    ]


def _evidently(home: Path) -> list[Row]:
    sides = {
        "ours": [sys.executable, "-m", "tests.bench.monitor_run", "profile", str(home / "profile.json"), str(home / "small")],
        "fresh": [sys.executable, "-m", "tests.bench.monitor_run", "reference", str(home / "reference"), str(home / "small")],
        "theirs": [str(_environment() / "bin/python"), "-m", "tests.bench.monitor_evidently", str(home / "reference"), str(home / "small")],
    }
    ours, fresh, theirs = _rounds(sides, EVIDENTLY_ROUNDS).values()
    return [
        Row(f"a run over {ROWS // 10:,} rows", _seconds(ours), "s"),
        Row("a run that makes the profile of the reference rows first, once a version", _seconds(fresh), "s"),
        Row("Evidently", _seconds(theirs), "s"),
        Row("Evidently ÷ ours", statistics.median(two[0] / one[0] for one, two in zip(ours, theirs, strict=True)), at_least=50),
        Row("memory of ours", _memory(ours), "MiB"),
        Row("memory of Evidently", _memory(theirs), "MiB"),
        Row("memory: ours ÷ Evidently", _memory(ours) / _memory(theirs), at_most=0.2),
    ]


def _environment() -> Path:
    """Evidently with the older pandas that it needs; made once."""

    def build(folder: Path) -> None:
        venv.create(folder, with_pip=True, symlinks=True)
        subprocess.run([folder / "bin/python", "-m", "pip", "install", "-q", *EVIDENTLY], check=True)

    return cached("tools", f"evidently-{content_key(*EVIDENTLY, sys.version)}", build)


def _rounds(sides: Mapping[str, list[str]], rounds: int) -> dict[str, list[Found]]:
    """What each command finds in each round; every other round the other way round."""
    found: dict[str, list[Found]] = {name: [] for name in sides}
    for number in range(rounds):
        for name in sorted(sides, reverse=bool(number % 2)):
            done = subprocess.run(sides[name], stdout=subprocess.PIPE, text=True, check=True, cwd=ROOT)
            seconds, memory = map(float, done.stdout.split()[-2:])
            found[name].append((seconds, memory))
    return found


def _seconds(found: list[Found]) -> float:
    return statistics.median(seconds for seconds, _ in found)


def _memory(found: list[Found]) -> float:
    return statistics.median(memory for _, memory in found)
