"""Rules are affordable where it counts: on the largest objects that the schemas let through."""

from __future__ import annotations

from typing import Any

from tests.integration.samples import deployment, model, version
from tests.kube import Kube


def test_the_largest_model_deployment_is_accepted(kube: Kube, namespace: str) -> None:
    quantities = {f"example.com/{'r' * 40}{number}": "1" for number in range(7)} | {"cpu": "1"}
    pod: dict[str, Any] = {
        "nodeSelector": {f"{'p' * 60}/{'k' * 60}{number:02}": "v" * 63 for number in range(16)},
        "tolerations": [{"key": f"{'k' * 60}{number:02}", "value": "v" * 63, "effect": "NoExecute"} for number in range(16)],
        "env": [{"name": f"{'N' * 120}{number:02}", "value": "v" * 4096} for number in range(64)],
        "imagePullSecrets": [f"{'s' * 240}{number}" for number in range(8)],
        "runtimeClassName": "r" * 253,
        "priorityClassName": "p" * 253,
    }
    largest = deployment(
        namespace,
        "n" * 50,
        model="m" * 50,
        version="v" * 32,
        replicas=1000,
        autoscaling={"minReplicas": 1000, "maxReplicas": 1000},
        resources={"requests": quantities, "limits": quantities},
        pod=pod,
    )
    assert kube.apply(largest, dry_run=True)["spec"]["pod"] == pod | {
        "tolerations": [t | {"operator": "Equal"} for t in pod["tolerations"]]
    }


def test_the_largest_model_version_is_accepted(kube: Kube, namespace: str) -> None:
    largest = version(
        namespace,
        "v" * 32,
        of="m" * 50,
        format={"name": "custom", "version": "1.2.3"},
        artifact={"uri": "s3://b/" + "k" * 1000, "digest": "sha256:" + "a" * 64, "secretName": "s" * 253},
        container={"image": "i" * 512, "port": 65535, "grpcPort": 1, "command": ["c" * 4096] * 64, "args": ["a" * 4096] * 64},
        lineage={
            "trainingData": {"uri": "u" * 1024},
            "environment": {f"package-{number}": "1" * 64 for number in range(64)},
            "metrics": {f"metric-{number}": "0." + "9" * 30 for number in range(64)},
        },
    )
    assert kube.apply(largest, dry_run=True)["spec"] == largest["spec"] | {"container": largest["spec"]["container"]}


def test_the_largest_model_is_accepted(kube: Kube, namespace: str) -> None:
    largest = model(namespace, "m" * 50, description="d" * 1024, owner={"team": "t" * 63})
    assert kube.apply(largest, dry_run=True)["spec"] == largest["spec"]
