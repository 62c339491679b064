"""Operator processes that end, pause, are cut off and take over, under the chart's fence; the audit log tells who wrote what."""

from __future__ import annotations

import itertools
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import web

from tests.audit import writes_to
from tests.cluster.control_plane import ControlPlane
from tests.faults.oracle import Write, same_writes, unconditional, written
from tests.faults.proxy import FaultProxy
from tests.integration.conftest import start_operator
from tests.integration.identity import operator_token
from tests.integration.leadership import turns, vacancy
from tests.integration.operator import OperatorProcess, token_kubeconfig
from tests.integration.platform import platform
from tests.integration.samples import apply_all, await_reason, deployment
from tests.kube import Kube
from tests.wait import until

LEASE_SECONDS = 5
_numbers = itertools.count()
FIRST, SECOND = "slipway-operator-a", "slipway-operator-b"


@pytest.fixture(scope="module")
def plane() -> Iterator[ControlPlane]:
    """A control plane of its own: no other operator watches it."""
    with platform("ha", policies=True, record_bodies=True) as control:
        yield control


@pytest.fixture
def kube(plane: ControlPlane) -> Kube:
    return Kube(plane.kubeconfig)


@pytest.fixture
def team(kube: Kube) -> Iterator[str]:
    with kube.namespace(f"ha-{next(_numbers)}") as name:
        yield name


def holder(kube: Kube) -> str:
    lease = kube.get("Lease", "slipway-system", "slipway-operator") or {"spec": {}}
    return str(lease["spec"].get("holderIdentity", ""))


def at_rest(kube: Kube, namespace: str, deployments: int) -> bool:
    """Whether nothing is on its way any more: pods are made (and stay pending), and all is counted."""
    counts = [found.get("status", {}).get("deployments") for kind in ("Model", "ModelVersion") for found in kube.list(kind, namespace)]
    children = {child["metadata"]["name"]: child for child in kube.list("Deployment", namespace)}
    statuses = {found["metadata"]["name"]: found.get("status", {}) for found in kube.list("ModelDeployment", namespace)}
    return (
        counts == [deployments, deployments]
        and len(children) == deployments
        and all(child.get("status", {}).get("unavailableReplicas") == child["spec"]["replicas"] for child in children.values())
        and all(statuses[name].get("replicas") == child["spec"]["replicas"] for name, child in children.items())
    )


def test_a_restart_writes_nothing(plane: ControlPlane, kube: Kube, team: str, tmp_path: Path) -> None:
    first = start_operator(plane, kube, tmp_path, FIRST)
    apply_all(kube, team, replicas=2, autoscaling={"maxReplicas": 4})
    for number in range(4):
        kube.apply(deployment(team, f"more-{number}"))
        await_reason(kube, team, "Progressing", f"more-{number}")
    until(lambda: at_rest(kube, team, 5) and first.metrics()["slipway_queue_depth"] == 0, 60, "the last status to be written")
    assert first.stop() == 0
    assert holder(kube) == "", "the Lease is given up"
    before = writes_to(plane.audit_log)
    again = start_operator(plane, kube, tmp_path, FIRST)
    done = 'slipway_reconciles_total{kind="ModelDeployment",result="ok"}'
    until(lambda: again.metrics().get(done, 0) >= 5 and again.metrics()["slipway_queue_depth"] == 0, 30, "five no-op reconciles")
    assert again.stop() == 0
    assert writes_to(plane.audit_log) == before


@dataclass
class Replicas:
    """A leader behind a proxy of its own, and a follower."""

    leader: OperatorProcess
    proxy: FaultProxy
    follower: OperatorProcess


@contextmanager
def two_replicas(plane: ControlPlane, kube: Kube, folder: Path) -> Iterator[Replicas]:
    """Which of them leads is settled: the first."""
    with FaultProxy(plane.kubeconfig, folder) as proxy:
        config = token_kubeconfig(proxy.kubeconfig, operator_token(kube, FIRST), folder / "leader.kubeconfig")
        leader = OperatorProcess(config, FIRST, SLIPWAY_LEASE_SECONDS=str(LEASE_SECONDS)).start()
        until(lambda: holder(kube) == FIRST, 20, "the first to lead")
        follower = start_operator(plane, kube, folder, SECOND, SLIPWAY_LEASE_SECONDS=str(LEASE_SECONDS))
        try:
            yield Replicas(leader, proxy, follower)
        finally:
            for replica in (leader, follower):
                replica.end()


def kill(replicas: Replicas) -> None:
    replicas.leader.signal(signal.SIGKILL)


def pause(replicas: Replicas) -> None:
    replicas.leader.signal(signal.SIGSTOP)


def cut_off(replicas: Replicas) -> None:
    """As by a broken network: what was open is cut, and nothing new comes through."""
    replicas.proxy.cut_off()


def cut_off_from_the_lease(replicas: Replicas) -> None:
    """It could go on writing if it did not give up, or if the fence let it."""
    replicas.proxy.respond = lambda call: (
        web.json_response({"kind": "Status", "code": 503}, status=503) if call.resource == "leases" else None
    )


ENDINGS = [kill, pause, cut_off, cut_off_from_the_lease]


@pytest.mark.parametrize("ending", ENDINGS, ids=lambda ending: ending.__name__.replace("_", "-"))
def test_a_leader_that_goes_is_succeeded(
    ending: Callable[[Replicas], None], plane: ControlPlane, kube: Kube, team: str, tmp_path: Path, undisturbed: Counter[Write]
) -> None:
    start = plane.audit_log.stat().st_size
    with two_replicas(plane, kube, tmp_path) as replicas:
        apply_all(kube, team)
        await_settled(kube, team)
        ending(replicas)
        until(lambda: holder(kube) == SECOND, 30, "the second to lead")
        kube.apply(deployment(team, replicas=3))
        await_settled(kube, team, replicas=3)
        if ending is not kill:
            replicas.leader.signal(signal.SIGCONT)
            assert replicas.leader.wait() == 1, "the deposed leader ends, to start afresh"
        kube.apply(deployment(team, replicas=2))
        await_settled(kube, team, replicas=2)
        assert replicas.follower.stop() == 0
    assert turns(plane.audit_log, start) == [FIRST, SECOND], "each wrote in its time, and the first never again"
    assert not unconditional(plane.audit_log)
    same_writes(undisturbed, written(plane.audit_log, team))
    seconds, late = vacancy(plane.audit_log, start, FIRST, SECOND, LEASE_SECONDS / 5)
    assert seconds <= 1.5 * LEASE_SECONDS + late, (seconds, late)


@pytest.fixture(scope="module")
def undisturbed(plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Counter[Write]:
    """What one operator writes for the same edits."""
    kube = Kube(plane.kubeconfig)
    operator = start_operator(plane, kube, tmp_path_factory.mktemp("undisturbed"), FIRST)
    with kube.namespace("ha-undisturbed") as name:
        for replicas in (None, 3, 2):
            apply_all(kube, name, **({"replicas": replicas} if replicas else {}))
            await_settled(kube, name, replicas or 1)
        assert operator.stop() == 0
        return written(plane.audit_log, name)


def await_settled(kube: Kube, namespace: str, replicas: int = 1) -> None:
    """Until children and status are as asked, as far as they can be without a node."""

    def settled() -> bool:
        child = kube.get("Deployment", namespace, "churn") or {"spec": {}}
        budget = kube.get("PodDisruptionBudget", namespace, "churn") is not None
        model = (kube.get("Model", namespace, "churn") or {}).get("status", {})
        found = kube.get("ModelDeployment", namespace, "churn") or {"metadata": {}}
        return (
            child["spec"].get("replicas") == replicas
            and budget == (replicas > 1)
            and model.get("deployments") == 1
            and found.get("status", {}).get("replicas") == replicas
            and found["status"]["observedGeneration"] == found["metadata"]["generation"]
        )

    until(settled, 30, f"{replicas} replicas in {namespace}")


def test_a_name_that_is_taken_is_left_alone_and_said(plane: ControlPlane, kube: Kube, team: str, tmp_path: Path) -> None:
    foreign = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "churn", "namespace": team}}
    kube.apply(foreign | {"spec": {"selector": {"app": "theirs"}, "ports": [{"port": 1}]}})
    operator: OperatorProcess = start_operator(plane, kube, tmp_path, FIRST)
    apply_all(kube, team)
    condition = await_reason(kube, team, "NameConflict", kind="Stalled")
    assert "Service churn exists and is not Slipway's" in condition["message"]
    assert (kube.get("Service", team, "churn") or {})["spec"]["selector"] == {"app": "theirs"}
    assert operator.stop() == 0
