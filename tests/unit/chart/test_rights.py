"""What the operator asks of the apiserver against what the chart grants: neither less nor more."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from slipway.cluster.client import Cluster
from slipway.cluster.http import Refused, Request
from slipway.cluster.resources import CHILD_KINDS, CRON_JOB, EVENT, JOB, LEASE, OWN_KINDS, WATCHED, Resource
from slipway.plan.children import OPTIONAL_CHILDREN
from tests.unit.chart.helm import render
from tests.unit.chart.test_render import operator_rules

Rights = dict[tuple[str, str], set[str]]
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
KOPF: Rights = {("apiextensions.k8s.io", "customresourcedefinitions"): {"list", "watch"}}
"""It looks for kinds that come and go."""
LEDGER: Rights = {("", "configmaps"): {"get", "patch"}}
"""Of one ConfigMap, where it publishes what verifies the ledger; and of another, where it remembers how the policies were."""
GOVERNANCE: Rights = {
    ("slipway.dev", "approvalpolicies"): {"get", "list", "watch"},
    ("slipway.dev", "modelapprovals"): {"get", "list", "watch", "create", "delete"},
    ("slipway.dev", "modelapprovals/status"): {"update"},
    ("", "namespaces"): {"get", "list", "watch"},
    ("apps", "controllerrevisions"): {"get", "list", "watch", "create", "delete"},
    ("authorization.k8s.io", "subjectaccessreviews"): {"create"},
    ("admissionregistration.k8s.io", "validatingadmissionpolicies"): {"list"},
    ("admissionregistration.k8s.io", "validatingadmissionpolicybindings"): {"list"},
}
"""Where approvals govern."""


class Recorder:
    """A transport that notes which right each request needs."""

    def __init__(self) -> None:
        self.rights: Rights = defaultdict(set)

    async def __call__(self, request: Request) -> Any:
        parts = request.path.strip("/").split("/")
        group = parts[1] if parts[0] == "apis" else ""
        resource, *rest = parts[parts.index("namespaces") + 2 :]
        name = "/".join([resource, *rest[1:]])
        self.rights[group, name].add(_VERBS.get(request.method) or ("get" if rest else "list"))
        if request.content_type.startswith("application/apply-patch"):
            self.rights[group, name].add("create")  # of an object that is not there
        if request.method == "POST" and resource == "events":
            raise Refused(409, "AlreadyExists", "said before")
        return {"items": [], "metadata": {"resourceVersion": "1"}, "count": 1}


def manifest(resource: Resource) -> dict[str, Any]:
    meta = {"namespace": "n", "name": "x", "uid": "u", "resourceVersion": "1"}
    return {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": meta, "lastTimestamp": ""}


async def used() -> Rights:
    """Everything that the operator does with its kinds, its children, pods, Events and the Lease."""
    recorder = Recorder()
    cluster = Cluster(recorder)
    for resource in WATCHED:
        recorder.rights[resource.group, resource.plural].add("watch")
        async for _ in cluster.pages(resource, "n", ""):
            pass
        await cluster.get(resource, "n", "x")
    for child in CHILD_KINDS:
        await cluster.apply(manifest(child), None)
        if child.kind in OPTIONAL_CHILDREN:
            await cluster.delete(manifest(child))
    for kind in OWN_KINDS:
        await cluster.apply_status(manifest(kind), {})
    async for _ in cluster.pages(CRON_JOB, "n", ""):
        pass
    await cluster.get(CRON_JOB, "n", "x")
    await cluster.apply(manifest(CRON_JOB), None)
    await cluster.delete(manifest(CRON_JOB))
    await cluster.get(JOB, "n", "x")
    await cluster.create(manifest(JOB))
    await cluster.list_events("n", "u")
    await cluster.record(manifest(EVENT))
    await cluster.get(LEASE, "n", "x")
    await cluster.put(LEASE, manifest(LEASE), 1)
    await cluster.put(LEASE, {"metadata": {"namespace": "n", "name": "x"}}, 1)
    return recorder.rights


def rights(rules: list[dict[str, Any]]) -> Rights:
    granted: Rights = defaultdict(set)
    for rule in rules:
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                granted[group, resource] |= set(rule["verbs"])
    return granted


async def test_the_chart_grants_what_is_used_and_no_more() -> None:
    granted = rights(operator_rules(render()))
    assert granted == await used() | KOPF | LEDGER | GOVERNANCE
    assert rights(operator_rules(render({"governance": {"enabled": False}}))) == await used() | KOPF | LEDGER
    assert not rights(operator_rules(render({"watchNamespaces": ["growth"]}))).keys() & GOVERNANCE.keys()
