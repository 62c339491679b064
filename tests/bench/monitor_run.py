"""Our side of tests/bench/monitor.py: what a run does with a window's rows, against a profile that was made before, or that it makes of
reference rows first. `python -m tests.bench.monitor_run profile|reference PATH WINDOW` prints seconds and MiB.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from slipway.api.v1alpha1.model_monitor import DataQuality, Drift, ServiceHealth
from slipway.monitor.log.ahead import ahead
from slipway.monitor.stats.convert import Kind
from slipway.monitor.stats.drift import drift_checks
from slipway.monitor.stats.health import health_checks
from slipway.monitor.stats.profile import Profile, build
from slipway.monitor.stats.quality import quality_checks
from slipway.monitor.stats.reports import column_reports
from slipway.monitor.stats.scan import Scanner, scan
from tests.bench.monitor_columns import NAMES, READ
from tests.bench.peak import peak_mib

READ_ROWS = 131_072
"""slipway.monitor.log.reading's, without what that imports."""
KINDS: dict[str, Kind] = dict.fromkeys(NAMES, "Number")


def main(kind: str, baseline: Path, window: Path) -> None:
    began = time.monotonic()
    profile = Profile.from_json(baseline.read_bytes()) if kind == "profile" else profile_of(baseline)
    _judge(profile, window)
    print(time.monotonic() - began, peak_mib())


def profile_of(reference: Path) -> Profile:
    return build(_batches(reference), KINDS)


def _judge(profile: Profile, folder: Path) -> None:
    window = scan(Scanner(profile, KINDS), _batches(folder))
    checks = [
        *drift_checks(profile, window, Drift(), "Drift", NAMES),
        *quality_checks(window, DataQuality(max_missing=0.1, max_out_of_range=0.1), NAMES),
        *health_checks(window, ServiceHealth(max_error_rate=0.1, max_latency_p99_milliseconds=1000)),
    ]
    assert {check.verdict for check in checks} == {"Healthy"}
    assert len(checks) == 3 * len(NAMES) + 2
    assert len(column_reports(profile, window)) == len(NAMES)


def _batches(folder: Path) -> Iterator[pa.RecordBatch]:
    """As a run reads the log: so many rows at once, the next ones while these are counted."""
    return ahead(_read(folder))


def _read(folder: Path) -> Iterator[pa.RecordBatch]:
    for path in sorted(folder.rglob("*.parquet")):
        file = pq.ParquetFile(path, pre_buffer=False, buffer_size=2**20)  # else it holds the whole file
        yield from file.iter_batches(READ_ROWS, columns=READ)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
