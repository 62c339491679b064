"""Rules are affordable where it counts: on the largest objects that the schemas let through."""

from __future__ import annotations

from typing import Any

from tests.integration.samples import deployment, model, monitor, version
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
        baseline={"uri": "s3://b/" + "k" * 1000, "digest": "sha256:" + "b" * 64},
    )
    assert kube.apply(largest, dry_run=True)["spec"] == largest["spec"] | {"container": largest["spec"]["container"]}


def test_the_largest_model_is_accepted(kube: Kube, namespace: str) -> None:
    notify = [f"{'n' * 62}{number}" for number in range(8)]
    texts: dict[str, Any] = {"datatype": "BYTES", "categories": [f"{'c' * 40}{number}" for number in range(200)]}
    inputs = [{"name": f"{'a' * 240}{number:03}", "datatype": "FP64", "min": -1.5, "max": 1e9} for number in range(950)]
    inputs += [{"name": f"text{number:02}"} | texts for number in range(50)]
    outputs = [{"name": f"{'o' * 240}{number:03}", "datatype": "FP64"} for number in range(1000)]
    owner = {"team": "t" * 63, "notify": notify}
    largest = model(namespace, "m" * 50, description="d" * 1024, owner=owner, schema={"inputs": inputs, "outputs": outputs})
    assert kube.apply(largest, dry_run=True)["spec"] == largest["spec"]


def test_the_largest_model_monitor_is_accepted(kube: Kube, namespace: str) -> None:
    names = ("accuracy", "precision", "recall", "f1", "auc", "logLoss", "brier", "calibrationError", "mae", "rmse", "r2")
    bounds = {"warning": 0.5, "critical": 0.5}
    metrics = [{"name": name} | bounds for name in names]
    when = ["Any", "ServiceHealth", "Drift", "MultivariateDrift", "PredictionDrift", "DataQuality", "Performance", "Staleness"]
    largest = monitor(
        namespace,
        "m" * 50,
        deployment="d" * 50,
        schedule=",".join(["1-59/2"] * 12) + " * * * *",
        baseline={"type": "Window", "window": {"days": 366, "endDaysAgo": 366}},
        drift={"exclude": [f"{'c' * 240}{number:03}" for number in range(1000)], "multivariate": bounds},
        predictionDrift={"numeric": "Wasserstein"},
        dataQuality={"maxMissing": 0.1, "maxOutOfRange": 0.1, "maxUnseenCategories": 1},
        performance={"metrics": metrics, "positiveClass": "p" * 253},
        segments=[{"column": f"{'s' * 250}{number}"} for number in range(5)],
        staleness={"maxAgeDays": 36500},
        actions=[{"do": "Notify", "when": when}] * 8,
        resources={"memory": "999999Gi", "cpu": "99999m"},
    )
    assert kube.apply(largest, dry_run=True)["spec"]["segments"][4]["maxValues"] == 20
