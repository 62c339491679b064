"""Journeys side by side on one control plane: each in a namespace of its own, by an operator of its own, behind a proxy of its own."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from tests.cluster.control_plane import ControlPlane
from tests.faults import journey
from tests.faults.lab import Lab, behind_proxy
from tests.faults.oracle import Run, judge, repeated, unconditional, written
from tests.faults.proxy import Crash, Errors
from tests.faults.recorded import told, unrecorded
from tests.integration.ledger_store import LedgerStore
from tests.wait import until

PARALLEL = 4
T = TypeVar("T")
log = logging.getLogger(__name__)


def travel(
    plane: ControlPlane,
    ledgers: LedgerStore,
    expected: Run | None = None,
    *,
    crash: Crash | None = None,
    store_crash: Crash | None = None,
    errors: Errors | None = None,
    meanwhile: Callable[[Lab], None] = lambda _: None,
) -> Run:
    """One journey under these faults; with `expected`, each step takes until its state is as in that run."""
    with behind_proxy(plane, ledgers) as lab:
        assert lab.store
        lab.proxy.crash, lab.proxy.errors = crash or Crash(), errors or Errors()
        lab.store.crash = store_crash or Crash()
        lab.proxy.crash.kill = lab.store.crash.kill = lab.operator.kill
        with lab.operator, ThreadPoolExecutor(1) as other:
            also = other.submit(meanwhile, lab)
            states = journey.run(lab.kube, lab.namespace, expected.states if expected else None)
            until(lambda: "Deleted" in str(told(ledgers.entries(lab.namespace))), journey.STEP_SECONDS, "the last entry", every=0.5)
            also.result()
    log, name, crash, puts = plane.audit_log, lab.namespace, lab.proxy.crash, lab.store.crash
    return Run(
        states,
        written(log, name),
        repeated(log, name),
        unconditional(log, name),
        told(ledgers.entries(name)),
        unrecorded(ledgers.durable(name), log, name),
        crash.seen,
        puts.seen,
        crash.struck or puts.struck,
        lab.operator.starts,
    )


def all_of(run: Callable[[T], str | None], cases: Iterable[T]) -> None:
    """Runs all cases, some at a time; AssertionError with what every failing one said."""
    pool = ThreadPoolExecutor(PARALLEL)
    try:
        failures = list(filter(None, pool.map(run, cases)))
    finally:
        pool.shutdown(cancel_futures=True)  # an interrupt does not wait for all of them
    assert not failures, "\n".join(failures)


def verdict(reference: Run, name: str, run: Callable[[], Run], must_strike: bool = False) -> str | None:
    """What went wrong in a run, or None."""
    try:
        result = run()
        assert result.struck or not must_strike, "never came by"
        judge(reference, result)
    except AssertionError as error:
        log.warning("%s: %s", name, error)
        return f"{name}: {error}"
    log.info("%s: as undisturbed", name)
    return None
