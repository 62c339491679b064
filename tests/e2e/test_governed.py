"""A governed deployment on a real node: approved by another person, upgraded, evicted, drained, retired and deleted."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator

import pytest
from examples.quickstart.checks import Tools

from tests.e2e.lab import POD_SECONDS, Lab, Pushed, failing
from tests.integration.samples import API
from tests.kube import Kube
from tests.wait import until

ANYBODY = ("--as=mallory", "--as-group=system:authenticated")


@pytest.fixture
def governed(kube: Kube, tools: Tools, pushed: Pushed) -> Iterator[Lab]:
    """A stage of its own: one approval, by somebody else."""
    stage = f"e2e-governed-{uuid.uuid4().hex[:8]}"
    spec = {"match": {"stages": [stage]}, "require": {"approvals": 1, "fromEachRole": ["risk"]}}
    kube.apply({"apiVersion": API, "kind": "ApprovalPolicy", "metadata": {"name": stage}, "spec": spec})
    try:
        with kube.namespace(stage, **{"slipway.dev/stage": stage}) as namespace:
            yield Lab.of(kube, tools, namespace, pushed)
    finally:
        kube.delete("ApprovalPolicy", None, stage)


def test_from_the_request_to_the_end(governed: Lab) -> None:
    governed.register()
    governed.deploy()
    governed.await_reason("AwaitingApproval", kind="Approved")
    assert governed.pods() == []
    approve(governed)
    governed.await_reason("Serving")
    governed.assert_answers()

    (before,) = governed.await_pods(1)
    governed.tools.kubectl(
        "create", "--raw", f"/api/v1/namespaces/{governed.namespace}/pods/{before}/eviction", "-f", eviction(governed, before)
    )
    assert governed.await_pods(1) != [before]
    drain_and_come_back(governed)

    governed.register("2")
    governed.deploy(version="2")
    governed.await_reason("AwaitingApproval", kind="Approved")
    governed.assert_answers("1")
    approve(governed)
    until(lambda: governed.status().get("version") == "2" and governed.condition("Reconciling") is None, POD_SECONDS, "version 2 to serve")
    governed.assert_answers("2")

    said = failing(governed.tools.kubectl, "exec", governed.await_pods(1)[0], *ANYBODY, "--", "true")
    assert "forbidden" in said
    assert "set spec.retire: true" in failing(governed.tools.kubectl, "delete", "slmd/churn")
    governed.deploy(version="2", retire=True)
    governed.await_reason("AwaitingApproval", kind="Approved")
    approve(governed)
    governed.await_reason("Retired")
    until(lambda: governed.kube.list("Pod", governed.namespace) == [], POD_SECONDS, "the pods to end")
    governed.tools.kubectl("delete", "slmd/churn", "--timeout=60s")


def approve(lab: Lab) -> None:
    """As a person who did not ask; the administrator's kubeconfig may impersonate."""
    spec = {"deployment": "churn", "revision": lab.status()["revision"], "as": "risk", "decision": "Approve", "reason": "looked at"}
    manifest = {"apiVersion": API, "kind": "ModelApproval", "metadata": {"generateName": "churn-"}, "spec": spec}
    file = lab.pushed.folder.parent / "approval.json"
    file.write_text(json.dumps(manifest))
    lab.tools.kubectl("create", "-f", str(file), "--as=bob", "--as-group=system:masters")


def eviction(lab: Lab, pod: str) -> str:
    file = lab.pushed.folder.parent / "eviction.json"
    metadata = {"name": pod, "namespace": lab.namespace}
    file.write_text(json.dumps({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": metadata}))
    return str(file)


def drain_and_come_back(lab: Lab) -> None:
    """A drain of the only node: pods wait for a place, and serve again when there is one."""
    (node,) = (found["metadata"]["name"] for found in lab.kube.call("GET", "/api/v1/nodes")["items"])
    chosen = ("--pod-selector=slipway.dev/deployment=churn", "--delete-emptydir-data", "--timeout=120s")
    try:
        lab.tools.kubectl("drain", node, *chosen)
        assert lab.ready_pods() == []
    finally:
        lab.tools.kubectl("uncordon", node)
    lab.await_pods(1)
    lab.assert_answers()
