"""Operator processes that end, pause and take over, under the chart's fence; the audit log tells who wrote what."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.audit import writes, writes_to
from tests.cluster.control_plane import ControlPlane
from tests.integration.conftest import start_operator
from tests.integration.operator import OperatorProcess
from tests.integration.platform import platform
from tests.integration.samples import apply_all, await_child, await_reason, deployment
from tests.kube import Kube
from tests.wait import until

FIRST, SECOND = "slipway-operator-a", "slipway-operator-b"


@pytest.fixture(scope="module")
def plane() -> Iterator[ControlPlane]:
    """A control plane of its own: no other operator watches it."""
    with platform("ha", policies=True) as control:
        yield control


@pytest.fixture
def kube(plane: ControlPlane) -> Kube:
    return Kube(plane.kubeconfig)


@pytest.fixture
def team(kube: Kube, request: pytest.FixtureRequest) -> Iterator[str]:
    with kube.namespace(f"ha-{request.node.name[:40].strip('_').replace('_', '-')}") as name:
        yield name


def holder(kube: Kube) -> str:
    lease = kube.get("Lease", "slipway-system", "slipway-operator") or {"spec": {}}
    return str(lease["spec"].get("holderIdentity", ""))


def settled(kube: Kube, namespace: str) -> bool:
    """All five deployments are counted, and so are their pods: what controllers do in their own time has reached every status."""
    counts = [found["status"].get("deployments") for kind in ("Model", "ModelVersion") for found in kube.list(kind, namespace)]
    pods = [found["status"].get("replicas") == found["spec"]["replicas"] for found in kube.list("ModelDeployment", namespace)]
    return counts == [5, 5] and pods == [True] * 5


def test_a_restart_writes_nothing(plane: ControlPlane, kube: Kube, team: str, tmp_path: Path) -> None:
    first = start_operator(plane, kube, tmp_path, FIRST)
    apply_all(kube, team, replicas=2, autoscaling={"maxReplicas": 4})
    for number in range(4):
        kube.apply(deployment(team, f"more-{number}"))
        await_reason(kube, team, "Progressing", f"more-{number}")
    until(lambda: settled(kube, team) and first.metrics()["slipway_queue_depth"] == 0, 60, "the last status to be written")
    assert first.stop() == 0
    assert holder(kube) == "", "the Lease is given up"
    before = writes_to(plane.audit_log)
    again = start_operator(plane, kube, tmp_path, FIRST)
    done = 'slipway_reconciles_total{kind="ModelDeployment",result="ok"}'
    until(lambda: again.metrics().get(done, 0) >= 5 and again.metrics()["slipway_queue_depth"] == 0, 30, "five no-op reconciles")
    assert again.stop() == 0
    assert writes_to(plane.audit_log) == before


def test_a_killed_leader_is_succeeded(plane: ControlPlane, kube: Kube, team: str, tmp_path: Path) -> None:
    leader = start_operator(plane, kube, tmp_path, FIRST)
    until(lambda: holder(kube) == FIRST, 20, "the first to lead")
    follower = start_operator(plane, kube, tmp_path, SECOND)
    apply_all(kube, team)
    await_child(kube, "Deployment", team)
    leader.stop(signal.SIGKILL)
    kube.apply(deployment(team, replicas=3))
    until(lambda: (kube.get("Deployment", team, "churn") or {})["spec"]["replicas"] == 3, 20, "the follower to write")
    assert holder(kube) == SECOND
    assert follower.stop() == 0


def test_a_paused_leader_can_do_no_harm_when_it_wakes(plane: ControlPlane, kube: Kube, team: str, tmp_path: Path) -> None:
    leader = start_operator(plane, kube, tmp_path, FIRST)
    until(lambda: holder(kube) == FIRST, 20, "the first to lead")
    follower = start_operator(plane, kube, tmp_path, SECOND)
    apply_all(kube, team)
    await_child(kube, "Deployment", team)
    assert leader.process is not None
    leader.process.send_signal(signal.SIGSTOP)
    until(lambda: holder(kube) == SECOND, 30, "the second to take the Lease")
    kube.apply(deployment(team, replicas=3))
    until(lambda: (kube.get("Deployment", team, "churn") or {})["spec"]["replicas"] == 3, 20, "the second to write")
    leader.process.send_signal(signal.SIGCONT)
    assert leader.process.wait(30) == 1, "the deposed leader ends, to start afresh"
    assert follower.stop() == 0
    _assert_no_write_after_deposition(plane.audit_log, team)


def _assert_no_write_after_deposition(audit_log: Path, namespace: str) -> None:
    writers = [_pod(entry) for entry in writes(audit_log, namespace=namespace) if _pod(entry)]
    assert FIRST in writers
    assert SECOND in writers
    assert FIRST not in writers[writers.index(SECOND) :], writers


def _pod(entry: dict[str, object]) -> str:
    """The pod that wrote, Events aside: they are not fenced."""
    if entry["objectRef"]["resource"] == "events":  # type: ignore[index]
        return ""
    extra = entry["user"].get("extra", {})  # type: ignore[attr-defined]
    return str(extra.get("authentication.kubernetes.io/pod-name", [""])[0])


def test_a_name_that_is_taken_is_left_alone_and_said(plane: ControlPlane, kube: Kube, team: str, tmp_path: Path) -> None:
    foreign = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "churn", "namespace": team}}
    kube.apply(foreign | {"spec": {"selector": {"app": "theirs"}, "ports": [{"port": 1}]}})
    operator: OperatorProcess = start_operator(plane, kube, tmp_path, FIRST)
    apply_all(kube, team)
    condition = await_reason(kube, team, "NameConflict", kind="Stalled")
    assert "Service churn exists and is not Slipway's" in condition["message"]
    assert (kube.get("Service", team, "churn") or {})["spec"]["selector"] == {"app": "theirs"}
    assert operator.stop() == 0
