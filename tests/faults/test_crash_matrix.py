"""Kill the operator at every write it makes in a whole journey, three ways each: it always ends in the same place, with the same writes."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.audit import writes
from tests.cluster.control_plane import ControlPlane
from tests.faults import journey
from tests.faults.proxy import Crash, FaultProxy, Faults, WritePoint
from tests.faults.supervisor import Supervised
from tests.integration.platform import platform
from tests.kube import Kube

PARALLEL = 3
_numbers = itertools.count()


@dataclass(frozen=True)
class Run:
    """What one journey ended in, and what was written in it."""

    states: dict[str, Any]
    writes: Counter[tuple[str, str, str]]
    points: list[WritePoint]
    struck: bool
    starts: int


@pytest.fixture(scope="module")
def plane() -> Iterator[ControlPlane]:
    with platform("crash") as control:
        yield control


@pytest.fixture(scope="module")
def reference(plane: ControlPlane) -> Run:
    """The undisturbed run: its writes are the points to crash at."""
    return travel(plane, Faults())


def travel(plane: ControlPlane, faults: Faults) -> Run:
    """One journey in a namespace of its own, by an operator of its own, behind a proxy of its own."""
    kube = Kube(plane.kubeconfig)
    folder = Path(tempfile.mkdtemp(prefix="slipway-journey-"))
    proxy = FaultProxy(plane.kubeconfig, folder).start()
    with kube.namespace(f"journey-{next(_numbers)}") as namespace:
        operator = Supervised(proxy.kubeconfig, namespace)
        faults.kill = operator.kill
        proxy.faults = faults
        operator.start()
        try:
            states = journey.run(kube, namespace)
        finally:
            operator.stop()
            proxy.stop()
            shutil.rmtree(folder, ignore_errors=True)
    return Run(states, _written(plane.audit_log, namespace), faults.seen, faults.struck, operator.starts)


def _written(audit_log: Path, namespace: str) -> Counter[tuple[str, str, str]]:
    """The operator's accepted writes by verb (a server-side apply that made the object is a create), resource and name; Events aside."""
    counted: Counter[tuple[str, str, str]] = Counter()
    for entry in writes(audit_log, user_agent="slipway-operator/", namespace=namespace):
        reference = entry["objectRef"]
        if reference["namespace"] != namespace or reference["resource"] == "events":
            continue
        verb = "create" if entry["responseStatus"]["code"] == 201 else entry["verb"]
        counted[verb, reference["resource"], f"{reference['name']}/{reference.get('subresource', '')}"] += 1
    return counted


def judge(reference: Run, run: Run) -> None:
    """The oracle: the same states after each step; creates and deletes as often; at most one repeated apply an object."""
    assert run.states == reference.states
    for (verb, resource, name), count in (run.writes - reference.writes).items():
        assert verb in ("patch", "update"), f"{verb} of {resource}/{name}: {count} more than undisturbed"
        assert count <= 1 or name.endswith("/status"), f"{resource}/{name}: applied {count} times more than undisturbed"
    for (verb, resource, name), count in (reference.writes - run.writes).items():
        assert verb in ("patch", "update"), f"{verb} of {resource}/{name}: {count} fewer than undisturbed"


def crash_at(plane: ControlPlane, reference: Run, point: WritePoint, crash: Crash) -> str | None:
    """What went wrong, or None."""
    run = travel(plane, Faults(point=point, crash=crash))
    if not run.struck:
        return f"{point} {crash.value}: never came by"
    try:
        judge(reference, run)
    except AssertionError as error:
        return f"{point} {crash.value}: {error}"
    return None


def matrix(reference: Run) -> list[tuple[WritePoint, Crash]]:
    """Every write of the undisturbed run, three ways; repeated status writes may merge, so of those the first three count."""
    points = [point for point in reference.points if not (point.name.endswith("/status") or point.resource == "events") or point.number < 1]
    return list(itertools.product(dict.fromkeys(points), Crash))


def check(plane: ControlPlane, reference: Run, cases: list[tuple[WritePoint, Crash]]) -> None:
    with ThreadPoolExecutor(PARALLEL) as pool:
        failures = list(filter(None, pool.map(lambda case: crash_at(plane, reference, *case), cases)))
    assert not failures, "\n".join(failures)


def test_two_undisturbed_runs_are_equal(plane: ControlPlane, reference: Run) -> None:
    again = travel(plane, Faults())
    judge(reference, again)
    assert again.starts == 1
    assert len(matrix(reference)) >= 30


def test_a_sample_of_the_matrix(plane: ControlPlane, reference: Run) -> None:
    """Of each write one way, in turn: every write and every way is in it."""
    cases = matrix(reference)
    check(plane, reference, [case for number, case in enumerate(cases) if number % 3 == (number // 3) % 3])


@pytest.mark.full
@pytest.mark.timeout(3600)
def test_the_whole_matrix(plane: ControlPlane, reference: Run) -> None:
    check(plane, reference, matrix(reference))
