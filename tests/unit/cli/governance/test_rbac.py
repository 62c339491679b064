"""Who may do what by RBAC, and what of it is dangerous."""

from __future__ import annotations

import io
from typing import Any

import pytest

from slipway.cli.cluster import SLIPWAY, ApiError, Json, path
from slipway.cli.errors import CliError
from slipway.cli.governance.rbac import check, view
from slipway.cli.governance.rbac.findings import Finding
from slipway.cli.output import console
from tests.unit.cli.governance.samples import EVIL, Fake, cluster

OURS = "slipway.dev"
SPEAKS = {"apiGroups": [OURS], "resources": ["modelapprovals"], "verbs": ["create"]}


def rule(verb: str, resource: str, *names: str, group: str = OURS) -> Json:
    return {"apiGroups": [group], "resources": [resource], "verbs": [verb]} | ({"resourceNames": list(names)} if names else {})


def approver(role: str) -> list[Json]:
    return [SPEAKS, rule("approve", "approvalroles", role)]


def policy(name: str = "production", stage: str = "prod", **require: Any) -> Json:
    return {"metadata": {"name": name}, "spec": {"match": {"stages": [stage]}, "require": {"approvals": 1} | require}}


def user(name: str) -> Json:
    return {"kind": "User", "name": name}


def group(name: str) -> Json:
    return {"kind": "Group", "name": name}


def robot(name: str = "robot", namespace: str = "growth") -> Json:
    return {"kind": "ServiceAccount", "name": name, "namespace": namespace}


def checked(
    *given: tuple[Json, list[Json]], policies: tuple[Json, ...] = (), namespace: str | None = "growth", whole: bool = False
) -> check.Checked:
    """What comes of subjects and their rules, each bound in namespace growth, or in the cluster."""
    place = {} if whole else {"namespace": "growth"}
    kind = "ClusterRole" if whole else "Role"
    roles = [{"metadata": {"name": f"role-{at}"} | place, "rules": rules} for at, (_, rules) in enumerate(given)]
    bindings = [
        {"metadata": {"name": f"binding-{at}"} | place, "roleRef": {"kind": kind, "name": f"role-{at}"}, "subjects": [subject]}
        for at, (subject, _) in enumerate(given)
    ]
    return check.checked_in(cluster(fake(roles, bindings, policies, namespace)), namespace)


def fake(roles: list[Json], bindings: list[Json], policies: tuple[Json, ...], namespace: str | None = "growth") -> Fake:
    labelled = {"metadata": {"name": "growth", "labels": {"slipway.dev/stage": "prod"}}}
    found: dict[str, Any] = {
        path("v1", "namespaces", name="growth"): labelled,
        path("v1", "namespaces"): [labelled],
        path(SLIPWAY, "approvalpolicies"): list(policies),
    }
    for plural, objects in (("role", roles), ("rolebinding", bindings)):
        whole = [item for item in objects if "namespace" not in item["metadata"]]
        found[path(check.RBAC, f"cluster{plural}s")] = whole
        found[path(check.RBAC, f"{plural}s", namespace)] = [item for item in objects if item not in whole]
    return Fake(found)


def words(found: check.Checked) -> list[tuple[str, str, str]]:
    return [(right.namespace, right.words, str(right.subject)) for right in found.rights]


def codes(found: check.Checked) -> list[tuple[str, str]]:
    return [(finding.level, finding.code) for finding in found.findings]


def test_who_may_what() -> None:
    found = checked(
        (user("bob"), approver("risk")),
        (group("ops"), [SPEAKS, rule("override", "modeldeployments")]),
        (user("alice"), [rule("update", "modeldeployments")]),
        (user("eve"), [rule("get", "modeldeployments"), rule("update", "modeldeployments", group="apps")]),
        policies=(policy(fromEachRole=["risk"]),),
    )
    assert words(found) == [
        ("growth", "approve as risk", "User bob"),
        ("growth", "override", "Group ops"),
        ("growth", "deploy", "User alice"),
    ]
    assert found.rights[0].through == ("RoleBinding binding-0 → Role role-0",)
    assert found.findings == []


def test_rights_of_the_whole_cluster() -> None:
    writes, labels = rule("update", "approvalpolicies"), rule("patch", "namespaces", group="")
    found = checked(
        (user("pat"), [writes, labels]), (user("kim"), [labels]), (user("liz"), [rule("create", "approvalpolicies")]), whole=True
    )
    assert words(found) == [("", "write policies", "User liz"), ("", "write policies", "User pat"), ("", "label namespaces", "User pat")]


def test_a_role_binding_grants_a_cluster_role_in_its_namespace_only() -> None:
    roles = [{"metadata": {"name": "risk"}, "rules": approver("risk")}]
    bindings = [
        {"metadata": {"name": "here", "namespace": space}, "roleRef": {"kind": "ClusterRole", "name": "risk"}, "subjects": [user(who)]}
        for space, who in (("growth", "bob"), ("elsewhere", "carol"))
    ]
    bindings.append(
        {"metadata": {"name": "lost", "namespace": "growth"}, "roleRef": {"kind": "Role", "name": "gone"}, "subjects": [user("x")]}
    )
    found = check.checked_in(cluster(fake(roles, bindings, (), None)), None)
    assert words(found) == [("growth", "approve as risk", "User bob")]


def test_a_rule_without_names_is_for_every_role() -> None:
    everyone = [SPEAKS, rule("approve", "approvalroles")]
    assert words(checked((user("bob"), everyone))) == [("growth", "approve as *", "User bob")]
    found = checked((user("bob"), everyone), (user("dave"), approver("ops")), policies=(policy(fromEachRole=["risk"]),))
    assert words(found) == [
        ("growth", "approve as ops", "User bob"),
        ("growth", "approve as ops", "User dave"),
        ("growth", "approve as risk", "User bob"),
    ]


@pytest.mark.parametrize(
    ("rules", "code"),
    [
        ([{"apiGroups": [OURS], "resources": ["modeldeployments"], "verbs": ["*"]}], "WildcardVerbs"),
        ([{"apiGroups": ["*"], "resources": ["approvalroles"], "verbs": ["*"]}], "WildcardVerbs"),
        ([{"apiGroups": [OURS], "resources": ["*"], "verbs": ["update"]}], "WildcardResources"),
        ([{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}], "ClusterAdmin"),
        ([{"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["clusterroles"], "verbs": ["bind"]}], "Bind"),
        ([{"apiGroups": ["*"], "resources": ["roles"], "verbs": ["escalate"]}], "Escalate"),
    ],
)
def test_dangerous_rules(rules: list[Json], code: str) -> None:
    found = checked((user("eve"), rules))
    assert [finding.code for finding in found.findings if finding.level == "Warning"] == [code]
    assert "User eve (RoleBinding binding-0 → Role role-0)" in found.findings[0].message


@pytest.mark.parametrize(
    "rules",
    [
        [{"apiGroups": [OURS], "resources": ["*"], "verbs": ["get", "list", "watch"]}],
        [{"apiGroups": ["apps"], "resources": ["*"], "verbs": ["*"]}],
        [{"nonResourceURLs": ["*"], "verbs": ["*"]}],
        [rule("update", "modeldeployments")],
    ],
)
def test_rules_that_are_not(rules: list[Json]) -> None:
    assert checked((user("eve"), rules)).findings == []


def test_cluster_admin_by_name_and_the_certificates_that_rbac_cannot_narrow() -> None:
    everything = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]
    found = checked((group("system:masters"), everything), (user("root"), everything), whole=True)
    assert codes(found) == [("Warning", "ClusterAdmin"), ("Information", "ClusterAdmin"), ("Information", "DeploysAndApproves")]
    assert "User root" in found.findings[0].message


def test_the_control_plane_is_left_out_but_not_who_is_given_its_roles() -> None:
    role = {"metadata": {"name": "system:controller:x"}, "rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]}
    binding = {
        "metadata": {"name": "system:controller:x"},
        "roleRef": {"kind": "ClusterRole", "name": "system:controller:x"},
        "subjects": [robot("x", "kube-system"), user("system:kube-controller-manager"), user("system:eve"), robot("x", "growth")],
    }
    found = check.checked_in(cluster(fake([role], [binding], ())), "growth")
    assert [finding.message.partition(" (")[0] for finding in found.findings if finding.level == "Warning"] == [
        "ServiceAccount growth/x",
        "User system:eve",
    ]


def test_everybody() -> None:
    assert ("Warning", "Everybody") in codes(checked((group("system:authenticated"), approver("risk"))))


@pytest.mark.parametrize("verb", ["impersonate", "impersonate:user-info", "*"])
def test_who_may_act_as_somebody_else(verb: str) -> None:
    people = [rule(verb, "users", group="")]
    assert codes(checked((user("eve"), people), whole=True)) == [("Warning", "Impersonate")]
    assert checked((user("eve"), people)).findings == [], "in a namespace it grants nothing"
    assert codes(checked((user("eve"), [rule(verb, "serviceaccounts", group="")]), whole=True)) == [("Warning", "Impersonate")]
    robots = checked((user("eve"), [rule(verb, "serviceaccounts", group="")]))
    assert codes(robots) == [("Information", "ImpersonateServiceAccount")], "as Kubernetes' own ClusterRole edit does"


def test_who_deploys_and_approves_is_told() -> None:
    found = checked((user("bob"), approver("risk")), (user("bob"), [rule("create", "modeldeployments")]))
    assert codes(found) == [("Information", "DeploysAndApproves")]


def test_a_right_that_comes_to_nothing() -> None:
    found = checked(
        (user("bob"), approver("risk")[1:]),
        (robot(), approver("risk")),
        (robot("ci"), [*approver("risk"), rule("automate", "approvalroles")]),
    )
    assert codes(found) == [("Information", "CannotSpeak")] * 2
    assert [finding.message.split()[1] for finding in found.findings] == ["growth/robot", "bob"]


def test_a_role_that_nobody_holds_and_too_few_people() -> None:
    two = policy(approvals=2, fromEachRole=["audit", "risk"])
    found = checked((user("bob"), approver("risk")), policies=(two, policy("elsewhere", "dev", approvals=9)))
    assert codes(found) == [("Warning", "RoleWithoutHolder"), ("Warning", "TooFewPeople")]
    assert "as audit, and nobody may give it here: grant approve on approvalroles/audit" in found.findings[0].message
    assert "asks for 2 approvals by different people, and only User bob may approve" in found.findings[1].message


def test_one_person_cannot_fill_two_roles() -> None:
    two = policy(approvals=2, fromEachRole=["ops", "risk"])
    both = [*approver("risk"), rule("approve", "approvalroles", "ops")]
    found = checked((user("bob"), both), (user("carol"), [SPEAKS, rule("approve", "approvalroles", "other")]), policies=(two,))
    assert codes(found) == [("Warning", "TooFewPeople")]
    assert checked((user("bob"), both), (user("carol"), approver("ops")), policies=(two,)).findings == []


def test_how_many_are_in_a_group_is_not_known() -> None:
    assert checked((group("risk"), approver("risk")), policies=(policy(approvals=5, fromEachRole=["risk"]),)).findings == []


def test_without_the_right_to_read_it() -> None:
    found = fake([], [], ())
    found.objects[path(check.RBAC, "rolebindings", "growth")] = ApiError(403, "rolebindings is forbidden")
    with pytest.raises(CliError, match=r"you may not list rolebindings of namespace growth.*ClusterRole slipway-auditor"):
        check.checked_in(cluster(found), "growth")


def test_a_namespace_that_is_not_there() -> None:
    with pytest.raises(CliError, match="no namespace nowhere"):
        check.checked_in(cluster(Fake({})), "nowhere")


def test_a_namespace_without_policies_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    checked()
    assert "Namespace growth is of stage prod, for which no policy is" in capsys.readouterr().err


def test_for_people_and_hostile_names() -> None:
    found = checked((user(EVIL), approver("risk")), policies=(policy(fromEachRole=["audit"]),))
    stream = io.StringIO()
    console(stream).print(view.render(found.rights, [*found.findings, Finding("Warning", "X", "", EVIL)]))
    text = stream.getvalue()
    assert not {"\x1b", "\x07", "\u202e"} & set(text)
    assert text.count("[bold]b[/] :smile:") == 2
    assert "NAMESPACE  MAY" in text
    stream = io.StringIO()
    console(stream).print(view.render([], []))
    assert "Nothing to warn of." in stream.getvalue()


def test_who_may_read_and_erase_the_prediction_log() -> None:
    rules = {
        "analyst": [rule("get", "predictions", "churn")],
        "privacy": [rule("delete", "predictions")],
        "loader": [rule("create", "actuals")],
    }
    held = checked(*((user(name), given) for name, given in rules.items())).rights
    assert {(str(right.subject), right.what) for right in held} == {
        ("User analyst", "read predictions"),
        ("User privacy", "erase predictions"),
        ("User loader", "push actuals"),
    }
