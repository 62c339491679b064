"""Journeys side by side on one control plane: each in a namespace of its own, by an operator of its own, behind a proxy of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from tests.cluster.control_plane import ControlPlane
from tests.faults import journey
from tests.faults.lab import behind_proxy
from tests.faults.oracle import Run, judge, repeated, unconditional, written
from tests.faults.proxy import Crash, Errors

PARALLEL = 4
T = TypeVar("T")


def travel(plane: ControlPlane, expected: Run | None = None, *, crash: Crash | None = None, errors: Errors | None = None) -> Run:
    """One journey under these faults; with `expected`, each step takes until its state is as in that run."""
    with behind_proxy(plane) as lab:
        lab.proxy.crash, lab.proxy.errors = crash or Crash(), errors or Errors()
        lab.proxy.crash.kill = lab.operator.kill
        with lab.operator:
            states = journey.run(lab.kube, lab.namespace, expected.states if expected else None)
    log, crash = plane.audit_log, lab.proxy.crash
    return Run(
        states,
        written(log, lab.namespace),
        repeated(log, lab.namespace),
        unconditional(log, lab.namespace),
        crash.seen,
        crash.struck,
        lab.operator.starts,
    )


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
