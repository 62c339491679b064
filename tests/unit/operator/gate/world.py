"""A deployment, its model and its policies in memory: plans are made and carried out, and time passes as told."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from slipway.api.requested_by import ANNOTATION, Stamp, parse_stamp
from slipway.cluster.resources import Manifest
from slipway.plan.gate.types import Elsewhere
from slipway.plan.model_deployment import plan_deployment
from slipway.plan.registry import plan_model
from slipway.plan.types import EntryDraft, Governance, Observed, Plan
from slipway.settings import Runtime, Serving
from tests.integration.samples import API, deployment, model, version

NOW = datetime(2026, 11, 25, 8, tzinfo=UTC)
SERVING = Serving(runtimes=(Runtime("sklearn", "1.9", "registry.example/sklearn:1.9"),))


def policy(name: str = "production", **spec: Any) -> Manifest:
    spec = {"match": {"stages": ["production"]}, "require": {"approvals": 1}} | spec
    return {"apiVersion": API, "kind": "ApprovalPolicy", "metadata": {"name": name, "uid": name}, "spec": spec}


@dataclass
class World:
    """One ModelDeployment `churn` in a namespace of stage production."""

    policies: list[Manifest] = field(default_factory=lambda: [policy()])
    now: datetime = NOW
    serving: Serving = SERVING
    approvals: list[Manifest] = field(default_factory=list)
    snapshots: list[Manifest] = field(default_factory=list)
    distrusted: list[Manifest] = field(default_factory=list)
    children: dict[tuple[str, str], Manifest] = field(default_factory=dict)
    entries: list[EntryDraft] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    elsewhere: tuple[Elsewhere, ...] = ()
    guard: str = ""
    valid_from: datetime | None = None
    may: bool = True
    stage: str = "production"
    governs: bool = True

    def __post_init__(self) -> None:
        self.versions = {number: _stored(version("n", number), "alice") for number in ("3", "4", "5")}
        self.model = _stored(model("n"), "mo")
        self.deployment = _stored(deployment("n"), "alice")
        self.look_at_the_model()

    def look_at_the_model(self) -> None:
        self.model["status"] = dict(plan_model(self.model, [], [], self.now).status)

    def edit(self, by: str | None, **spec: Any) -> None:
        """Somebody changes the deployment's spec; None: nobody knows who, as through `/scale`."""
        _edit(self.deployment, by, spec)

    def edit_model(self, by: str, **spec: Any) -> None:
        _edit(self.model, by, spec)
        self.look_at_the_model()

    def observed(self, may: Mapping[str, bool]) -> Observed:
        governance = Governance(
            self.stage,
            tuple(self.policies),
            tuple(self.approvals),
            tuple(self.snapshots),
            distrusted=len(self.distrusted),
            taken=max((known["revision"] for known in (*self.snapshots, *self.distrusted)), default=0),
            elsewhere=self.elsewhere,
            guard=self.guard,
            valid_from=self.valid_from,
            may=may,
        )
        number = self.deployment["spec"]["version"]
        return Observed(self.model, self.versions.get(number), dict(self.children), governance=governance if self.governs else None)

    def plan(self) -> Plan:
        plan = plan_deployment(deepcopy(self.deployment), self.observed({}), self.serving, self.now)
        if plan.ask:
            may = {word.uid: self.may for word in plan.ask}
            plan = plan_deployment(deepcopy(self.deployment), self.observed(may), self.serving, self.now)
        return plan

    def reconcile(self, crash_after: int = 1000) -> Plan:
        """As the reconciler does it: entries, the approved revision, children, status; a crash leaves only the first writes."""
        plan = self.plan()
        done = 0
        if plan.snapshot or plan.applies or plan.deletes:
            self.entries += plan.entries
            for write in (plan.snapshot, *plan.applies):
                if done == crash_after:
                    return plan
                done += self._write(write)
            for gone in plan.deletes:
                self.children.pop((gone["kind"], gone["metadata"]["name"]), None)
                self.snapshots = [known for known in self.snapshots if known["metadata"]["name"] != gone["metadata"]["name"]]
            self.events += [f"{event.reason}: {event.message}" for event in plan.events if event.child]
            plan = self.plan()
        if done == crash_after:
            return plan
        self.entries += plan.ended
        self.events += [f"{event.reason}: {event.message}" for event in plan.events if not event.child]
        self.deployment["status"] = dict(plan.status)
        self.deployment["metadata"]["resourceVersion"] += "1"
        for approval in self.approvals:
            if answer := plan.answers.get(approval["metadata"]["uid"]):
                approval["status"] = dict(answer)
        return plan

    def _write(self, manifest: Manifest | None) -> int:
        if manifest is None:
            return 0
        if manifest["kind"] == "ControllerRevision":
            meta = manifest["metadata"] | {"uid": f"uid-{manifest['metadata']['name']}", "resourceVersion": "1"}
            self.snapshots.append(manifest | {"metadata": meta})
        else:
            self.children[manifest["kind"], manifest["metadata"]["name"]] = _rolled_out(manifest)
        return 1

    @property
    def status(self) -> Manifest:
        return dict(self.deployment["status"])

    @property
    def revision(self) -> str:
        return str(self.status["revision"])

    def condition(self, kind: str) -> tuple[str, str] | None:
        found = next((c for c in self.status["conditions"] if c["type"] == kind), None)
        return (found["status"], found["reason"]) if found else None

    def runs(self) -> str | None:
        """The version of the child Deployment; None when there is none, or it has no pods."""
        child = self.children.get(("Deployment", "churn"))
        return child["metadata"]["labels"]["slipway.dev/version"] if child and child["spec"]["replicas"] else None

    def approve(
        self, by: str, role: str = "risk", decision: str = "Approve", revision: str | None = None, reason: str = "fine"
    ) -> Manifest:
        spec = {"deployment": "churn", "revision": revision or self.revision, "decision": decision, "approver": by, "reason": reason}
        spec |= {"as": role} if decision != "Override" else {}
        number = len(self.approvals)
        meta = {"name": f"churn-{number}", "namespace": "n", "uid": f"approval-{number}", "generation": 1, "resourceVersion": "5"}
        meta["creationTimestamp"] = self.now.strftime("%Y-%m-%dT%H:%M:%SZ")
        self.approvals.append({"apiVersion": API, "kind": "ModelApproval", "metadata": meta, "spec": spec})
        return self.approvals[-1]

    def answer(self, approval: Manifest) -> str:
        """What its author reads."""
        return str(approval["status"]["conditions"][0]["reason"])

    def pass_time(self, **length: float) -> None:
        self.now += timedelta(**length)

    def told(self) -> list[str]:
        return [str(entry.transition) for entry in self.entries]


def _stored(manifest: Manifest, by: str) -> Manifest:
    meta = manifest["metadata"]
    meta |= {
        "uid": f"{manifest['kind']}-{meta['name']}",
        "generation": 1,
        "resourceVersion": "1",
        "creationTimestamp": "2026-11-25T08:00:00Z",
    }
    meta["annotations"] = {ANNOTATION: Stamp(1, (by,)).text()}
    return manifest | {"status": {"observedGeneration": -1}}


def _edit(manifest: Manifest, by: str | None, spec: Mapping[str, Any]) -> None:
    """As the apiserver's policies stamp it."""
    meta, before = manifest["metadata"], deepcopy(manifest["spec"])
    manifest["spec"] |= spec
    for key in [key for key, value in spec.items() if value is None]:
        del manifest["spec"][key]
    if manifest["spec"] == before:
        return
    meta["generation"] += 1
    if by is not None:
        observed = manifest["status"].get("observedGeneration", -1)
        stamp = parse_stamp(meta["annotations"][ANNOTATION])
        assert stamp is not None
        kept = stamp.by if observed < stamp.generation else ()
        meta["annotations"][ANNOTATION] = Stamp(meta["generation"], tuple(dict.fromkeys((*kept, by)))).text()


def _rolled_out(child: Manifest) -> Manifest:
    """As a controller leaves it."""
    child = deepcopy(child)
    child["metadata"] |= {"uid": f"uid-{child['kind']}-{child['metadata']['name']}", "resourceVersion": "7", "generation": 1}
    if child["kind"] == "Deployment":
        replicas = child["spec"].get("replicas", 1)
        counts = dict.fromkeys(("replicas", "updatedReplicas", "availableReplicas", "readyReplicas"), replicas)
        child["status"] = {"observedGeneration": 1, **(counts if replicas else {})}
    return child
