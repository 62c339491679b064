"""The operator's pods: who leads, what they say of themselves, what their model pods may do."""

from __future__ import annotations

import json

import pytest
from examples.quickstart.checks import Tools

from tests.e2e.lab import PLATFORM, Lab, at, is_ready
from tests.kube import Kube
from tests.wait import until


@pytest.fixture
def platform(tools: Tools) -> Tools:
    return at(tools, PLATFORM)


@pytest.fixture
def restricted(kube: Kube, lab: Lab) -> Lab:
    """A namespace that runs no pod with any privilege."""
    kube.patch("Namespace", "", lab.namespace, {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}})
    return lab


def test_restricted_namespaces_logs_and_metrics(restricted: Lab, platform: Tools) -> None:
    restricted.serve()
    restricted.assert_answers()
    leader = _leader(restricted.kube)
    lines = [json.loads(line) for line in platform.kubectl("logs", leader).splitlines()]
    assert all({"time", "level", "logger", "message"} <= line.keys() for line in lines)
    reference = {"kind": "ModelDeployment", "namespace": restricted.namespace, "name": "churn"}
    said = [line["message"] for line in lines if line.get("object") == reference]
    assert "applied Deployment churn" in said
    assert said.count("applied Deployment churn") == 1, "nothing is applied that is there already"
    info = until(lambda: _info(platform, leader, restricted.namespace), 10, "slipway_deployment_info")
    for label in ('deployment="churn"', 'model="churn"', 'version="1"', 'serving="1"', 'task="BinaryClassification"'):
        assert label in info, info
    assert info.endswith(" 1.0")


def test_the_other_pod_takes_over_when_the_leader_is_killed(lab: Lab, platform: Tools) -> None:
    lab.serve()
    leader = _leader(lab.kube)
    platform.kubectl("delete", "pod", leader, "--grace-period=0", "--force")
    lab.deploy(pod={"env": [{"name": "AFTER", "value": "the leader"}]})
    successor = until(lambda: _other_leader(lab.kube, leader), 60, "another leader", every=0.3)
    lab.await_reason("Serving")
    environment = lab.pods()[0]["spec"]["containers"][0]["env"]
    assert {"name": "AFTER", "value": "the leader"} in environment
    lab.assert_answers()
    assert "slipway_leader 1.0" in _metrics(platform, successor)
    until(lambda: len(_ready_operators(lab.kube)) == 2, 60, "two operator pods", every=0.3)
    assert leader not in _ready_operators(lab.kube)


def _leader(kube: Kube) -> str:
    lease = kube.get("Lease", PLATFORM, "slipway-operator") or {}
    return str(lease["spec"].get("holderIdentity", ""))


def _other_leader(kube: Kube, before: str) -> str:
    holder = _leader(kube)
    return holder if holder != before else ""


def _ready_operators(kube: Kube) -> list[str]:
    pods = kube.list("Pod", PLATFORM, labelSelector="app.kubernetes.io/name=slipway-operator")
    return [pod["metadata"]["name"] for pod in pods if is_ready(pod) and "deletionTimestamp" not in pod["metadata"]]


def _metrics(platform: Tools, pod: str) -> str:
    return platform.kubectl("get", "--raw", f"/api/v1/namespaces/{PLATFORM}/pods/{pod}:8080/proxy/metrics")


def _info(platform: Tools, pod: str, namespace: str) -> str:
    lines = _metrics(platform, pod).splitlines()
    return next((line for line in lines if line.startswith("slipway_deployment_info{") and f'namespace="{namespace}"' in line), "")
