"""What the operator makes of ModelDeployments on a real apiserver with real controllers (no node: pods stay pending)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.operator import OperatorProcess
from tests.integration.samples import apply_all, await_child, await_gone, await_reason, deployment, event_messages, model, version
from tests.kube import Kube, Refusal
from tests.wait import until

pytestmark = pytest.mark.usefixtures("operator")


def test_children_of_a_minimal_deployment(kube: Kube, namespace: str) -> None:
    apply_all(kube, namespace)
    await_reason(kube, namespace, "Progressing")
    child = await_child(kube, "Deployment", namespace)
    service = await_child(kube, "Service", namespace)
    assert {port["name"]: port["port"] for port in service["spec"]["ports"]} == {"http": 80, "grpc": 9000}
    assert await_child(kube, "Service", namespace, "churn-pods")["spec"]["clusterIP"] == "None"
    assert await_child(kube, "ServiceAccount", namespace)["automountServiceAccountToken"] is False
    await_child(kube, "NetworkPolicy", namespace)
    assert kube.get("PodDisruptionBudget", namespace, "churn") is None, "a single pod's budget would block drains"
    assert kube.get("HorizontalPodAutoscaler", namespace, "churn") is None
    assert child["metadata"]["ownerReferences"][0]["kind"] == "ModelDeployment"
    assert child["spec"]["template"]["spec"]["containers"][0]["command"] == ["slipway-serve"]
    annotations = (kube.get("ModelDeployment", namespace, "churn") or {})["metadata"].get("annotations", {})
    assert not any("kopf" in key or "slipway" in key for key in annotations), annotations
    assert "finalizers" not in (kube.get("ModelDeployment", namespace, "churn") or {})["metadata"]


def test_status_before_the_operator_has_seen_it_is_minus_one(kube: Kube, namespace: str) -> None:
    created = kube.apply(deployment(namespace), dry_run=True)
    assert created["status"] == {"observedGeneration": -1, "phase": "Pending"} | {
        k: created["status"][k] for k in created["status"] if k not in ("observedGeneration", "phase")
    }


def test_budget_and_autoscaler_come_and_go(kube: Kube, namespace: str) -> None:
    apply_all(kube, namespace, replicas=3)
    await_child(kube, "PodDisruptionBudget", namespace)
    kube.apply(deployment(namespace, replicas=2, autoscaling={"maxReplicas": 5}))
    autoscaler = await_child(kube, "HorizontalPodAutoscaler", namespace)
    assert autoscaler["spec"]["minReplicas"] == 1
    await_gone(kube, "PodDisruptionBudget", namespace)
    kube.apply(deployment(namespace, replicas=1))
    await_gone(kube, "HorizontalPodAutoscaler", namespace)


def test_the_autoscalers_number_survives_other_edits(kube: Kube, namespace: str) -> None:
    apply_all(kube, namespace, replicas=2, autoscaling={"maxReplicas": 9})
    await_child(kube, "Deployment", namespace)
    kube.patch("Deployment", namespace, "churn", {"spec": {"replicas": 7}}, "scale")  # what the autoscaler does
    kube.apply(deployment(namespace, replicas=2, autoscaling={"maxReplicas": 9}, pod={"env": [{"name": "LEVEL", "value": "9"}]}))
    until(lambda: "LEVEL" in str(kube.get("Deployment", namespace, "churn")), 20, "the edit to arrive")
    assert (kube.get("Deployment", namespace, "churn") or {})["spec"]["replicas"] == 7


def test_scale_subresource(kube: Kube, namespace: str) -> None:
    apply_all(kube, namespace)
    await_child(kube, "Deployment", namespace)
    kube.patch("ModelDeployment", namespace, "churn", {"spec": {"replicas": 4}}, "scale")
    until(lambda: (kube.get("Deployment", namespace, "churn") or {})["spec"]["replicas"] == 4, 20, "four replicas")
    until(lambda: (kube.get("ModelDeployment", namespace, "churn") or {})["status"].get("selector"), 20, "the selector")


def test_an_edited_child_is_put_back_and_said(kube: Kube, namespace: str) -> None:
    apply_all(kube, namespace)
    image = await_child(kube, "Deployment", namespace)["spec"]["template"]["spec"]["containers"][0]["image"]
    await_reason(kube, namespace, "Progressing")
    change = [{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "evil:latest"}]
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/churn"
    kube.call("PATCH", path, change, "application/json-patch+json")

    def repaired() -> bool:
        return bool((kube.get("Deployment", namespace, "churn") or {})["spec"]["template"]["spec"]["containers"][0]["image"] == image)

    until(repaired, 20, "the image to be put back")
    until(lambda: any("changed by somebody else" in m for m in event_messages(kube, namespace, "ChildRepaired")), 20, "the Event")


@pytest.mark.parametrize("kind", ["Deployment", "Service", "ServiceAccount", "NetworkPolicy", "PodDisruptionBudget"])
def test_a_deleted_child_is_made_again(kube: Kube, namespace: str, kind: str) -> None:
    apply_all(kube, namespace, replicas=2)
    await_reason(kube, namespace, "Progressing")
    uid = await_child(kube, kind, namespace)["metadata"]["uid"]
    kube.delete(kind, namespace, "churn")

    def made_again() -> bool:
        child = kube.get(kind, namespace, "churn")
        return child is not None and child["metadata"]["uid"] != uid

    until(made_again, 20, f"a new {kind}")


def test_a_version_upgrade_is_one_change_of_the_deployment(kube: Kube, namespace: str) -> None:
    apply_all(kube, namespace)
    kube.apply(version(namespace, "4"))
    await_child(kube, "Deployment", namespace)
    kube.apply(deployment(namespace, version="4"))
    until(
        lambda: (kube.get("Deployment", namespace, "churn") or {})["spec"]["template"]["metadata"]["labels"]["slipway.dev/version"] == "4",
        20,
        "version 4 in the pod template",
    )
    until(lambda: any("from version 3 to 4" in m for m in event_messages(kube, namespace, "Deployed")), 20, "the Event")


def test_a_missing_model_says_what_to_do(kube: Kube, namespace: str) -> None:
    kube.apply(deployment(namespace))
    condition = await_reason(kube, namespace, "ModelMissing", kind="Stalled")
    assert "create it" in condition["message"]
    kube.apply(model(namespace))
    condition = await_reason(kube, namespace, "VersionMissing", kind="Stalled")
    assert "kubectl slipway push PATH --model churn --version 3" in condition["message"]
    kube.apply(version(namespace))
    await_reason(kube, namespace, "Progressing")


def test_the_version_deleted_while_serving_leaves_the_pods(kube: Kube, namespace: str) -> None:
    apply_all(kube, namespace)
    uid = await_child(kube, "Deployment", namespace)["metadata"]["uid"]
    kube.delete("ModelVersion", namespace, "churn-3")
    condition = await_reason(kube, namespace, "VersionMissing", kind="Stalled")
    assert "go on serving" in condition["message"]
    assert (kube.get("Deployment", namespace, "churn") or {})["metadata"]["uid"] == uid


def test_a_version_of_another_model_is_named(kube: Kube, namespace: str) -> None:
    kube.apply(model(namespace, "a-b"))
    kube.apply(version(namespace, "c", of="a-b"))
    kube.apply(model(namespace, "a"))
    kube.apply(deployment(namespace, model="a", version="b-c"))
    condition = await_reason(kube, namespace, "VersionMismatch", kind="Stalled")
    assert "version c of model a-b" in condition["message"]


def test_an_unknown_runtime_lists_the_choices(kube: Kube, namespace: str) -> None:
    kube.apply(model(namespace))
    kube.apply(version(namespace, format={"name": "sklearn", "version": "0.24"}))
    kube.apply(deployment(namespace))
    condition = await_reason(kube, namespace, "RuntimeNotFound", kind="Stalled")
    assert "sklearn 1.9, sklearn 1.8" in condition["message"]
    assert await_reason(kube, namespace, "RuntimeNotFound", "churn-3", of="ModelVersion")


def test_a_quota_that_refuses_pods_is_said(kube: Kube, namespace: str) -> None:
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "none", "namespace": namespace},
        "spec": {"hard": {"pods": "0"}},
    }
    kube.apply(quota)
    until(lambda: (kube.get("ResourceQuota", namespace, "none") or {}).get("status", {}).get("hard"), 20, "the quota to hold")
    apply_all(kube, namespace)
    condition = await_reason(kube, namespace, "QuotaExceeded", kind="Stalled")
    assert "exceeded quota: none" in condition["message"]


def test_pod_security_that_refuses_privileged_only_is_content(kube: Kube) -> None:
    with kube.namespace("restricted", **{"pod-security.kubernetes.io/enforce": "restricted"}) as namespace:
        apply_all(kube, namespace)
        until(lambda: kube.list("Pod", namespace), 20, "a pod: the pods fit Pod Security restricted")


def test_deletion_in_the_middle_of_a_roll_out_leaves_nothing(kube: Kube, namespace: str) -> None:
    apply_all(kube, namespace, replicas=3)
    kube.apply(version(namespace, "4"))
    await_child(kube, "Deployment", namespace)
    kube.apply(deployment(namespace, version="4", replicas=3))
    kube.delete("ModelDeployment", namespace, "churn")
    for kind in ("ModelDeployment", "Deployment", "Service", "NetworkPolicy", "PodDisruptionBudget", "ServiceAccount"):
        await_gone(kube, kind, namespace)


def test_counts_of_models_and_versions(kube: Kube, namespace: str) -> None:
    apply_all(kube, namespace)
    kube.apply(version(namespace, "4"))
    until(lambda: (kube.get("Model", namespace, "churn") or {})["status"].get("versions") == 2, 20, "two versions")
    status = (kube.get("Model", namespace, "churn") or {})["status"]
    assert (status["latestVersion"], status["deployments"]) == ("4", 1)
    until(lambda: (kube.get("ModelVersion", namespace, "churn-3") or {})["status"].get("deployments") == 1, 20, "one deployment")


def test_metrics_tell_what_serves(kube: Kube, namespace: str, operator: OperatorProcess) -> None:
    apply_all(kube, namespace)
    await_reason(kube, namespace, "Progressing")
    labels = (
        f'deployment="churn",importance="",model="churn",namespace="{namespace}",serving="",task="BinaryClassification",team="",version="3"'
    )
    until(lambda: operator.metrics().get(f"slipway_deployment_info{{{labels}}}") == 1, 20, "the series")
    kube.delete("ModelDeployment", namespace, "churn")
    until(lambda: f"slipway_deployment_info{{{labels}}}" not in operator.metrics(), 20, "the series to go")


def test_an_operator_without_approvals_does_not_ask_for_admission_policies(operator: OperatorProcess) -> None:
    """By it the alert SlipwayPoliciesMissing tells such an operator from one whose policies are gone."""
    assert operator.metrics()["slipway_governs"] == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"unknown": 1}, "field not declared in schema"),
        ({"replicas": "two"}, "expected numeric"),
        ({"replicas": -1}, "should be greater than or equal to 0"),
        ({"version": "v 3"}, "should match"),
        ({"autoscaling": {"minReplicas": 5, "maxReplicas": 2}}, "minReplicas must not be greater than maxReplicas"),
        ({"autoscaling": {"maxReplicas": 2}, "resources": {"requests": {"memory": "1Gi"}}}, "write resources.requests.cpu"),
        ({"resources": {"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}}, "a request must not be greater than its limit"),
        ({"pod": {"env": [{"name": "SLIPWAY_MODEL_NAME", "value": "x"}]}}, "choose another"),
    ],
)
def test_bad_input_is_refused_with_what_to_write(kube: Kube, namespace: str, change: dict[str, Any], message: str) -> None:
    with pytest.raises(Refusal, match=message):
        kube.apply(deployment(namespace, **change))


def test_names_that_would_pass_63_characters_are_refused(kube: Kube, namespace: str) -> None:
    with pytest.raises(Refusal, match="at most 50 characters"):
        kube.apply(deployment(namespace, "n" * 51))
    kube.apply(model(namespace))
    kube.apply(version(namespace))
    kube.apply(deployment(namespace, "n" * 50))
    await_child(kube, "Service", namespace, "n" * 50 + "-pods")
    with pytest.raises(Refusal, match="headless Service of ModelDeployment NAME"):
        kube.apply(deployment(namespace, "churn-pods"))


def test_a_version_is_immutable_and_named_after_its_model(kube: Kube, namespace: str) -> None:
    kube.apply(version(namespace))
    with pytest.raises(Refusal, match="create the next version instead"):
        kube.apply(version(namespace, artifact={"uri": "s3://elsewhere/", "digest": "sha256:" + "b" * 64}))
    wrong = version(namespace)
    wrong["metadata"]["name"] = "something"
    with pytest.raises(Refusal, match="metadata.name must be churn-3"):
        kube.apply(wrong)
