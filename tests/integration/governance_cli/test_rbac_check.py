"""`rbac check` on the roles and bindings of a real apiserver, which has those of Kubernetes and of the chart already."""

from __future__ import annotations

from tests.integration.gate.gated import RBAC
from tests.integration.governance_cli.desk import NOBODYS, Desk

WARNS = "--strict"


def user(name: str) -> dict[str, str]:
    return {"apiGroup": NOBODYS, "kind": "User", "name": name}


def test_a_fresh_cluster_has_nothing_to_warn_of(desk: Desk) -> None:
    """Neither Kubernetes' own roles nor the chart's; people are appointed as the docs say."""
    desk.require(require={"approvals": 2, "fromEachRole": ["platform", "risk"]})
    shown = desk.run("admin", "rbac", "check", WARNS)
    assert shown.code == 0, shown.stdout + shown.stderr
    lines = [line.split() for line in shown.stdout.splitlines()]
    assert [desk.namespace, "approve", "as", "risk", "User", "bob"] in [line[:6] for line in lines]
    found = desk.run("admin", "rbac", "check", "-o", "json").data
    own = [finding for finding in found["findings"] if finding["level"] == "Warning"]
    assert own == []
    approvers = {right["subject"]["name"] for right in found["rights"] if (right["what"], right["role"]) == ("approve", "risk")}
    assert approvers == {"bob", "carol", "system:masters"}


def test_what_is_dangerous_is_told(desk: Desk) -> None:
    desk.require(require={"approvals": 3, "fromEachRole": ["audit"]})
    rules = [{"apiGroups": ["slipway.dev"], "resources": ["modeldeployments"], "verbs": ["*"]}]
    desk.kube.apply({"apiVersion": RBAC, "kind": "Role", "metadata": {"name": "ops", "namespace": desk.namespace}, "rules": rules})
    desk.bind("ops", "Role", "ops", user("eve"))
    desk.bind("everything", "ClusterRole", "cluster-admin", user("root"))
    shown = desk.run("admin", "rbac", "check", WARNS)
    assert shown.code == 1
    assert shown.stderr.endswith("--strict: 2 warnings.\n")
    data = desk.run("admin", "rbac", "check", "-o", "json").data
    assert {finding["code"] for finding in data["findings"] if finding["level"] == "Warning"} == {"WildcardVerbs", "ClusterAdmin"}
    desk.kube.delete("RoleBinding", desk.namespace, "everything")
    data = desk.run("admin", "rbac", "check", "-o", "json").data
    assert {finding["code"] for finding in data["findings"] if finding["level"] == "Warning"} == {"WildcardVerbs", "RoleWithoutHolder"}


def test_all_namespaces_are_those_with_a_stage(desk: Desk) -> None:
    data = desk.run("admin", "rbac", "check", "-A", "-o", "json", namespace=False).data
    places = {right["namespace"] for right in data["rights"]}
    assert desk.namespace in places
    assert "default" not in places


def test_an_auditor_may_and_an_approver_may_not(desk: Desk) -> None:
    refused = desk.run("bob", "rbac", "check")
    assert refused.code == 1
    assert "ask for that right" in refused.stderr
    desk.bind_cluster_wide("vera", "slipway-auditor")
    desk.await_right("vera", "list", "clusterrolebindings", group="rbac.authorization.k8s.io", namespace="")
    allowed = desk.run("vera", "rbac", "check")
    assert allowed.code == 0, allowed.stderr
