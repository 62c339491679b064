"""The process itself against a real apiserver and a real store, with no more rights than its ServiceAccount has."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.cluster.control_plane import ControlPlane
from tests.integration import samples
from tests.integration.collector.lab import Lab as Rights
from tests.integration.monitor.lab import DEPLOYMENT, NAME, NAMESPACE, Lab
from tests.integration.operator import token_kubeconfig
from tests.integration.platform import platform
from tests.kube import Kube, Refusal
from tests.s3 import Server
from tests.unit.monitor.tables import predictions, write
from tests.wait import until

COLLECTION = f"/apis/slipway.dev/v1alpha1/namespaces/{NAMESPACE}/modelmonitors"
OBJECT = f"{COLLECTION}/{NAME}"
ACCOUNT = "slipway-monitor"
RULES = [
    {"apiGroups": ["slipway.dev"], "resources": ["models", "modelversions", "modeldeployments", "modelmonitors"], "verbs": ["get"]},
    {"apiGroups": ["slipway.dev"], "resources": ["modelmonitors/status"], "verbs": ["patch"]},
]
"""What a run may do in the cluster."""


@pytest.fixture(scope="module")
def plane() -> Iterator[ControlPlane]:
    with platform("monitor", controllers=False) as plane:
        yield plane


@pytest.fixture(scope="module")
def config(plane: ControlPlane, store: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The kubeconfig of a run."""
    kube, folder = Kube(plane.kubeconfig), tmp_path_factory.mktemp("rights")
    rights = Rights(kube, store, folder)
    rights.account("slipway-system", ACCOUNT)
    rights.grant(ACCOUNT, f"system:serviceaccount:slipway-system:{ACCOUNT}", RULES)
    kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    for made in (samples.model(NAMESPACE), samples.version(NAMESPACE), samples.deployment(NAMESPACE)):
        kube.apply(made)
    until(lambda: _served(kube), 60, "modelmonitors to be served")
    return token_kubeconfig(plane.kubeconfig, rights.token("slipway-system", ACCOUNT), folder / "kubeconfig")


@pytest.fixture
def monitor(plane: ControlPlane, config: Path) -> Iterator[dict[str, Any]]:
    kube = Kube(plane.kubeconfig)
    spec = {"deployment": DEPLOYMENT, "serviceHealth": {"maxErrorRate": 0.01}, "drift": {}}
    meta = {"name": NAME, "namespace": NAMESPACE}
    yield kube.call("POST", COLLECTION, {"apiVersion": "slipway.dev/v1alpha1", "kind": "ModelMonitor", "metadata": meta, "spec": spec})
    kube.call("DELETE", OBJECT)


def _served(kube: Kube) -> bool:
    try:
        kube.call("GET", COLLECTION)
    except Refusal:
        return False
    return True


def run(lab: Lab, config: Path, uid: str, job: str) -> subprocess.CompletedProcess[str]:
    """`python -m slipway.monitor`, as its pod starts it."""
    told = {
        "KUBECONFIG": str(config),
        "SLIPWAY_MONITOR_NAMESPACE": NAMESPACE,
        "SLIPWAY_MONITOR_NAME": NAME,
        "SLIPWAY_MONITOR_UID": uid,
        "SLIPWAY_MONITOR_JOB": job,
        "SLIPWAY_LOG_URI": lab.place.uri,
        "SLIPWAY_LOG_SECRET": str(lab.place.secret),
    }
    return subprocess.run([sys.executable, "-m", "slipway.monitor"], env=os.environ | told, capture_output=True, text=True, check=False)


def serve(lab: Lab, version: int = 1) -> None:
    rows, at = 600, datetime.now(UTC) - timedelta(hours=1)
    ids = [f"{version}-{place}" for place in range(rows)]
    write(lab.place, "predictions", predictions(ids, [at] * rows, in_age=pa.array(range(rows))), version)


def test_its_part_of_the_status(plane: ControlPlane, lab: Lab, config: Path, monitor: dict[str, Any]) -> None:
    """Whole, as the CRD has it; again with every run; and nothing that is the operator's."""
    kube, uid = Kube(plane.kubeconfig), monitor["metadata"]["uid"]
    serve(lab)
    kube.call("PATCH", f"{OBJECT}/status", {"status": {"cronJob": "slipway-system/a"}}, "application/merge-patch+json")
    for number, rows in ((1, 600), (2, 1200)):
        done = run(lab, config, uid, f"daily-{number}")
        assert done.returncode == 0, done.stderr
        found = kube.call("GET", OBJECT)
        status = found["status"]
        assert status["cronJob"] == "slipway-system/a"
        assert (status["run"]["id"], status["run"]["rows"], status["run"]["verdict"]) == (f"daily-{number}", rows, "NoData")
        assert {check["check"]: check["verdict"] for check in status["run"]["checks"]} == {"ServiceHealth": "Healthy", "Drift": "NoData"}
        serve(lab, number + 1)
    (fields,) = [entry["fieldsV1"] for entry in found["metadata"]["managedFields"] if entry["manager"] == "slipway-monitor"]
    assert list(fields["f:status"]) == ["f:run"]


def test_of_another_object(plane: ControlPlane, lab: Lab, config: Path, monitor: dict[str, Any]) -> None:
    done = run(lab, config, "00000000-0000-0000-0000-000000000000", "daily-1")
    assert done.returncode == 0, done.stderr
    assert "run" not in (Kube(plane.kubeconfig).call("GET", OBJECT).get("status") or {})
    assert lab.names() == []


def test_the_store_is_away(plane: ControlPlane, store: Server, lab: Lab, config: Path, monitor: dict[str, Any]) -> None:
    """The status says so, and the exit code."""
    store.stop()
    try:
        done = run(lab, config, monitor["metadata"]["uid"], "daily-1")
    finally:
        store.start()
    assert done.returncode == 1
    found = Kube(plane.kubeconfig).call("GET", OBJECT)["status"]["run"]
    assert (found["verdict"], found["id"]) == ("Error", "daily-1")
    assert found["message"]


def test_without_settings() -> None:
    env = {name: text for name, text in os.environ.items() if not name.startswith("SLIPWAY_")}
    done = subprocess.run([sys.executable, "-m", "slipway.monitor"], env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.strip()) == (
        1,
        "slipway-monitor: SLIPWAY_MONITOR_NAMESPACE and SLIPWAY_MONITOR_NAME must name a ModelMonitor",
    )
