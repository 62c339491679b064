"""The light control plane: for tests and measurements that need an apiserver but no node."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.control_plane import ControlPlane
from tests.cluster.kubectl import kubectl
from tests.cluster_tests.killing import kill

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    with ControlPlane(tmp_path_factory.mktemp("control-plane")) as started:
        yield started


def test_controllers_act_on_objects(plane: ControlPlane) -> None:
    kubectl(plane.kubeconfig, "create", "deployment", "web", "--image=web")
    kubectl(plane.kubeconfig, "wait", "deployment/web", "--for=jsonpath={.status.unavailableReplicas}=1", "--timeout=20s")


def test_the_audit_log_says_who_wrote_what(plane: ControlPlane) -> None:
    kubectl(plane.kubeconfig, "create", "serviceaccount", "writer")
    entries = [json.loads(line) for line in plane.audit_log.read_text().splitlines()]
    (created,) = [entry for entry in entries if entry["verb"] == "create" and entry["objectRef"].get("name") == "writer"]
    assert created["user"]["username"] == "admin"
    assert created["stage"] == "ResponseComplete"
    assert {entry["stage"] for entry in entries}.isdisjoint({"RequestReceived"})
    assert all(entry["level"] == "Metadata" for entry in entries)


def test_a_second_start_changes_nothing_and_repairs_what_has_died(plane: ControlPlane) -> None:
    before = {name: plane.processes.pid(name) for name in plane.processes.names()}
    plane.start()
    assert {name: plane.processes.pid(name) for name in plane.processes.names()} == before
    kill(plane.processes, "apiserver")
    plane.start()
    after = {name: plane.processes.pid(name) for name in plane.processes.names()}
    assert {name for name, pid in after.items() if pid != before[name]} == {"apiserver"}


def test_two_run_side_by_side_and_stop_alone(plane: ControlPlane, tmp_path: Path) -> None:
    with ControlPlane(tmp_path, with_controllers=False) as other:
        assert other.url != plane.url
        kubectl(other.kubeconfig, "get", "namespace", "default")
    assert other.processes.names() == []
    kubectl(plane.kubeconfig, "get", "namespace", "default")
