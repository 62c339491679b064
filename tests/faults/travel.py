"""Journeys side by side on one control plane: each in a namespace of its own, by an operator of its own, behind a proxy of its own."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from tests.cluster.control_plane import ControlPlane
from tests.faults import journey
from tests.faults.oracle import Run, judge, repeated, written
from tests.faults.proxy import Crash, Errors, FaultProxy
from tests.faults.supervisor import Supervised
from tests.kube import Kube

PARALLEL = 4
_numbers = itertools.count()
T = TypeVar("T")


def travel(plane: ControlPlane, crash: Crash | None = None, errors: Errors | None = None) -> Run:
    """One journey under these faults."""
    kube = Kube(plane.kubeconfig)
    folder = Path(tempfile.mkdtemp(prefix="slipway-journey-"))
    try:
        with FaultProxy(plane.kubeconfig, folder) as proxy, kube.namespace(f"journey-{next(_numbers)}") as namespace:
            proxy.crash, proxy.errors = crash or Crash(), errors or Errors()
            with Supervised(proxy.kubeconfig, namespace) as operator:
                proxy.crash.kill = operator.kill
                states = journey.run(kube, namespace)
            log = plane.audit_log
            return Run(states, written(log, namespace), repeated(log, namespace), proxy.crash.seen, proxy.crash.struck, operator.starts)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def all_of(run: Callable[[T], str | None], cases: Iterable[T]) -> None:
    """Runs all cases, some at a time; AssertionError with what every failing one said."""
    with ThreadPoolExecutor(PARALLEL) as pool:
        failures = list(filter(None, pool.map(run, cases)))
    assert not failures, "\n".join(failures)


def verdict(reference: Run, name: str, run: Callable[[], Run], must_strike: bool = False) -> str | None:
    """What went wrong in a run, or None."""
    try:
        result = run()
        assert result.struck or not must_strike, "never came by"
        judge(reference, result)
    except AssertionError as error:
        return f"{name}: {error}"
    return None
