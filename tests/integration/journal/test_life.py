"""What is told of the life of objects, and of their end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from slipway.ledger.entry import Entry
from tests.faults.recorded import unrecorded
from tests.integration.governance import cast
from tests.integration.journal.team import SECONDS, Team, told
from tests.integration.operator import OperatorProcess
from tests.integration.samples import DIGEST, event_messages, model
from tests.wait import until


def test_a_life_is_told_in_order(team: Team) -> None:
    with team.operator():
        uid = live(team)
        entries = team.entries()
        assert told(entries) == [
            (1, "Applied", "RolloutStarted", ("alice",)),
            (1, "Serving", "Serving", ("alice",)),
            (2, "Applied", "RolloutStarted", ("bob",)),
            (2, "Serving", "Serving", ("bob",)),
            (3, "Applied", "Scaled", ("%unnamed",)),
            (3, "Serving", "Serving", ("%unnamed",)),
            (4, "Applied", "RolloutStarted", ("bob",)),
            (4, "Stalled", "DigestMismatch", ("bob",)),
            (5, "Applied", "RolloutStarted", ("alice",)),
            (5, "Serving", "Serving", ("alice",)),
            (5, "Repaired", "ChildRepaired", ()),
            (5, "Repaired", "ChildRepaired", ()),
            (5, "Deleted", "Deleted", ()),
        ]
        judge_names(uid, [entry.id for entry in entries])
        judge_details(team, entries)
        judge_registry(team)
        assert not unrecorded(team.store.durable(team.prefix), team.plane.audit_log, team.namespace)


def live(team: Team) -> str:
    """Created by alice, upgraded by bob, scaled by nobody knows, and so on until it is deleted; its uid."""
    team.register("alice", "3", "4", "broken")
    team.deploy("alice")
    team.await_reason("Serving")
    uid = str(team.get("ModelDeployment")["metadata"]["uid"])
    team.deploy("bob", version="4")
    team.await_reason("Serving")
    team.kube.patch("ModelDeployment", team.namespace, "churn", {"spec": {"replicas": 2}}, "scale")
    team.await_reason("Serving")
    team.deploy("bob", version="broken")
    team.await_reason("DigestMismatch", kind="Stalled")
    team.deploy("alice", version="4")
    team.await_reason("Serving")
    edit_and_delete_children(team)
    team.kube.delete("ModelDeployment", team.namespace, "churn")
    team.await_entry("Deleted")
    return uid


def edit_and_delete_children(team: Team) -> None:
    def image() -> Any:
        return team.get("Deployment")["spec"]["template"]["spec"]["containers"][0]["image"]

    asked = image()
    change = [{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "evil:latest"}]
    team.kube.call("PATCH", f"/apis/apps/v1/namespaces/{team.namespace}/deployments/churn", change, "application/json-patch+json")
    until(lambda: image() == asked, SECONDS, "the image to be put back")
    team.await_reason("Serving")
    service = team.get("Service")["metadata"]["uid"]
    team.kube.delete("Service", team.namespace, "churn")
    until(lambda: team.get("Service")["metadata"]["uid"] != service, SECONDS, "a new Service")
    until(lambda: len(event_messages(team.kube, team.namespace, "ChildRepaired")) == 2, SECONDS, "the repair's status and Event")


def judge_names(uid: str, names: list[str]) -> None:
    """As docs/adr/0012 has them: from what is asked and what is stored."""
    assert all(name.startswith(f"{uid}/") for name in names)
    parts = [name.removeprefix(f"{uid}/") for name in names]
    applied = [part for part in parts if "Applied" in part]
    assert [part.partition(":")[0] for part in applied] == [f"{generation}/Applied" for generation in range(1, 6)]
    assert applied[0].endswith("@"), "there were no children"
    assert len({part.partition("@")[2] for part in applied[1:]}) == 2, (
        "then the same ones, but for the budget that came with the second pod"
    )
    assert [part for part in parts if "Applied" not in part and "Repaired" not in part] == [
        "1/Serving:#1", "2/Serving:#1", "3/Serving:#1", "4/Stalled:#1", "5/Serving:#1", "0/Deleted",
    ]  # fmt: skip
    assert [part.partition("@")[0] for part in parts if "Repaired" in part] == ["5/Repaired:Deployment/churn", "5/Repaired:Service/churn"]


def judge_details(team: Team, entries: list[Entry]) -> None:
    uids = {number: team.get("ModelVersion", f"churn-{number}")["metadata"]["uid"] for number in ("3", "4", "broken")}
    applied = [entry.details for entry in entries if entry.transition == "Applied"]
    assert [details["version"] for details in applied] == ["3", "4", "4", "broken", "4"]
    assert [details["replicas"] for details in applied] == [1, 1, 2, 2, 2]
    for details in applied:
        assert (details["model"], details["digest"]) == ("churn", DIGEST)
        assert details["versionUID"] == uids[details["version"]]
        assert details["uri"] == f"s3://models/churn/{details['version']}/"
        assert details["images"][0] == "registry.example/slipway-runtime-sklearn:test"
    serving = [(entry.details["version"], entry.details["digest"]) for entry in entries if entry.transition == "Serving"]
    assert serving == [(number, DIGEST) for number in ("3", "4", "4", "4")]


def judge_registry(team: Team) -> None:
    """Models and versions, also when they change."""
    team.apply("bob", model(team.namespace, description="told anew"))
    team.await_entry("Changed", "Model")
    assert told(team.entries("Model")) == [(1, "Registered", "Registered", ("alice",)), (2, "Changed", "Changed", ("bob",))]
    for number in ("3", "4", "broken"):
        assert told(team.entries("ModelVersion", f"churn-{number}")) == [(1, "Registered", "Registered", ("alice",))]
    assert team.entries("Model")[1].details["spec"]["description"] == "told anew"


def lose_status(team: Team) -> None:
    """As the operator itself, for nobody else may write a status."""
    path = f"/apis/slipway.dev/v1alpha1/namespaces/{team.namespace}/modeldeployments/churn/status"
    lost = {key: value for key, value in team.get("ModelDeployment").items() if key != "status"}
    answer = cast.operator(team.plane).send("PUT", path, lost)
    assert answer.landed, answer.message


def test_a_start_appends_nothing_and_finds_what_went_meanwhile(team: Team) -> None:
    with team.operator():
        team.register("alice", "3")
        team.deploy("alice")
        team.deploy("bob", "other")
        for name in ("churn", "other"):
            team.await_reason("Serving", name)
        team.deploy("bob", replicas=2)
        team.await_reason("Serving")
        at_rest(team)
        before = team.store.entries(team.prefix)
        assert len(before) == 8
        lose_status(team)
        until(lambda: team.status().get("outcome"), SECONDS, "the status to be ours again")
        assert team.store.entries(team.prefix) == before, "what is told again is there once"
    with team.operator() as again:
        until(lambda: reconciles(again) >= 2 and again.metrics()["slipway_queue_depth"] == 0, SECONDS, "no-op reconciles")
        assert again.metrics()["slipway_ledger_size"] == 8
        assert team.store.entries(team.prefix) == before
    team.kube.delete("ModelDeployment", team.namespace, "churn")
    with team.operator():
        found = team.await_entry("Deleted")
        assert (found.actors, found.object.generation) == ((), 0), "neither is known"
        assert team.store.entries(team.prefix)[:-1] == before
        verifier = (team.kube.get("ConfigMap", "slipway-system", "slipway-ledger") or {})["data"].get("vkey")
        assert verifier == team.store.signer(team.prefix).verifier.vkey


def at_rest(team: Team) -> None:
    """Until the counts in the Model's status, which come last, are there."""
    until(lambda: team.get("Model").get("status", {}).get("deployments") == 2, SECONDS, "the counts")


def reconciles(operator: OperatorProcess) -> float:
    return operator.metrics().get('slipway_reconciles_total{kind="ModelDeployment",result="ok"}', 0)


def test_what_another_operator_watches_is_its_own(team: Team) -> None:
    """Two share a ledger: each knows nothing of the end of the other's objects."""
    with team.kube.namespace(f"{team.namespace}-b") as name:
        other = replace(team, namespace=name)
        with other.operator():
            other.serve()
        team.kube.delete("ModelDeployment", other.namespace, "churn")
        with team.operator():
            team.serve()
            team.kube.delete("ModelDeployment", team.namespace, "churn")
            team.await_entry("Deleted")
        assert [entry.transition for entry in other.entries()] == ["Applied", "Serving"]
        with other.operator():
            other.await_entry("Deleted")
