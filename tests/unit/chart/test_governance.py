"""Governance in the chart: what is rendered when, who gets what, and that the policies say what the operator's code says."""

from __future__ import annotations

from typing import Any

import pytest

from slipway.api.v1alpha1.model_approval import MAX_GROUPS
from slipway.cluster.resources import CHILD_KINDS, GOVERNING
from tests.unit.chart.helm import PLATFORM, Manifest, one, render
from tests.unit.chart.test_render import covered, environment, operator_rules, verbs

GUARDS = {
    f"slipway-{name}"
    for name in (
        "approvals",
        "deletion",
        "endpoints",
        "namespaces",
        "owned",
        "requested-by",
        "status",
        "subresources",
        "tokens",
        "workloads",
    )
}
GROUP = "slipway.dev"


@pytest.fixture(scope="module")
def default() -> list[Manifest]:
    return render()


def guards(manifests: list[Manifest], kind: str = "ValidatingAdmissionPolicy") -> set[str]:
    return {m["metadata"]["name"] for m in manifests if m["kind"] == kind and m["metadata"]["labels"].get("slipway.dev/guard") == "true"}


class TestPolicies:
    def test_each_has_a_binding_and_both_can_be_found(self, default: list[Manifest]) -> None:
        assert guards(default) == guards(default, "ValidatingAdmissionPolicyBinding") == GUARDS
        assert guards(default, "MutatingAdmissionPolicy") == guards(default, "MutatingAdmissionPolicyBinding") == {"slipway-approvals"}
        for name in GUARDS:
            spec = one(default, "ValidatingAdmissionPolicyBinding", name)["spec"]
            assert spec == {"policyName": name, "validationActions": ["Deny"]}
            assert one(default, "ValidatingAdmissionPolicy", name)["spec"]["failurePolicy"] == "Fail"

    def test_the_operator_knows_all_of_them(self, default: list[Manifest]) -> None:
        assert set(environment(default)["SLIPWAY_GUARDS"].split(",")) == GUARDS

    def test_every_message_says_whose_it_is(self, default: list[Manifest]) -> None:
        for name in GUARDS:
            for validation in one(default, "ValidatingAdmissionPolicy", name)["spec"]["validations"]:
                assert validation["reason"] == "Forbidden"
                assert validation["message"].startswith("slipway: ")
                assert validation.get("messageExpression", "'slipway: ").startswith("'slipway: ")

    @pytest.mark.parametrize(
        ("values", "governs", "there"),
        [
            ({}, "true", True),
            ({"governance": {"enabled": False}}, "false", False),
            ({"watchNamespaces": ["growth"]}, "false", False),
            ({"admission": {"enabled": False}}, "true", False),
        ],
    )
    def test_where_they_are(self, values: dict[str, Any], governs: str, there: bool) -> None:
        """Without them the operator still governs, and starts nothing: nobody loses approvals by a switch that is about something else."""
        manifests = render(values)
        assert environment(manifests)["SLIPWAY_GOVERNANCE"] == governs
        assert bool(guards(manifests)) is there
        found = [m for m in manifests if m["metadata"]["name"] == "slipway-guard"]
        assert {m["kind"] for m in found} == ({"ConfigMap", "Role", "RoleBinding"} if governs == "true" else set())

    def test_every_child_is_guarded(self, default: list[Manifest]) -> None:
        guarded = {*covered(one(default, "ValidatingAdmissionPolicy", "slipway-owned"))}
        guarded |= {*covered(one(default, "ValidatingAdmissionPolicy", "slipway-workloads"))}
        assert guarded >= {(child.group, child.plural) for child in CHILD_KINDS}
        assert ("apps", "controllerrevisions") in guarded

    def test_they_name_the_operator_of_their_own_release(self) -> None:
        policy = one(render(namespace="growth"), "ValidatingAdmissionPolicy", "slipway-status-growth")
        assert "'system:serviceaccount:growth:slipway-operator'" in policy["spec"]["matchConditions"][0]["expression"]

    def test_as_many_groups_as_an_approval_holds(self, default: list[Manifest]) -> None:
        (fits,) = one(default, "MutatingAdmissionPolicy", "slipway-approvals")["spec"]["matchConditions"]
        assert fits["expression"].endswith(f"<= {MAX_GROUPS}")

    def test_clients_are_told_what_to_write_where_nothing_is_filled_in(self) -> None:
        manifests = render({"admission": {"mutating": False}})
        assert not guards(manifests, "MutatingAdmissionPolicy")
        said = [
            v.get("messageExpression", "") for v in one(manifests, "ValidatingAdmissionPolicy", "slipway-approvals")["spec"]["validations"]
        ]
        assert not [text for text in said if "leave it out" in text]
        assert "'slipway: spec.groups must be your groups in the order of kubectl auth whoami: ' + variables.groups.join(', ')" in said


class TestOperator:
    def test_it_watches_what_governs(self, default: list[Manifest]) -> None:
        for resource in GOVERNING:
            assert verbs(operator_rules(default), resource.group, resource.plural) >= {"get", "list", "watch"}

    def test_it_gives_no_stage_and_changes_no_policy(self, default: list[Manifest]) -> None:
        rules = operator_rules(default)
        assert not verbs(rules, "", "namespaces") & {"create", "update", "patch", "delete"}
        assert not verbs(rules, GROUP, "approvalpolicies") & {"create", "update", "patch", "delete"}
        assert not verbs(rules, GROUP, "approvalroles")


class TestRoles:
    @pytest.mark.parametrize("name", ["viewer", "data-scientist", "deployer", "approver", "auditor", "policy-admin"])
    def test_none_has_a_wildcard_or_a_word_of_approval(self, default: list[Manifest], name: str) -> None:
        """Approval, override and automation are granted by name, by a team's own Role."""
        for rule in one(default, "ClusterRole", f"slipway-{name}")["rules"]:
            assert "*" not in {*rule["apiGroups"], *rule["resources"], *rule["verbs"]}
            assert not {"approve", "override", "automate"} & set(rule["verbs"])
            assert not {f"{kind}/status" for kind in ("modeldeployments", "models", "modelapprovals")} & set(rule["resources"])

    def test_who_writes_what(self, default: list[Manifest]) -> None:
        writes = {"create", "update", "patch", "delete"}

        def written(name: str) -> set[str]:
            rules = one(default, "ClusterRole", f"slipway-{name}")["rules"]
            return {r for rule in rules if GROUP in rule["apiGroups"] and writes & set(rule["verbs"]) for r in rule["resources"]}

        assert written("viewer") == written("auditor") == set()
        assert written("approver") == {"modelapprovals"}
        assert written("policy-admin") == {"approvalpolicies"}
        assert written("deployer") == {"modeldeployments", "modeldeployments/scale"}
        kinds = {"models", "modelversions", "modeldeployments", "modelmonitors"}
        assert written("data-scientist") == kinds | {"modeldeployments/scale", "actuals"}
        assert written("privacy-officer") == {"predictions"}

    def test_an_approver_only_adds(self, default: list[Manifest]) -> None:
        rules = one(default, "ClusterRole", "slipway-approver")["rules"]
        assert verbs(rules, GROUP, "modelapprovals") == {"create", "get", "list", "watch"}

    def test_only_the_first_two_come_with_the_roles_people_have(self, default: list[Manifest]) -> None:
        aggregated = {
            m["metadata"]["name"]
            for m in default
            if m["kind"] == "ClusterRole" and any("aggregate-to" in label for label in m["metadata"]["labels"])
        }
        assert aggregated == {"slipway-viewer", "slipway-data-scientist"}


def test_the_memory_of_the_policies_is_in_the_operators_namespace(default: list[Manifest]) -> None:
    manifest = one(default, "ConfigMap", "slipway-guard")
    assert manifest["metadata"]["namespace"] == PLATFORM
    assert "data" not in manifest, "an upgrade would set it back"
