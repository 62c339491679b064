"""A process seen from outside: its CPU time, and when it came to rest. Asking it would give it work."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.integration.operator import OperatorProcess

TICKS = os.sysconf("SC_CLK_TCK")
EVERY = 0.05
BUSY_TICKS = 1
"""In one look: a process that works has five, one at rest has none, or one now and then."""
QUIET_SECONDS = 1.5
LIMIT_SECONDS = 900


@contextmanager
def running(kubeconfig: Path, **env: str) -> Iterator[OperatorProcess]:
    """An operator that has just been started, with its default settings else; nothing of it is left."""
    operator = OperatorProcess(kubeconfig, "bench", **{"SLIPWAY_LEASE_SECONDS": "15"} | env)
    try:
        operator.spawn()
        yield operator
        operator.stop()
    finally:
        operator.end()
        shutil.rmtree(operator.log_path.parent, ignore_errors=True)


def cpu_seconds(process: subprocess.Popen[bytes]) -> float:
    """User and system time of all its threads so far."""
    return _ticks(process) / TICKS


def rested(process: subprocess.Popen[bytes]) -> float:
    """Waits until the process does nothing any more, and returns since when (of `time.monotonic`)."""
    began = since = time.monotonic()
    before = _ticks(process)
    while (now := time.monotonic()) - since < QUIET_SECONDS:
        if process.poll() is not None:
            raise RuntimeError(f"the process ended with {process.returncode}")
        if now - began > LIMIT_SECONDS:
            raise AssertionError(f"not at rest after {LIMIT_SECONDS} s")
        ticks = _ticks(process)
        if ticks - before > BUSY_TICKS:
            since = now
        before = ticks
        time.sleep(EVERY)
    return since


def reconciled(operator: OperatorProcess, deployments: int) -> float:
    """Waits until the operator has reconciled so many ModelDeployments and rests; returns since when it does."""
    assert operator.process is not None
    while True:
        try:
            since = rested(operator.process)
        except RuntimeError as error:
            raise RuntimeError(f"{error}: {operator.log_path.read_text()[-3000:]}") from None
        try:
            metrics = operator.metrics()
        except OSError:  # not listening yet
            continue
        done = metrics.get('slipway_reconciles_total{kind="ModelDeployment",result="ok"}', 0)
        if done >= deployments and metrics["slipway_queue_depth"] == 0 and metrics["slipway_leader"] == 1:
            return since


def _ticks(process: subprocess.Popen[bytes]) -> int:
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])
