"""The gate on a real apiserver: nothing starts without the words it needs, and each word is good for one start."""

from __future__ import annotations

from dataclasses import replace

from tests.integration.gate.gated import Gated
from tests.integration.journal.team import SECONDS
from tests.integration.samples import await_gone, event_messages, model, version
from tests.wait import until


def test_nothing_starts_before_it_is_approved(gated: Gated) -> None:
    gated.require()
    gated.register("alice", "3")
    gated.deploy("alice")
    gated.await_waiting()

    assert gated.children() == []
    assert gated.status()["phase"] == "AwaitingApproval"
    assert gated.status()["approval"]["requestedBy"] == ["alice"]
    name = gated.approve("bob")
    gated.await_serving("3")
    assert "started on it" in gated.await_answer(name, "Consumed")
    assert [entry.transition for entry in gated.entries()] == ["Requested", "Approved", "Applied", "Serving"]
    approved = gated.entries()[1]
    assert (approved.actors, approved.approvers) == (("alice",), ("bob",))
    assert approved.details["approvals"][0]["reason"] == "looked at"
    assert event_messages(gated.kube, gated.namespace, "ChildRepaired") == []


def test_what_was_approved_serves_on_and_is_kept_up(gated: Gated) -> None:
    gated.require()
    gated.serve_approved()
    gated.deploy("alice", version="4")
    gated.await_waiting()
    gated.deploy("alice", version="4", replicas=2)

    until(lambda: gated.get("Deployment")["spec"]["replicas"] == 2, SECONDS, "what serves to be scaled")
    assert gated.get("Deployment")["metadata"]["labels"]["slipway.dev/version"] == "3"
    gated.await_reason("AwaitingApproval", kind="Approved")
    gated.approve("bob")
    gated.await_serving("4")


def test_a_quota_that_refuses_the_approved_revision_is_said(gated: Gated) -> None:
    gated.require()
    gated.register("alice", "3")
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "none", "namespace": gated.namespace},
        "spec": {"hard": {"count/controllerrevisions.apps": "0"}},
    }
    gated.kube.apply(quota)
    until(lambda: (gated.kube.get("ResourceQuota", gated.namespace, "none") or {}).get("status", {}).get("hard"), SECONDS, "the quota")
    gated.deploy("alice")
    gated.await_waiting()
    name = gated.approve("bob")
    gated.await_reason("QuotaExceeded", kind="Stalled")
    assert gated.children() == []
    answered = gated.kube.condition(name, gated.namespace, "Ready", "ModelApproval")
    assert answered is None or answered["reason"] != "Consumed", "nothing was started on it"

    gated.kube.delete("ResourceQuota", gated.namespace, "none")
    gated.await_serving("3")
    gated.await_answer(name, "Consumed")


def test_ones_own_request(gated: Gated) -> None:
    gated.require()
    gated.register("alice", "3")
    gated.deploy("alice")
    gated.await_waiting()
    said = gated.await_answer(gated.approve("alice"), "Void")

    assert said == "who asked for a change cannot approve it"
    assert gated.children() == []


def test_a_second_persons_trivial_edit_launders_nothing(gated: Gated) -> None:
    gated.require()
    gated.serve_approved()
    gated.deploy("alice", version="4")
    first = gated.await_waiting()
    gated.deploy("carol", version="4", resources={"requests": {"cpu": "200m"}})
    gated.await_waiting(past=first)

    assert gated.status()["approval"]["requestedBy"] == ["alice", "carol"]
    gated.await_answer(gated.approve("alice"), "Void")
    assert gated.get("Deployment")["metadata"]["labels"]["slipway.dev/version"] == "3"


def test_approve_one_thing_then_change_to_another(gated: Gated) -> None:
    gated.require(require={"approvals": 2})
    gated.serve_approved_by_two()
    gated.deploy("alice", version="4")
    waiting = gated.await_waiting()
    name = gated.approve("bob")
    gated.await_answer(name, "Counted")
    gated.deploy("alice", version="5")
    gated.await_waiting(past=waiting)
    gated.approve("dave")

    assert "another revision" in gated.await_answer(name, "Void")
    assert gated.status()["approvedRevision"] != gated.status()["revision"]


def test_there_and_back_again_asks_each_time(gated: Gated) -> None:
    gated.require()
    first = gated.serve_approved()
    for number in ("4", "3"):
        gated.deploy("alice", version=number)
        gated.await_waiting()
        replayed = gated.approve("bob", revision=first)
        gated.await_answer(replayed, "Void")
        gated.approve("bob")
        gated.await_serving(number)
    assert gated.status()["revision"] != first
    assert [entry.transition for entry in gated.entries()].count("Approved") == 3


def test_delete_and_recreate_asks_again(gated: Gated) -> None:
    gated.require()
    first = gated.serve_approved()
    gated.deploy("alice", retire=True)
    gated.await_waiting()
    gated.approve("bob")
    gated.await_reason("Retired")
    gated.delete("alice")
    await_gone(gated.kube, "ModelDeployment", gated.namespace)
    until(lambda: gated.kube.list("ModelApproval", gated.namespace) == [], SECONDS, "approvals of what is gone to go")
    gated.deploy("alice")
    gated.await_waiting()
    replayed = gated.approve("bob", revision=first)
    gated.await_answer(replayed, "Void")


def test_a_version_made_anew_asks_again(gated: Gated) -> None:
    """The same name, and perhaps the same digest; nobody has approved that one."""
    gated.require()
    first = gated.serve_approved()
    gated.deploy("alice", version="4")
    waiting = gated.await_waiting()
    gated.swap_version("3")
    gated.deploy("alice", version="3")
    again = gated.await_waiting(past=waiting)

    assert again not in (first, waiting)
    assert gated.get("Deployment")["metadata"]["labels"]["slipway.dev/version"] == "3"


def test_who_lost_the_right_before_the_gate_opened(gated: Gated) -> None:
    gated.require(require={"approvals": 2})
    gated.register("alice", "3")
    gated.deploy("alice")
    gated.await_waiting()
    gated.grant("eve", "risk")
    name = gated.approve("eve", groups=("people",))
    gated.await_answer(name, "Counted")
    gated.revoke("eve")
    gated.approve("bob")

    assert "right" in gated.await_answer(name, "Void")
    assert gated.children() == []
    gated.approve("dave")
    gated.await_serving("3")


def test_a_reject_ends_the_revision(gated: Gated) -> None:
    gated.require()
    gated.serve_approved()
    gated.deploy("alice", version="4")
    gated.await_waiting()
    assert gated.say("bob", "Reject", reason="not on Fridays").landed
    found = gated.await_reason("Rejected", kind="Approved")
    assert found["message"] == "rejected by bob as risk: not on Fridays; change the deployment to ask anew"
    gated.await_answer(gated.approve("dave"), "Pending")
    assert gated.get("Deployment")["metadata"]["labels"]["slipway.dev/version"] == "3"


def test_an_override_starts_it_and_is_seen(gated: Gated) -> None:
    gated.require(require={"approvals": 9})
    gated.register("alice", "3")
    gated.deploy("alice")
    gated.await_waiting()
    assert gated.say("eve", "Override", reason="production is down").landed
    gated.await_serving("3")

    assert gated.await_entry("Overridden").approvers == ("eve",)
    (message,) = event_messages(gated.kube, gated.namespace, "Overridden")
    assert "production is down" in message


def test_somebody_scales_while_a_change_waits(gated: Gated) -> None:
    """No name is on it, so it takes two to be sure that somebody else agrees."""
    gated.require()
    gated.serve_approved()
    gated.deploy("alice", version="4")
    gated.await_waiting()
    gated.kube.patch("ModelDeployment", gated.namespace, "churn", {"spec": {"replicas": 2}}, "scale")
    until(lambda: gated.get("Deployment")["spec"]["replicas"] == 2, SECONDS, "what serves to be scaled")
    gated.await_answer(gated.approve("bob"), "Counted")
    gated.approve("dave")
    gated.await_serving("4")


def test_the_same_bytes_serve_elsewhere_first(gated: Gated) -> None:
    """Nothing polls: the other deployment's status wakes this one."""
    gated.require(require={"approvals": 0, "verified": True})
    bytes_of_its_own = {"uri": "s3://models/churn/6/", "digest": "sha256:" + "6" * 64}
    gated.apply("alice", model(gated.namespace), version(gated.namespace, "6", artifact=bytes_of_its_own))
    gated.deploy("alice", version="6")
    gated.await_waiting()
    with gated.kube.namespace(f"{gated.namespace}-staging") as staging:
        elsewhere = replace(gated, namespace=staging)
        elsewhere.apply("alice", model(staging), version(staging, "6", artifact=bytes_of_its_own))
        elsewhere.deploy("alice", version="6")
        elsewhere.await_reason("Serving")
        gated.await_serving("6")


def test_lowering_importance(gated: Gated) -> None:
    gated.require(match={"stages": [gated.namespace], "importance": ["High"]})
    gated.register("alice", "3", "4")
    gated.set_importance("mo", "High")
    gated.deploy("alice")
    gated.await_waiting()
    gated.approve("bob")
    gated.await_serving("3")
    gated.set_importance("eve", "Low")
    gated.await_waiting()
    gated.await_answer(gated.approve("eve"), "Void")
