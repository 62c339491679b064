"""What plain kubectl sees and does."""

from __future__ import annotations

import re

import pytest

from tests.e2e.lab import Lab
from tests.wait import until


@pytest.fixture(scope="module")
def serving(module_lab: Lab) -> Lab:
    """`churn`, and `scaled`, which is autoscaled: its metrics take a while, so it comes first."""
    module_lab.register()
    module_lab.deploy("scaled", autoscaling={"maxReplicas": 2}, resources={"requests": {"cpu": "100m"}})
    module_lab.serve()
    return module_lab


def test_wait(serving: Lab) -> None:
    said = serving.tools.kubectl("wait", "slmd/churn", "--for=condition=Ready", "--timeout=5s")
    assert said.strip() == "modeldeployment.slipway.dev/churn condition met"


def test_the_category_lists_all_kinds(serving: Lab) -> None:
    names = serving.tools.kubectl("get", "slipway", "-o", "name").split()
    group = "slipway.dev"
    assert set(names) == {f"model.{group}/churn", f"modelversion.{group}/churn-1"} | {
        f"modeldeployment.{group}/{name}" for name in ("churn", "scaled")
    }


def test_columns(serving: Lab) -> None:
    header, row = serving.tools.kubectl("get", "slmd", "churn").splitlines()
    assert header.split() == ["NAME", "MODEL", "VERSION", "SERVING", "PHASE", "READY", "REPLICAS", "REASON", "AGE"]
    assert row.split()[:-1] == ["churn", "churn", "1", "1", "Serving", "1", "1", "Serving"]
    wide = serving.tools.kubectl("get", "slmd", "churn", "-o", "wide")
    assert f"http://churn.{serving.namespace}" in wide
    assert "version 1 answers with 1 of 1 replicas" in wide


def test_explain(serving: Lab) -> None:
    said = serving.tools.kubectl("explain", "modeldeployment.spec.version")
    description = said.partition("DESCRIPTION:")[2].strip()
    assert len(description) > 10
    assert "<empty>" not in description


def test_scale_out(serving: Lab) -> None:
    serving.tools.kubectl("scale", "slmd/churn", "--replicas=2")
    said = serving.tools.kubectl("rollout", "status", "deployment/churn", "--timeout=90s")
    serving.await_pods(2)
    serving.await_reason("Serving")
    assert serving.status()["readyReplicas"] == 2
    budget = until(lambda: serving.kube.get("PodDisruptionBudget", serving.namespace, "churn"), 10, "a budget")
    assert budget["spec"]["maxUnavailable"] == 1
    rolled_out = serving.tools.kubectl("rollout", "status", "deployment/churn", "--timeout=5s")
    assert 'deployment "churn" successfully rolled out' in rolled_out, said


def test_the_autoscaler_reads_metrics(serving: Lab) -> None:
    serving.await_reason("Serving", "scaled")
    until(lambda: re.search(r"cpu: \d+%/80%", serving.tools.kubectl("get", "hpa", "scaled")), 120, "the autoscaler to read metrics", 1)
    autoscaler = serving.kube.get("HorizontalPodAutoscaler", serving.namespace, "scaled") or {}
    active = {c["type"]: c["status"] for c in autoscaler["status"]["conditions"]}
    assert (active["AbleToScale"], active["ScalingActive"]) == ("True", "True")
