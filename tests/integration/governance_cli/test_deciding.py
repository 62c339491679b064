"""From the wait to the start at a terminal: pending, diff, approve, reject, override, as the people who have these rights and no more."""

from __future__ import annotations

import pytest

from tests.integration.governance_cli.desk import Desk
from tests.integration.identity import install
from tests.integration.journal.team import SECONDS
from tests.integration.samples import version
from tests.wait import until

METRICS = {"3": {"auc": "0.91"}, "4": {"auc": "0.93", "logLoss": "0.3"}}
EVIL = "\x1b[31mred\x1b]0;title\x07 [bold]b[/] \u202e"


@pytest.fixture
def waiting(desk: Desk) -> Desk:
    """Version 3 waits for bob or carol, and for dave; alice asked."""
    desk.require(require={"approvals": 2, "fromEachRole": ["platform", "risk"]})
    desk.register("alice")
    desk.apply("alice", *(version(desk.namespace, number, lineage={"metrics": found}) for number, found in METRICS.items()))
    desk.deploy("alice")
    desk.await_waiting()
    return desk


@pytest.fixture
def serving(waiting: Desk) -> Desk:
    """Version 3 is approved and serves."""
    waiting.approve("bob", "risk")
    waiting.approve("dave", "platform")
    waiting.await_serving("3")
    return waiting


def test_from_pending_to_serving(waiting: Desk) -> None:
    listed = waiting.run("bob", "pending")
    assert listed.code == 0, listed.stderr
    row = listed.stdout.splitlines()[1].split()
    assert (row[:3], row[4]) == ([waiting.namespace, "churn", "3"], "0/2")
    assert "one as platform; one as risk" in listed.stdout

    first = waiting.run("bob", "diff", "churn", "-o", "json").data
    assert (first["revision"], first["approvedRevision"]) == (waiting.status()["revision"], None)
    counted = waiting.run("bob", "approve", "churn", "--as", "risk", "--revision", first["revision"], "--reason", "validated")
    assert counted.code == 0, counted.stderr
    assert "(Counted): counts; needs 2 approvals (has 1: bob as risk); one as platform" in counted.stdout

    consumed = waiting.at_a_terminal("dave", "y", "approve", "churn", "--as", "platform")
    assert consumed.code == 0, consumed.stderr
    assert "(Consumed): the revision was started on it" in consumed.stdout
    assert f"Approve {first['revision']} of churn as platform?" in consumed.stderr
    assert waiting.await_serving("3")["approvedRevision"] == first["revision"]
    assert waiting.run("bob", "pending").stderr == f"Nothing waits for approval in namespace {waiting.namespace}.\n"
    assert "nothing would change" in waiting.run("bob", "diff", "churn").stdout
    again = waiting.run("carol", "approve", "churn", "--as", "risk", "--yes")
    assert (again.code, again.stderr) == (1, f"error: nothing waits: what churn asks for is approved already ({first['revision']})\n")


def test_what_would_change(serving: Desk) -> None:
    before = serving.status()["revision"]
    serving.deploy("alice", version="4", resources={"limits": {"memory": "2Gi"}}, replicas=2)
    serving.await_waiting(past=before)
    found = serving.run("bob", "diff", "churn", "-o", "json").data
    assert [change["field"] for change in found["changes"]] == ["version", "artifact.uri", "resources.limits.memory"]
    assert found["metrics"] == [
        {"name": "auc", "approved": "0.91", "asked": "0.93"},
        {"name": "logLoss", "approved": None, "asked": "0.3"},
    ]
    assert found["proved"], "the operator and the plugin name the same revision"
    assert (found["requestedBy"], found["state"]) == (["alice"], "Waiting")
    shown = serving.run("bob", "diff", "churn").stdout
    assert "This is all: the revision's name follows from these fields" in shown
    command = next(line for line in shown.splitlines() if line.startswith("To approve it: kubectl slipway ")).split()[4:]
    assert command[:4] == ["slipway", "approve", "churn", "-n"]


def test_saying_no_at_the_prompt(waiting: Desk) -> None:
    declined = waiting.at_a_terminal("bob", "n", "approve", "churn", "--as", "risk")
    assert (declined.code, declined.stdout.strip()) == (1, "")
    assert "FIELD" in declined.stderr
    assert declined.stderr.endswith("Nothing was done.\n")
    assert waiting.kube.list("ModelApproval", waiting.namespace) == []


def test_without_a_terminal_it_must_be_said_what_is_approved(waiting: Desk) -> None:
    refused = waiting.run("bob", "approve", "churn", "--as", "risk")
    assert refused.code == 2
    assert "name what you looked at with --revision" in refused.stderr
    old = waiting.run("bob", "approve", "churn", "--as", "risk", "--revision", "v1:" + "0" * 64)
    assert old.code == 1
    assert "it was changed since, or approved. Look again: kubectl slipway diff churn" in old.stderr
    assert waiting.kube.list("ModelApproval", waiting.namespace) == []


def test_the_apiservers_refusals_are_shown_as_they_are(waiting: Desk) -> None:
    other_role = waiting.run("bob", "approve", "churn", "--as", "platform", "--yes")
    assert other_role.code == 1
    assert "slipway: bob may not speak as platform in " + waiting.namespace in other_role.stderr
    override = waiting.run("bob", "override", "churn", "--reason", "I want to", "--yes")
    assert "slipway: bob may not override in " + waiting.namespace in override.stderr
    stranger = waiting.run("eve", "diff", "churn")
    assert (stranger.code, "cannot get resource" in stranger.stderr) == (1, True)


def test_ones_own_request(waiting: Desk) -> None:
    waiting.appoint("alice", "risk")
    own = waiting.run("alice", "approve", "churn", "--as", "risk", "--yes")
    assert own.code == 1
    assert "counts for nothing: who asked for a change cannot approve it" in own.stderr


def test_reject(serving: Desk) -> None:
    before = serving.status()["revision"]
    serving.deploy("alice", version="4")
    serving.await_waiting(past=before)
    assert serving.run("bob", "reject", "churn", "--as", "risk", "--yes").code == 2
    said = serving.run("bob", "reject", "churn", "--as", "risk", "--yes", "--reason", f"not yet {EVIL}")
    assert said.code == 0, said.stderr
    assert "(Counted): rejected: what was asked for does not start" in said.stdout
    serving.await_reason("Rejected", kind="Approved")
    shown = serving.run("bob", "diff", "churn")
    assert "rejected by bob as risk: not yet" in shown.stdout
    assert not {"\x1b", "\x07", "\u202e"} & set(shown.stdout + serving.run("bob", "status", "churn").stdout + said.stdout + said.stderr)
    late = serving.run("dave", "approve", "churn", "--as", "platform", "--yes")
    assert late.code == 1
    assert "no further word changes that" in late.stderr
    assert "Rejected" in {problem["reason"] for problem in serving.run("bob", "status", "churn", "-o", "json").data["problems"]}


def test_override(waiting: Desk) -> None:
    rules = [
        {"apiGroups": ["slipway.dev"], "resources": ["modeldeployments"], "resourceNames": ["churn"], "verbs": ["override"]},
    ]
    meta = {"name": "break-glass", "namespace": waiting.namespace}
    waiting.kube.apply({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": meta, "rules": rules})
    waiting.bind("break-glass", "Role", "break-glass", {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "bob"})
    waiting.await_right("bob", "override", "modeldeployments", "churn")
    given = waiting.run("bob", "override", "churn", "--yes", "--reason", "production is down")
    assert given.code == 0, given.stderr
    assert "(Consumed)" in given.stdout
    waiting.await_serving("3")
    assert waiting.await_entry("Overridden").approvers == ("bob",)


def test_status_tells_what_is_missing(serving: Desk) -> None:
    before = serving.status()["revision"]
    serving.deploy("alice", version="4")
    serving.await_waiting(past=before)
    serving.await_reason("Serving")
    shown = serving.run("bob", "status", "churn").stdout
    assert "approval  Waiting" in shown
    assert "missing  needs 2 approvals (has 0); one as platform; one as risk\n" in shown
    assert "requested by  alice" in shown
    assert "kubectl slipway diff churn" in shown
    (row,) = serving.run("bob", "status", "-o", "json").data
    assert (row["phase"], row["problem"]["reason"]) == ("AwaitingApproval", "AwaitingApproval")


def test_where_nothing_governs(desk: Desk) -> None:
    desk.register("alice", "3")
    desk.deploy("alice")
    desk.await_reason("Serving")
    for command in (("diff", "churn"), ("approve", "churn", "--as", "risk", "--yes")):
        shown = desk.run("bob", *command)
        assert shown.code == 1
        assert "no ApprovalPolicy governs churn" in shown.stderr


def test_export_has_policies_for_the_whole_cluster_only(waiting: Desk) -> None:
    assert "ApprovalPolicy" not in waiting.run("bob", "export").stdout
    waiting.bind_cluster_wide("bob", "slipway-viewer")
    waiting.await_right("bob", "list", "approvalpolicies", namespace="")
    whole = waiting.run("bob", "export", "-A", "-o", "json", namespace=False)
    assert whole.code == 0, whole.stderr
    policy = next(item for item in whole.data["items"] if item["metadata"]["name"] == waiting.namespace)
    assert policy["kind"] == "ApprovalPolicy"
    waiting.kube.apply(policy, dry_run=True)
    assert "ModelApproval" not in {item["kind"] for item in whole.data["items"]}


def test_where_the_apiserver_fills_nothing_in_the_plugin_does(waiting: Desk) -> None:
    """Kubernetes before 1.36, or admission.mutating=false."""
    binding = waiting.kube.get("MutatingAdmissionPolicyBinding", None, "slipway-approvals")
    assert binding is not None
    waiting.kube.delete("MutatingAdmissionPolicyBinding", None, "slipway-approvals")
    try:
        until(lambda: "spec.approver must be you" in waiting.say("carol").message, SECONDS, "nothing to be filled in")
        said = waiting.run("bob", "approve", "churn", "--as", "risk", "--yes")
        assert said.code == 0, said.stderr
        (approval,) = [found for found in waiting.kube.list("ModelApproval", waiting.namespace) if found["spec"]["approver"] == "bob"]
        assert approval["spec"]["groups"] == ["system:authenticated"]
    finally:
        install(waiting.kube, ("MutatingAdmissionPolicyBinding",))
        until(lambda: waiting.say("carol", revision="v1:" + "0" * 64).landed, SECONDS, "it to be filled in again")
