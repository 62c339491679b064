"""What others do to children and to the status is put back, and what the apiserver rewrites is not taken for an edit."""

from __future__ import annotations

from typing import Any

import pytest

from tests.audit import writes
from tests.cluster.control_plane import ControlPlane
from tests.integration.operator import OperatorProcess
from tests.integration.samples import apply_all, await_child, await_reason, deployment, event_messages
from tests.kube import Kube, Manifest
from tests.wait import until

pytestmark = pytest.mark.usefixtures("operator")


def labels(kube: Kube, kind: str, namespace: str, name: str = "churn") -> dict[str, str]:
    found: dict[str, str] = (kube.get(kind, namespace, name) or {"metadata": {}})["metadata"].get("labels", {})
    return found


@pytest.mark.parametrize("label", ["slipway.dev/deployment", "app.kubernetes.io/managed-by"])
def test_a_label_that_is_taken_away_comes_back(kube: Kube, namespace: str, label: str) -> None:
    apply_all(kube, namespace)
    await_reason(kube, namespace, "Progressing")
    uid = await_child(kube, "Service", namespace)["metadata"]["uid"]
    wanted = labels(kube, "Service", namespace)
    kube.patch("Service", namespace, "churn", {"metadata": {"labels": {label: None}}})
    until(lambda: labels(kube, "Service", namespace) == wanted, 30, f"{label} to be put back")
    assert (kube.get("Service", namespace, "churn") or {})["metadata"]["uid"] == uid, "the same Service"
    until(lambda: any(m.startswith("Service churn was") for m in event_messages(kube, namespace, "ChildRepaired")), 30, "the Event")


def test_an_autoscaled_deployment_that_was_stopped_by_hand_starts_again(kube: Kube, namespace: str) -> None:
    apply_all(kube, namespace, replicas=2, autoscaling={"maxReplicas": 4})
    await_child(kube, "Deployment", namespace)
    kube.patch("Deployment", namespace, "churn", {"spec": {"replicas": 0}}, "scale")
    until(lambda: (kube.get("Deployment", namespace, "churn") or {})["spec"]["replicas"] == 2, 30, "two replicas")


def test_the_status_of_others_vanishes(kube: Kube, namespace: str) -> None:
    apply_all(kube, namespace)
    await_reason(kube, namespace, "Progressing")
    evil = {"type": "Evil", "status": "True", "reason": "Evil", "message": "", "observedGeneration": 1}
    evil["lastTransitionTime"] = "2026-11-23T12:00:00Z"
    before = (kube.get("ModelDeployment", namespace, "churn") or {})["status"]["conditions"]
    kube.patch("ModelDeployment", namespace, "churn", {"status": {"digest": "evil", "conditions": [*before, evil]}}, "status")
    until(lambda: "vil" not in str((kube.get("ModelDeployment", namespace, "churn") or {})["status"]), 30, "the status to be ours again")


@pytest.mark.parametrize(
    ("requests", "stored"),
    [
        ({"cpu": "0.35", "memory": "1.5Gi"}, {"cpu": "350m", "memory": "1536Mi"}),
        ({"cpu": "1000m", "memory": 1000000000}, {"cpu": "1", "memory": "1G"}),
        ({"cpu": "0.0001", "memory": "1000000k"}, {"cpu": "1m", "memory": "1G"}),
    ],
)
def test_quantities_that_the_apiserver_rewrites_are_no_edits(
    kube: Kube, namespace: str, control_plane: ControlPlane, operator: OperatorProcess, requests: dict[str, Any], stored: dict[str, str]
) -> None:
    apply_all(kube, namespace, resources={"requests": requests})
    await_reason(kube, namespace, "Progressing")
    assert container(kube, namespace)["resources"]["requests"] == stored
    looked(kube, namespace, operator)
    assert applies_of_the_deployment(control_plane, namespace) == 1


def test_limits_alone_keep_the_default_requests(kube: Kube, namespace: str) -> None:
    apply_all(kube, namespace, resources={"limits": {"memory": "256Mi"}}, autoscaling={"maxReplicas": 2})
    await_child(kube, "Deployment", namespace)
    expected = {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "256Mi"}}
    assert container(kube, namespace)["resources"] == expected
    kube.apply(deployment(namespace))
    until(lambda: container(kube, namespace)["resources"] == {"requests": {"cpu": "100m", "memory": "512Mi"}}, 30, "the defaults alone")


def container(kube: Kube, namespace: str) -> Manifest:
    found: Manifest = (kube.get("Deployment", namespace, "churn") or {})["spec"]["template"]["spec"]["containers"][0]
    return found


def looked(kube: Kube, namespace: str, operator: OperatorProcess) -> None:
    """Waits until the operator has looked at the deployment twice more, with what it had written itself before its eyes."""
    for reason in ("once", "twice"):
        done = reconciles(operator)
        kube.patch("ModelDeployment", namespace, "churn", {"metadata": {"annotations": {"looked": reason}}})
        until(lambda done=done: reconciles(operator) > done, 30, "another reconcile")  # type: ignore[misc]


def reconciles(operator: OperatorProcess) -> float:
    return operator.metrics().get('slipway_reconciles_total{kind="ModelDeployment",result="ok"}', 0)


def applies_of_the_deployment(control_plane: ControlPlane, namespace: str) -> int:
    found = writes(control_plane.audit_log, user_agent="slipway-operator/", namespace=namespace)
    return sum(1 for entry in found if entry["objectRef"]["resource"] == "deployments" and entry["objectRef"]["namespace"] == namespace)
