"""Deleting a ModelDeployment takes everything with it, whatever is under way."""

from __future__ import annotations

from tests.e2e.lab import Lab
from tests.kube import Manifest
from tests.wait import until

KINDS = ("Deployment", "Service", "Pod", "NetworkPolicy", "PodDisruptionBudget", "HorizontalPodAutoscaler")


def test_deleting_in_the_middle_of_a_roll_out_leaves_nothing(lab: Lab) -> None:
    lab.serve(replicas=2)
    lab.register("2")
    lab.deploy(version="2", replicas=2)
    until(lambda: _versions(lab) == {"1", "2"}, 60, "pods of both versions", every=0.05)
    lab.tools.kubectl("delete", "slmd", "churn")
    until(lambda: not _left(lab), 90, "everything to go", every=0.5)
    lab.deploy()
    lab.await_reason("Serving")
    lab.assert_answers()


def _versions(lab: Lab) -> set[str]:
    return {pod["metadata"]["labels"]["slipway.dev/version"] for pod in lab.pods()}


def _left(lab: Lab) -> list[str]:
    left = {f"{kind}/{found['metadata']['name']}" for kind in KINDS for found in lab.kube.list(kind, lab.namespace)}
    accounts = {f"ServiceAccount/{found['metadata']['name']}" for found in lab.kube.list("ServiceAccount", lab.namespace)}
    sets: list[Manifest] = lab.kube.call("GET", f"/apis/apps/v1/namespaces/{lab.namespace}/replicasets")["items"]
    return sorted(left | accounts - {"ServiceAccount/default"} | {f"ReplicaSet/{found['metadata']['name']}" for found in sets})
