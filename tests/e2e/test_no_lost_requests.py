"""Pods come and go under load, and no caller notices."""

from __future__ import annotations

import pytest

from tests.e2e.lab import Lab
from tests.kube import Manifest, Refusal
from tests.wait import until


def test_deleting_evicting_and_scaling_in_lose_no_request(lab: Lab) -> None:
    lab.serve(replicas=2)
    lab.await_pods(2)
    lab.start_load()

    first, second = lab.await_pods(2)
    lab.kube.delete("Pod", lab.namespace, first)
    ready = lab.await_pods(2)
    assert first not in ready
    assert second in ready

    until(lambda: _budget(lab).get("disruptionsAllowed") == 1, 30, "the budget to allow an eviction")
    first, second = ready
    _evict(lab, first)
    with pytest.raises(Refusal, match="would violate the pod's disruption budget") as refused:
        _evict(lab, second)
    assert refused.value.code == 429
    assert second in lab.await_pods(2)

    lab.await_more_answers()
    lab.tools.kubectl("scale", "slmd/churn", "--replicas=1")
    lab.await_pods(1)
    until(lambda: lab.kube.list("Pod", lab.namespace, labelSelector="slipway.dev/deployment=churn")[1:] == [], 60, "the other pod to end")
    lab.await_more_answers()

    seen = lab.stop_load()
    assert seen["failed"] == 0, seen["failures"]
    assert seen["ok"] > 150


def _evict(lab: Lab, pod: str) -> None:
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": lab.namespace}}
    lab.kube.call("POST", f"/api/v1/namespaces/{lab.namespace}/pods/{pod}/eviction", eviction)


def _budget(lab: Lab) -> Manifest:
    found: Manifest = (lab.kube.get("PodDisruptionBudget", lab.namespace, "churn") or {}).get("status", {})
    return found
