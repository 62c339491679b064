"""`kubectl slipway status`: from what was asked for down to the pods, with the trouble and the advice."""

from __future__ import annotations

import json

from tests.e2e.lab import Lab
from tests.integration.samples import DIGEST


def test_a_failing_deployment_with_its_trouble_and_what_to_do(lab: Lab) -> None:
    lab.serve()
    lab.register("2", artifact=lab.pushed.artifact | {"digest": DIGEST})
    lab.deploy(version="2")
    lab.await_reason("DigestMismatch", kind="Stalled")
    tree = lab.tools.slipway("status", "churn")
    pod = next(pod["metadata"]["name"] for pod in lab.pods() if pod["metadata"]["name"] not in lab.ready_pods())
    for part in (
        "ModelDeployment churn  version 2 (serves 1)  Failed  1/1 ready",
        "├── Model churn  BinaryClassification",
        "├── ModelVersion churn-2  sklearn",
        f"Pod {pod}  not ready",
        "fetch: DigestMismatch: ",
        "├── Available=True  MinimumReplicasAvailable",
        "└── Stalled=True  DigestMismatch",
        "What is wrong, and what to do",
        "→ The stored bytes are not the ones that were registered, and nothing was loaded",
    ):
        assert part in tree, tree
    problems = json.loads(lab.tools.slipway("status", "churn", "-o", "json"))["problems"]
    assert {"reason", "message", "advice"} <= problems[0].keys()
    assert problems[0]["reason"] == "DigestMismatch"
    row = next(line for line in lab.tools.slipway("status").splitlines() if line.startswith("churn"))
    assert "2 (serves 1)" in row
    assert "DigestMismatch" in row
