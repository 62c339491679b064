"""The life of a governed ModelDeployment, by an operator behind the fault proxy: asked for, approved, rejected, retired, deleted."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cluster.control_plane import ControlPlane
from tests.faults.oracle import Write, same_writes, unconditional, written
from tests.faults.proxy import Crash, FaultProxy, WritePoint
from tests.faults.recorded import Told, told, unrecorded
from tests.faults.state import difference, plain, snapshot
from tests.faults.supervisor import Supervised
from tests.integration.gate.gated import Gated, await_guard, governing_env
from tests.integration.identity import operator_token
from tests.integration.journal.team import SECONDS
from tests.integration.ledger_store import LedgerStore
from tests.integration.operator import token_kubeconfig
from tests.integration.samples import await_gone
from tests.kube import Kube
from tests.wait import until

POD = "operator-0"
PLATFORM = "slipway-system"
_numbers = itertools.count()


@dataclass(frozen=True)
class Life:
    """What one life ended in, and what was written in it."""

    states: dict[str, Any]
    writes: Counter[Write]
    told: Told
    unrecorded: list[str]
    unconditional: list[str]
    points: list[WritePoint]
    struck: bool


@contextmanager
def governed(plane: ControlPlane, ledgers: LedgerStore, crash: Crash) -> Iterator[Gated]:
    """A stage and an operator of its own, of which there is one at a time: it serves the whole cluster."""
    kube, number = Kube(plane.kubeconfig), next(_numbers)
    folder = Path(tempfile.mkdtemp(prefix="slipway-governed-"))
    namespace = f"life-{number}"
    try:
        with FaultProxy(plane.kubeconfig, folder) as proxy, kube.namespace(namespace, **{"slipway.dev/stage": namespace}):
            config = token_kubeconfig(proxy.kubeconfig, operator_token(kube, POD), folder / "operator.kubeconfig")
            env = governing_env() | ledgers.settings(namespace) | {"SLIPWAY_WATCH_NAMESPACES": ""}
            operator = Supervised(config, PLATFORM, **env)
            crash.kill = operator.kill
            gated = Gated(plane, kube, ledgers, namespace, folder, namespace)
            with operator:
                await_guard(kube)
                proxy.crash = crash
                yield gated
            gated.clear()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def live(plane: ControlPlane, ledgers: LedgerStore, crash: Crash, expected: Life | None = None) -> Life:
    """A whole life; with `expected`, each step takes until its state is as in that one."""
    with governed(plane, ledgers, crash) as gated:
        gated.require()
        states = {}
        for name, step in STEPS:
            step(gated)
            states[name] = _state(gated, expected.states[name] if expected else None, name)
        until(lambda: "Deleted" in str(told(ledgers.entries(gated.prefix))), SECONDS, "the last entry", every=0.5)
        said = plain(
            "", told(ledgers.entries(gated.prefix, gated.namespace)), gated.namespace
        )  # before the namespace goes, and all with it
    log, namespace = plane.audit_log, gated.namespace
    return Life(
        states,
        written(log, namespace),
        said,
        unrecorded(ledgers.durable(namespace), log, namespace),
        unconditional(log, namespace),
        crash.seen,
        crash.struck,
    )


def judge(reference: Life, life: Life) -> None:
    """The same states, writes and entries: so nothing was started twice, and nothing without its entry."""
    assert life.states == reference.states, difference(reference.states, life.states)
    same_writes(reference.writes, life.writes)
    assert life.told == reference.told, difference(reference.told, life.told)
    assert not life.unrecorded, f"without an entry: {life.unrecorded}"
    assert not life.unconditional, f"without preconditions: {life.unconditional}"


def _state(gated: Gated, expected: Any, name: str) -> Any:
    """Our objects and their children, with what became of the approvals."""
    found: dict[str, Any] = {}

    def settled() -> bool:
        found.clear()
        found.update(snapshot(gated.kube, gated.namespace))
        for approval in gated.kube.list("ModelApproval", gated.namespace):
            ready = gated.kube.condition(approval["metadata"]["name"], gated.namespace, "Ready", "ModelApproval")
            found[f"ModelApproval/{approval['metadata']['name']}"] = ready and ready["reason"]
        return expected is None or found == expected

    try:
        until(settled, SECONDS, name)
    except AssertionError:
        raise AssertionError(f"step {name}: {difference(expected, found)}") from None
    return found


def _register(gated: Gated) -> None:
    gated.register("alice", "3", "4", "5")
    until(lambda: _counted(gated, "none"), SECONDS, "the counts")


def _serve(number: str, approval: str, **spec: Any) -> Callable[[Gated], None]:
    def step(gated: Gated) -> None:
        gated.deploy("alice", version=number, **spec)
        gated.await_waiting()
        gated.approve("bob", name=approval)
        gated.await_serving(number)
        gated.await_answer(approval, "Consumed")
        until(lambda: _counted(gated, number), SECONDS, "the counts")

    return step


def _counted(gated: Gated, number: str) -> bool:
    """The counts in the status of the Model and its versions, which may lag by a second."""
    model = gated.get("Model").get("status", {})
    versions = gated.kube.list("ModelVersion", gated.namespace)
    return bool(
        (model.get("versions"), model.get("deployments")) == (3, number != "none")
        and all(found.get("status", {}).get("deployments") == int(found["spec"]["version"] == number) for found in versions)
    )


def _reject(gated: Gated) -> None:
    gated.deploy("alice", version="4")
    gated.await_waiting()
    assert gated.say("bob", "Reject", name="no", reason="not on Fridays").landed
    gated.await_reason("Rejected", kind="Approved")
    gated.await_answer("no", "Counted")
    until(lambda: _counted(gated, "4"), SECONDS, "the counts")


def _retire(gated: Gated) -> None:
    gated.deploy("alice", version="5", retire=True)
    gated.await_waiting()
    gated.approve("bob", name="retire")
    gated.await_reason("Retired")
    gated.await_answer("retire", "Consumed")
    until(lambda: gated.status()["replicas"] == 0 and "version" not in gated.status(), SECONDS, "the pods to be gone")


def _delete(gated: Gated) -> None:
    until(lambda: gated.status()["replicas"] == 0, SECONDS, "the pods to be gone")
    gated.delete("alice")
    await_gone(gated.kube, "ModelDeployment", gated.namespace)
    until(lambda: not gated.kube.list("ModelApproval", gated.namespace), SECONDS, "its approvals to go")
    until(lambda: not gated.kube.list("ControllerRevision", gated.namespace) and not gated.children(), SECONDS, "all of it to go")
    until(lambda: gated.get("Model")["status"].get("deployments") == 0, SECONDS, "the count")


STEPS: tuple[tuple[str, Callable[[Gated], None]], ...] = (
    ("register", _register),
    ("first", _serve("3", "first")),
    ("reject", _reject),
    ("upgrade", _serve("5", "upgrade")),
    ("retire", _retire),
    ("delete", _delete),
)
