"""The gate from outside: what runs, what waits, who is asked, what is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from slipway.api.requested_by import ANNOTATION, Stamp
from slipway.plan.gate.types import Elsewhere
from slipway.settings import Runtime
from tests.integration.samples import DIGEST
from tests.unit.operator.gate.world import NOW, SERVING, World, policy

COLLECTOR = "http://slipway-collector.slipway-system.svc:8080"
SIGNER = {"name": "release", "publicKey": "-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----\n"}


def served(**spec: Any) -> World:
    """Version 3 approved by bob, and serving."""
    world = World(**spec)
    world.reconcile()
    world.approve("bob")
    world.reconcile()
    assert world.runs() == "3"
    return world


def test_nothing_starts_before_it_is_approved() -> None:
    world = World()
    world.reconcile()

    assert world.children == {}
    assert world.status["phase"] == "AwaitingApproval"
    assert world.condition("Ready") == ("False", "AwaitingApproval")
    assert world.condition("Reconciling") == ("True", "AwaitingApproval")
    assert world.condition("Approved") == ("False", "AwaitingApproval")
    assert world.status["approval"]["requestedBy"] == ["alice", "mo"]
    assert world.told() == ["Requested"]
    assert world.events[0].startswith("AwaitingApproval: needs 1 approval (has 0); requested by alice, mo")


def test_an_approval_starts_it_once() -> None:
    world = World()
    world.reconcile()
    approval = world.approve("bob")
    world.reconcile()

    assert world.runs() == "3"
    assert world.condition("Approved") == ("True", "Approved")
    assert world.status["phase"] == "Serving"
    assert world.status["approvedRevision"] == world.revision
    assert world.told() == ["Requested", "Approved", "Applied", "Serving"]
    assert world.entries[1].approvers == ("bob",)
    assert world.answer(approval) == "Consumed"
    assert not any("put back" in event for event in world.events), "nobody had deleted what was never there"
    before = (list(world.entries), list(world.events))
    world.reconcile()
    assert (world.entries, world.events) == before


def test_what_was_approved_serves_on_while_a_change_waits() -> None:
    world = served()
    world.edit("alice", version="4")
    world.reconcile()

    assert world.runs() == "3"
    assert world.condition("Ready") == ("True", "Serving")
    assert world.condition("Reconciling") is None
    assert world.condition("Approved") == ("False", "AwaitingApproval")
    assert world.status["phase"] == "AwaitingApproval"
    del world.children["Service", "churn"]
    world.reconcile()
    assert ("Service", "churn") in world.children, "it is kept up"
    world.approve("bob")
    world.reconcile()
    assert world.runs() == "4"


def test_going_back_asks_again() -> None:
    world = served()
    first = world.revision
    for number in ("4", "3"):
        world.edit("alice", version=number)
        world.reconcile()
        world.approve("bob", revision=first)
        world.reconcile()
        assert world.condition("Approved") == ("False", "AwaitingApproval")
        world.approve("bob")
        world.reconcile()
        assert world.runs() == number
    assert world.revision != first


def test_taking_a_change_back_needs_no_word() -> None:
    world = served()
    approved = world.revision
    world.edit("alice", version="4")
    world.reconcile()
    world.edit("alice", version="3")
    world.reconcile()

    assert world.revision == approved
    assert world.condition("Approved") == ("True", "Approved")


def test_approving_one_thing_does_not_start_another() -> None:
    world = served()
    world.edit("alice", version="4")
    world.reconcile()
    approval = world.approve("bob")
    world.edit("alice", version="5")
    world.reconcile()

    assert world.runs() == "3"
    assert world.answer(approval) == "Void"
    assert "another revision" in approval["status"]["conditions"][0]["message"]


@pytest.mark.parametrize("who", ["alice", "carol", "mo"])
def test_nobody_approves_what_they_had_a_hand_in(who: str) -> None:
    """Alice made the version, carol changed a trifle, mo edits the Model."""
    world = served()
    world.edit("alice", version="4")
    world.reconcile()
    world.edit("carol", resources={"requests": {"cpu": "200m"}})
    world.reconcile()
    world.edit_model("mo", description="new")
    world.reconcile()
    approval = world.approve(who)
    world.reconcile()

    assert world.runs() == "3"
    assert world.answer(approval) == "Void"
    world.approve("bob")
    world.reconcile()
    assert world.runs() == "4"


def test_an_edit_of_the_model_before_the_last_approval_is_no_hand_in_the_next_change() -> None:
    world = served()
    world.edit("alice", version="4")
    world.reconcile()
    world.approve("mo")
    world.reconcile()

    assert world.runs() == "4"


def test_somebody_unknown_takes_two_others() -> None:
    world = served()
    world.edit(None, replicas=0)
    world.reconcile()
    world.approve("bob")
    world.reconcile()
    assert world.runs() == "3"
    assert world.status["approval"]["unknownRequester"]
    assert "needs 2 approvals (has 1: bob as risk)" in world.status["approval"]["message"]
    world.approve("dave")
    world.reconcile()
    assert world.runs() is None


def test_a_reject_ends_it() -> None:
    world = served()
    world.edit("alice", version="4")
    world.reconcile()
    world.approve("bob", decision="Reject", reason="not on Fridays")
    world.approve("dave")
    world.reconcile()
    world.reconcile()

    assert world.runs() == "3"
    assert world.condition("Approved") == ("False", "Rejected")
    assert world.condition("Ready") == ("True", "Serving")
    assert world.told().count("Rejected") == 1
    assert "rejected by bob as risk: not on Fridays" in world.status["approval"]["message"]
    world.edit("alice", version="5")
    world.reconcile()
    world.approve("bob")
    world.reconcile()
    assert world.runs() == "5"


def test_a_rejected_first_one_is_stalled() -> None:
    world = World()
    world.reconcile()
    world.approve("bob", decision="Reject", reason="no")
    world.reconcile()

    assert world.condition("Stalled") == ("True", "Rejected")
    assert world.children == {}


def test_an_approval_ends() -> None:
    world = World(policies=[policy(require={"approvals": 2}, expiresAfterHours=10)])
    world.reconcile()
    late = world.approve("bob")
    world.pass_time(hours=9)
    plan = world.reconcile()
    assert world.answer(late) == "Counted"
    assert world.status["approval"]["expiresAt"] == "2026-11-25T18:00:00Z"
    assert plan.requeue_after == 3600
    world.pass_time(hours=1)
    world.approve("dave")
    world.reconcile()
    assert world.answer(late) == "Void"
    assert world.runs() is None
    world.approve("bob")
    world.reconcile()
    assert world.runs() == "3"


def test_an_override_starts_it_and_is_told() -> None:
    world = served()
    world.edit("alice", version="4")
    world.reconcile()
    world.approve("eve", decision="Override", reason="production is down")
    world.reconcile()

    assert world.runs() == "4"
    assert world.condition("Approved") == ("True", "Overridden")
    assert world.told()[-3:] == ["Overridden", "Applied", "Serving"]
    assert any(event.startswith("Overridden: ") and "production is down" in event for event in world.events)


def test_who_lost_the_right_counts_for_nothing() -> None:
    world = World(may=False)
    world.reconcile()
    approval = world.approve("bob")
    world.reconcile()

    assert world.children == {}
    assert world.answer(approval) == "Void"
    assert "right" in approval["status"]["conditions"][0]["message"]


def test_nothing_starts_while_the_admission_policies_do_not_hold() -> None:
    world = served()
    world.edit("alice", version="4")
    world.guard = "validatingadmissionpolicies/slipway-approvals is missing"
    world.reconcile()
    world.approve("bob")
    world.reconcile()
    assert world.runs() == "3"
    assert world.condition("Approved") == ("False", "PoliciesNotInEffect")
    world.pass_time(minutes=1)
    world.guard, world.valid_from = "", world.now
    world.reconcile()
    assert world.runs() == "3", "it was given while anybody could have given it"
    world.approve("bob")
    world.reconcile()
    assert world.runs() == "4"


def test_roles_are_filled_by_people_of_their_own() -> None:
    world = World(policies=[policy(require={"approvals": 2, "fromEachRole": ["risk", "platform"]})])
    world.reconcile()
    world.approve("bob", "risk")
    world.approve("bob", "platform")
    world.reconcile()
    assert world.children == {}
    assert "one as" in world.status["approval"]["message"]
    world.approve("dave", "risk")
    world.reconcile()
    assert world.runs() == "3"


def test_every_policy_that_matches_must_hold() -> None:
    world = World(
        policies=[
            policy(),
            policy("other", require={"approvals": 1, "fromEachRole": ["platform"]}),
            policy("staging", match={"stages": ["staging"]}),
        ]
    )
    world.reconcile()
    world.approve("bob", "risk")
    world.reconcile()
    assert world.children == {}
    assert world.status["approval"]["policies"] == ["other", "production"]
    world.approve("bob", "platform")
    world.reconcile()
    assert world.runs() == "3"


def test_lowering_importance_is_judged_by_what_it_was() -> None:
    world = World(policies=[policy(match={"stages": ["production"], "importance": ["High", "Critical"]})])
    world.edit_model("mo", importance="High")
    world.reconcile()
    world.approve("bob")
    world.reconcile()
    world.edit_model("eve", importance="Low")
    world.edit("eve", version="4")
    world.reconcile()

    assert world.runs() == "3"
    assert world.condition("Approved") == ("False", "AwaitingApproval")


def test_a_model_of_no_importance_is_matched_by_all() -> None:
    world = World(policies=[policy(match={"stages": ["production"], "importance": ["Critical"]})])
    world.reconcile()
    assert world.children == {}


@pytest.mark.parametrize("change", [{"stage": "staging"}, {"governs": False}, {"policies": []}])
def test_where_nothing_governs_everything_starts(change: dict[str, Any]) -> None:
    world = World(**change)
    world.reconcile()

    assert world.runs() == "3"
    assert world.condition("Approved") is None
    assert not {"revision", "approval", "approvedRevision"} & world.status.keys()
    assert world.snapshots == []


def test_what_ran_before_a_policy_came_runs_on() -> None:
    world = World(policies=[])
    world.reconcile()
    world.policies = [policy(require={"approvals": 1, "signedBy": [SIGNER]})]
    children = dict(world.children)
    world.reconcile()

    assert world.children == children, "also without the signature that nobody had asked for"
    assert world.condition("Approved") == ("True", "TakenOver")
    assert world.told()[-1] == "TakenOver"
    world.edit("alice", version="4")
    world.reconcile()
    assert world.runs() == "3"
    world.approve("bob")
    world.reconcile()
    (fetcher,) = world.children["Deployment", "churn"]["spec"]["template"]["spec"]["initContainers"]
    assert any(variable["name"] == "SLIPWAY_SIGNED_BY" for variable in fetcher["env"])


def test_a_deployment_that_somebody_made_with_the_hash_of_what_is_asked_for_is_not_taken_over() -> None:
    """Behind the gate anybody with the right to Deployments may make one, but none with Slipway's label in its template."""
    world = World(policies=[])
    world.reconcile()
    for child in world.children.values():
        child["metadata"]["labels"] = {"app.kubernetes.io/managed-by": "slipway"}
    del world.children["Deployment", "churn"]["spec"]["template"]["metadata"]["labels"]
    world.deployment["status"] = {"observedGeneration": -1}
    world.policies = [policy()]
    world.reconcile()

    assert world.condition("Approved") == ("False", "AwaitingApproval")
    assert world.snapshots == []


def test_what_was_asked_for_as_the_policy_came_waits_and_what_runs_is_left_alone() -> None:
    world = World(policies=[])
    world.reconcile()
    world.policies = [policy()]
    world.edit("alice", version="4")
    world.reconcile()

    assert world.runs() == "3"
    assert world.condition("Approved") == ("False", "AwaitingApproval")


def test_a_policy_that_goes_and_comes_back_takes_nothing_back() -> None:
    world = served()
    policies, world.policies = world.policies, []
    world.edit("alice", version="4")
    world.reconcile()
    assert world.runs() == "4"
    world.policies = policies
    world.reconcile()

    assert world.runs() == "4"
    assert world.condition("Approved") == ("True", "TakenOver")


def test_what_ran_before_is_kept_up_though_the_policies_were_not_seen_at_first() -> None:
    world = World(policies=[])
    world.reconcile()
    world.policies, world.guard = [policy()], "the apiserver did not answer"
    world.reconcile()
    world.guard = ""
    world.reconcile()
    assert world.condition("Approved") == ("True", "TakenOver")


def test_a_version_made_anew_is_not_what_ran() -> None:
    """Its template is the same."""
    world = served()
    world.versions["3"]["metadata"]["uid"] = "another"
    world.reconcile()
    assert world.condition("Approved") == ("False", "AwaitingApproval")


def test_a_name_that_is_taken_is_not_taken_again() -> None:
    """By a revision that the ledger does not know, or of another deployment of the name, which was orphaned."""
    world = served()
    world.distrusted, world.snapshots = world.snapshots, []
    world.reconcile()
    assert world.condition("Approved") == ("False", "AwaitingApproval")
    world.approve("bob")
    world.reconcile()
    assert [snapshot["metadata"]["name"] for snapshot in world.snapshots] == ["churn-2"]


def test_an_upgrade_of_the_platform_restarts_nothing_and_asks_nobody() -> None:
    world = served()
    before = dict(world.children)
    world.serving = replace(SERVING, runtimes=(Runtime("sklearn", "1.9", "registry.example/sklearn:1.9.1"),), drain_seconds=99)
    world.reconcile()
    assert world.children == before
    world.edit("alice", version="4")
    world.reconcile()
    world.approve("bob")
    world.reconcile()
    (container,) = world.children["Deployment", "churn"]["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "registry.example/sklearn:1.9.1"


class TestCapture:
    """What is kept of the answers is part of what was approved."""

    def captured(self, world: World) -> list[str]:
        pod = world.children["Deployment", "churn"]["spec"]["template"]["spec"]
        return [container["name"] for container in pod["initContainers"]]

    def test_a_log_that_comes_or_goes_restarts_nothing_and_asks_nobody(self) -> None:
        world = served()
        before = dict(world.children)
        world.serving = replace(SERVING, collector=COLLECTOR)
        world.reconcile()
        assert world.children == before
        world.edit("alice", version="4")
        world.reconcile()
        world.approve("bob")
        world.reconcile()
        assert self.captured(world) == ["fetch", "capture"]
        world.serving = SERVING
        world.reconcile()
        assert self.captured(world) == ["fetch", "capture"]

    def test_another_capture_waits_for_approval(self) -> None:
        world = World()
        world.serving = replace(SERVING, collector=COLLECTOR)
        world.reconcile()
        world.approve("bob")
        world.reconcile()
        assert self.captured(world) == ["fetch", "capture"]
        world.edit("alice", capture={"mode": "Disabled"})
        world.reconcile()
        assert self.captured(world) == ["fetch", "capture"]
        assert world.condition("Approved") == ("False", "AwaitingApproval")
        world.approve("bob")
        world.reconcile()
        assert self.captured(world) == ["fetch"]

    def test_what_cannot_be_captured_asks_nobody(self) -> None:
        world = served()
        world.edit("alice", capture={"mode": "Full"})
        world.reconcile()
        assert world.condition("Stalled") == ("True", "CaptureUnavailable")
        assert world.runs() == "3"


def test_size_is_no_change_but_nothing_is() -> None:
    world = served()
    world.edit("alice", replicas=3)
    world.reconcile()
    assert world.children["Deployment", "churn"]["spec"]["replicas"] == 3
    world.edit("alice", replicas=0)
    world.reconcile()
    assert world.children["Deployment", "churn"]["spec"]["replicas"] == 3
    assert world.condition("Approved") == ("False", "AwaitingApproval")
    world.approve("bob")
    world.reconcile()
    assert world.children["Deployment", "churn"]["spec"]["replicas"] == 0
    assert world.status["phase"] == "ScaledToZero"
    world.edit("alice", replicas=1)
    world.reconcile()
    assert world.children["Deployment", "churn"]["spec"]["replicas"] == 0


def test_retirement_is_approved_and_told() -> None:
    world = served()
    world.edit("alice", autoscaling={"maxReplicas": 3})
    world.reconcile()
    world.edit("alice", retire=True)
    world.reconcile()
    assert world.runs() == "3"
    world.approve("bob")
    world.reconcile()
    world.reconcile()

    assert world.status["phase"] == "Retired"
    assert world.condition("Ready") == ("True", "Retired")
    assert world.told()[-1] == "Retired"


def test_the_same_bytes_must_have_served_elsewhere() -> None:
    world = World(policies=[policy(require={"approvals": 1, "verified": True, "soak": {"stage": "staging", "hours": 24}})])
    world.reconcile()
    world.approve("bob")
    world.reconcile()
    assert "serves the same bytes; the same bytes to have served in stage staging for 24 h" in world.status["approval"]["message"]
    world.elsewhere = (Elsewhere("staging", DIGEST, NOW - timedelta(hours=23)),)
    plan = world.reconcile()
    assert plan.requeue_after == 3600
    world.pass_time(hours=1)
    world.reconcile()
    assert world.runs() == "3"


def test_a_robots_author_is_believed_where_the_policy_trusts_the_robot() -> None:
    flux = "system:serviceaccount:flux-system:kustomize-controller"
    for trusted, needed in ((), 2), ((flux,), 1):
        world = World(policies=[policy(trustedAuthors=list(trusted))])
        world.reconcile()
        world.deployment["metadata"]["annotations"]["slipway.dev/author"] = "carol"
        world.edit(flux, version="4")
        world.reconcile()
        assert world.status["approval"]["required"] == needed
        void = world.approve("carol")
        world.reconcile()
        assert world.answer(void) == ("Void" if trusted else "Counted")


def test_only_ten_are_kept() -> None:
    world = served()
    for number in range(12):
        world.edit("alice", version="4" if number % 2 == 0 else "3")
        world.reconcile()
        world.approve("bob")
        world.reconcile()
    assert len(world.snapshots) == 10
    assert world.snapshots[-1]["revision"] == 13


def test_a_signature_must_satisfy_every_policy() -> None:
    other = SIGNER | {"name": "other", "publicKey": SIGNER["publicKey"].replace("MFkw", "MHkw")}
    policies = [policy(require={"approvals": 0, "signedBy": [SIGNER]}), policy("b", require={"approvals": 0, "signedBy": [other]})]
    world = World(policies=policies)
    world.reconcile()
    assert world.condition("Stalled") == ("True", "SignatureMissing")
    assert world.children == {}
    policies[1]["spec"]["require"]["signedBy"].append(SIGNER)
    world.approve("bob", revision="v1:" + "0" * 64)
    world.reconcile()
    world.approve("bob")
    world.approve("dave")
    world.reconcile()
    (snapshot,) = world.snapshots
    assert snapshot["data"]["content"]["platform"]["signedBy"] == [SIGNER["publicKey"]]


@pytest.mark.parametrize("writes", range(9))
def test_a_crash_anywhere_starts_nothing_twice(writes: int) -> None:
    """Entries have names: what is told again is told under the same one."""
    world = World()
    world.reconcile()
    world.approve("bob")
    world.reconcile(crash_after=writes)
    world.reconcile()
    world.reconcile()

    names = {(entry.transition, entry.detail) for entry in world.entries if entry.transition in ("Approved", "Requested", "Serving")}
    assert len(names) == 3
    assert [snapshot["revision"] for snapshot in world.snapshots] == [1]
    assert world.runs() == "3"
    assert not any("put back" in event for event in world.events)


def test_an_edit_while_the_version_is_missing_names_its_author() -> None:
    """The operator catches up with the spec, so the apiserver's next stamp names only the next editor."""
    world = served()
    world.edit("mallory", version="9", resources={"requests": {"cpu": "2"}})
    world.reconcile()
    assert world.condition("Ready") == ("False", "VersionMissing")
    assert world.status["approval"]["message"].startswith("cannot be approved yet: ModelVersion churn-9 does not exist")
    world.edit("carol", version="4")
    world.reconcile()

    assert world.status["approval"]["requestedBy"] == ["alice", "carol", "mallory"], "alice made version 4"
    void = world.approve("mallory")
    world.reconcile()
    assert world.answer(void) == "Void"
    assert world.runs() == "3"


def test_what_is_put_back_while_the_version_is_missing_asks_nobody() -> None:
    world = served()
    world.edit("mallory", version="9")
    world.reconcile()
    world.edit("alice", version="3")
    world.reconcile()

    assert world.condition("Approved") == ("True", "Approved")
    assert world.status["approval"]["state"] == "Approved"
    assert world.told()[-1] != "Requested"


FLUX = "system:serviceaccount:flux-system:kustomize-controller"


def commit(world: World, author: str | None, **spec: Any) -> None:
    annotations = world.deployment["metadata"]["annotations"]
    annotations.pop("slipway.dev/author", None)
    if author:
        annotations["slipway.dev/author"] = author
    world.edit(FLUX, **spec)


def test_a_second_commit_does_not_hide_the_author_of_the_first() -> None:
    world = World(policies=[policy(trustedAuthors=[FLUX])])
    world.reconcile()
    commit(world, "dora", version="4")
    world.reconcile()
    commit(world, "carol", version="4", resources={"requests": {"cpu": "200m"}})
    world.reconcile()

    assert world.status["approval"]["authors"] == ["carol", "dora"]
    void = [world.approve(who) for who in ("carol", "dora")]
    world.reconcile()
    assert [world.answer(word) for word in void] == ["Void", "Void"]
    assert world.runs() is None


def trusting() -> World:
    """What alice applied herself was approved; Flux is trusted to name the authors of its changes."""
    world = served(policies=[policy(trustedAuthors=[FLUX])])
    commit(world, "alice", version="4")
    world.reconcile()
    assert world.status["approval"]["authors"] == ["alice"]
    return world


def test_a_commit_without_an_author_counts_as_somebody_unknown() -> None:
    world = trusting()
    assert world.status["approval"]["required"] == 1
    commit(world, None, version="5")
    world.reconcile()
    commit(world, "carol", resources={"requests": {"cpu": "200m"}})
    world.reconcile()

    assert world.status["approval"]["required"] == 2


def test_commits_that_nobody_looked_at_count_as_somebody_unknown() -> None:
    world = trusting()
    commit(world, "bob", version="5")
    commit(world, "carol", resources={"requests": {"cpu": "200m"}})
    world.reconcile()

    assert world.status["approval"]["authors"] == ["", "alice", "carol"]
    assert world.status["approval"]["required"] == 2


def test_a_version_that_a_robot_made_for_nobody_counts_as_somebody_unknown() -> None:
    world = trusting()
    world.versions["5"]["metadata"]["annotations"] = {ANNOTATION: Stamp(1, (FLUX,)).text()}
    commit(world, "carol", version="5")
    world.reconcile()
    assert world.status["approval"]["required"] == 2
