"""What an operator process writes to the ledger, and what it does when it cannot: real apiserver, policies of the chart, real store."""

from __future__ import annotations

import asyncio
import itertools
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from slipway.ledger.entry import Entry
from slipway.ledger.slots import slot_path
from tests.cluster.control_plane import ControlPlane
from tests.faults.journey import be_kubelet
from tests.integration.conftest import start_operator
from tests.integration.identity import chart
from tests.integration.ledger_store import BUCKET, LedgerStore, ledger_store
from tests.integration.operator import OperatorProcess
from tests.integration.people import APPLY, Person
from tests.integration.platform import platform
from tests.integration.samples import DIGEST, await_child, deployment, event_messages, model, version
from tests.kube import Kube, Manifest
from tests.wait import until

PLURALS = {"Model": "models", "ModelVersion": "modelversions", "ModelDeployment": "modeldeployments"}
SECONDS = 60
_numbers = itertools.count()


@pytest.fixture(scope="module")
def plane() -> Iterator[ControlPlane]:
    """A control plane of its own, with what the chart has for the ledger."""
    with platform("ledger", policies=True) as control:
        for manifest in chart():
            if (manifest["kind"], manifest["metadata"]["name"]) == ("ConfigMap", "slipway-ledger"):
                Kube(control.kubeconfig).apply(manifest)
        yield control


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LedgerStore]:
    with ledger_store(tmp_path_factory.mktemp("ledger")) as running:
        yield running


@dataclass(frozen=True)
class Team:
    """A namespace, the operator's ledger, and the people who change what is there."""

    plane: ControlPlane
    kube: Kube
    store: LedgerStore
    namespace: str
    folder: Path
    prefix: str
    """The ledger's folder in the bucket."""

    @contextmanager
    def operator(self, **env: str) -> Iterator[OperatorProcess]:
        """One that serves this namespace; ends in good order."""
        settings = {"SLIPWAY_WATCH_NAMESPACES": self.namespace} | self.store.settings(self.prefix) | env
        process = start_operator(self.plane, self.kube, self.folder, "slipway-operator-0", **settings)
        try:
            yield process
            assert process.stop() == 0
        finally:
            process.end()

    def apply(self, who: str, *manifests: Manifest) -> None:
        for manifest in manifests:
            path = f"/apis/slipway.dev/v1alpha1/namespaces/{self.namespace}/{PLURALS[manifest['kind']]}/{manifest['metadata']['name']}"
            answer = Person(self.plane, who).send("PATCH", f"{path}?fieldManager={who}&force=true", manifest, APPLY)
            assert answer.landed, answer.message

    def deploy(self, who: str, name: str = "churn", **spec: Any) -> None:
        self.apply(who, deployment(self.namespace, name, **spec))

    def register(self, who: str, *numbers: str) -> None:
        self.apply(who, model(self.namespace), *(version(self.namespace, number) for number in numbers))

    def await_reason(self, reason: str, name: str = "churn", kind: str = "Ready") -> Manifest:
        """The condition once it is so for the present generation; the test acts as kubelet."""

        def there() -> Manifest | None:
            be_kubelet(self.kube, self.namespace)
            condition = self.kube.condition(name, self.namespace, kind)
            return condition if condition and condition["reason"] == reason else None

        return until(there, SECONDS, f"{name}: {kind} with reason {reason}")

    def status(self, name: str = "churn") -> Manifest:
        found: Manifest = self.get("ModelDeployment", name)["status"]
        return found

    def get(self, kind: str, name: str = "churn") -> Manifest:
        return await_child(self.kube, kind, self.namespace, name)

    def entries(self, kind: str = "ModelDeployment", name: str = "churn") -> list[Entry]:
        found = self.store.entries(self.prefix, self.namespace)
        return [entry for entry in found if (entry.object.kind, entry.object.name) == (kind, name)]

    def await_entry(self, transition: str, kind: str = "ModelDeployment", name: str = "churn") -> Entry:
        def there() -> Entry | None:
            return next((entry for entry in self.entries(kind, name) if entry.transition == transition), None)

        return until(there, SECONDS, f"{transition} of {kind} {name}", every=0.5)


@pytest.fixture
def team(plane: ControlPlane, store: LedgerStore, tmp_path: Path) -> Iterator[Team]:
    kube = Kube(plane.kubeconfig)
    with kube.namespace(f"ledger-{next(_numbers)}") as namespace:
        yield Team(plane, kube, store, namespace, tmp_path, prefix=namespace)


Told = tuple[int, str, str, tuple[str, ...]]
"""Generation, transition, reason and who asked."""


def told(entries: list[Entry]) -> list[Told]:
    return [(entry.object.generation, entry.transition, entry.reason, entry.actors) for entry in entries]


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


def test_a_start_appends_nothing_and_finds_what_went_meanwhile(team: Team) -> None:
    with team.operator():
        team.register("alice", "3")
        team.deploy("alice")
        team.deploy("bob", "other")
        for name in ("churn", "other"):
            team.await_reason("Serving", name)
        at_rest(team)
        before = team.store.entries(team.prefix)
        assert len(before) == 6
        team.kube.patch("ModelDeployment", team.namespace, "churn", {"status": None}, "status")
        until(lambda: team.status().get("outcome"), SECONDS, "the status to be ours again")
        assert team.store.entries(team.prefix) == before, "what is told again is there once"
    with team.operator() as again:
        until(lambda: reconciles(again) >= 2 and again.metrics()["slipway_queue_depth"] == 0, SECONDS, "no-op reconciles")
        assert again.metrics()["slipway_ledger_size"] == 6
        assert team.store.entries(team.prefix) == before
    team.kube.delete("ModelDeployment", team.namespace, "churn")
    with team.operator():
        found = team.await_entry("Deleted")
        assert (found.actors, found.object.generation) == ((), 1)
        assert team.store.entries(team.prefix)[:-1] == before
        verifier = (team.kube.get("ConfigMap", "slipway-system", "slipway-ledger") or {})["data"].get("vkey")
        assert verifier == team.store.signer(team.prefix).verifier.vkey


def at_rest(team: Team) -> None:
    """Until the counts in the Model's status, which come last, are there."""
    until(lambda: team.get("Model").get("status", {}).get("deployments") == 2, SECONDS, "the counts")


def reconciles(operator: OperatorProcess) -> float:
    return operator.metrics().get('slipway_reconciles_total{kind="ModelDeployment",result="ok"}', 0)


def test_what_needs_an_entry_waits_for_the_store(team: Team) -> None:
    with team.operator():
        team.register("alice", "3", "4")
        for name in ("churn", "steady", "doomed"):
            team.deploy("alice", name)
        for name in ("churn", "steady", "doomed"):
            team.await_reason("Serving", name)
        at_rest_of("steady", team)
        steady, running = team.status("steady"), team.get("Deployment")["spec"]
        team.store.server.stop()
        try:
            stopped(team)
            assert team.get("Deployment")["spec"] == running, "what serves is left alone"
            assert team.status("steady") == steady
        finally:
            team.store.server.start()
        gone_on(team)
        assert team.status("steady") == steady
        assert len(team.entries(name="steady")) == 2


def at_rest_of(name: str, team: Team) -> None:
    """Until two looks see the same status."""
    seen: list[Manifest] = []

    def same() -> bool:
        seen.append(team.status(name))
        return len(seen) > 1 and seen[-1] == seen[-2]

    until(same, SECONDS, f"{name} to be at rest", every=2)


def stopped(team: Team) -> None:
    """An upgrade, a scaling, a new deployment and a deletion, none of which the ledger can be told of."""
    seen = team.status()["observedGeneration"]
    team.deploy("bob", version="4")
    assert "what serves goes on" in team.await_reason("LedgerUnavailable")["message"]
    assert team.status()["observedGeneration"] == seen
    until(lambda: event_messages(team.kube, team.namespace, "LedgerUnavailable"), SECONDS, "the Event")
    found = [
        (e["involvedObject"]["name"], e["message"]) for e in team.kube.list("Event", team.namespace) if e["reason"] == "LedgerUnavailable"
    ]
    assert len(found) == 1, found
    team.deploy("carol", version="4", pod={"env": [{"name": "LEVEL", "value": "9"}]})
    team.deploy("carol", "late")
    team.kube.delete("ModelDeployment", team.namespace, "doomed")
    team.await_reason("LedgerUnavailable")
    team.await_reason("LedgerUnavailable", "late")
    assert team.status("late")["observedGeneration"] == -1
    assert team.status()["observedGeneration"] == seen
    assert team.kube.get("Deployment", team.namespace, "late") is None


def gone_on(team: Team) -> None:
    """By itself; whoever asked for something meanwhile is named, each for all of it."""
    team.await_reason("Serving")
    team.await_reason("Serving", "late")
    team.await_entry("Deleted", name="doomed")
    assert told(team.entries())[2:] == [
        (3, "Applied", "RolloutStarted", ("bob", "carol")),
        (3, "Serving", "Serving", ("bob", "carol")),
    ]
    assert told(team.entries(name="late")) == [
        (1, "Applied", "RolloutStarted", ("carol",)),
        (1, "Serving", "Serving", ("carol",)),
    ]


def test_a_store_that_is_away_at_the_start(team: Team) -> None:
    team.store.server.stop()
    try:
        with team.operator():
            team.register("alice", "3")
            team.deploy("alice")
            team.await_reason("LedgerUnavailable")
            assert team.kube.get("Deployment", team.namespace, "churn") is None
            team.store.server.start()
            team.await_reason("Serving")
            assert told(team.entries()) == [(1, "Applied", "RolloutStarted", ("alice",)), (1, "Serving", "Serving", ("alice",))]
    finally:
        if team.store.server.process is None:
            team.store.server.start()


def serving(team: Team, name: str = "churn") -> None:
    team.register("alice", "3", "4")
    team.deploy("alice", name)
    team.await_reason("Serving", name)


def test_what_another_operator_watches_is_its_own(team: Team) -> None:
    """Two share a ledger: each knows nothing of the end of the other's objects."""
    with team.kube.namespace(f"{team.namespace}-b") as name:
        other = replace(team, namespace=name)
        with other.operator():
            serving(other)
        team.kube.delete("ModelDeployment", other.namespace, "churn")
        with team.operator():
            serving(team)
            team.kube.delete("ModelDeployment", team.namespace, "churn")
            team.await_entry("Deleted")
        assert [entry.transition for entry in other.entries()] == ["Applied", "Serving"]
        with other.operator():
            other.await_entry("Deleted")


def test_a_slot_of_somebody_else_stops_changes(team: Team) -> None:
    with team.operator():
        serving(team)
        asyncio.run(forge(team.store, team.prefix, len(team.store.entries(team.prefix))))
        judge_forked(team)


async def forge(store: LedgerStore, prefix: str, size: int) -> None:
    """Somebody without the key puts a slot after the last one."""
    async with store.server.open(BUCKET, prefix) as opened:
        await opened.create(slot_path(size), b"not of this log's writers\n")


def test_a_log_that_was_taken_away_is_missed(team: Team, tmp_path: Path) -> None:
    """While no operator ran. The anchor knows that there was one."""
    anchored = team.store.settings(team.prefix, anchor=tmp_path / "anchor")
    with team.operator(**anchored):
        serving(team)
    shutil.rmtree(team.store.path(team.prefix))
    with team.operator(**anchored):
        judge_forked(team)


def judge_forked(team: Team) -> None:
    """A change waits for a person; what serves goes on."""
    running = team.get("Deployment")["spec"]
    team.deploy("bob", version="4")
    assert "not what was written" in team.await_reason("LedgerForked", kind="Stalled")["message"]
    assert team.status()["observedGeneration"] == 1
    assert team.get("Deployment")["spec"] == running
    assert team.kube.condition("churn", team.namespace, "Available")["status"] == "True"  # type: ignore[index]
    until(lambda: any("LedgerForked" in said for said in event_messages(team.kube, team.namespace, "Stalled")), SECONDS, "the Event")
