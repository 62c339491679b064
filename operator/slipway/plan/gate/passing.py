"""What of a ModelDeployment may run: what is asked where nothing governs, or it is approved; else what was approved before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from slipway.api.conditions import Reason
from slipway.api.parse import parse
from slipway.api.v1alpha1 import ApprovalPolicy, Model, ModelDeployment, ModelVersion
from slipway.cluster.resources import Manifest
from slipway.cluster.store import DEPLOYMENT_LABEL
from slipway.errors import Stalled
from slipway.plan.build import build_children
from slipway.plan.gate.answers import answers
from slipway.plan.gate.judge import judge, matching
from slipway.plan.gate.telling import Told, tell_open, tell_settled, tell_waiting
from slipway.plan.gate.types import Asked, Facts, Verdict, Word
from slipway.plan.names import TEMPLATE_HASH_ANNOTATION
from slipway.plan.requested import Hands, hands_in
from slipway.plan.revision import KEPT, Snapshot, build_snapshot, content_of, platform_of, restored, revision_of, snapshots_of
from slipway.plan.status import rfc3339
from slipway.plan.types import Governance, Observed
from slipway.settings import Serving


@dataclass(frozen=True)
class Gate:
    """What to build, and what is to be said of the rest."""

    owner: ModelDeployment
    version: ModelVersion
    serving: Serving
    opens: bool = True
    """False: nothing of it may run, nor did anything before."""
    waits: bool = False
    """What is asked for is not what is built."""
    told: Told = field(default_factory=lambda: Told({}))
    snapshot: Manifest | None = None
    """The approved revision, to be written down first."""
    old: tuple[Manifest, ...] = ()
    """ControllerRevisions that are not needed any more."""
    ask: tuple[Word, ...] = ()
    look_again: datetime | None = None
    answers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """The statuses of ModelApprovals, by uid."""


@dataclass(frozen=True)
class Change:
    """What is asked for, beside what was approved last."""

    manifest: Manifest
    owner: ModelDeployment
    version: ModelVersion
    model: Model
    serving: Serving
    """With the keys that must have signed the bytes."""
    content: Mapping[str, Any]
    newest: Snapshot | None
    hands: Hands
    number: int
    """Of the ControllerRevision that it would become."""

    @property
    def revision(self) -> str:
        return revision_of(self.owner.metadata.uid, self.number, self.content)

    @property
    def about(self) -> dict[str, str]:
        """What entries of the ledger say of it."""
        artifact = self.version.spec.artifact
        return {"revision": self.revision, "version": self.version.spec.version, "digest": artifact.digest if artifact else ""}


def pass_gate(
    manifest: Manifest, owner: ModelDeployment, version: ModelVersion, observed: Observed, serving: Serving, now: datetime
) -> Gate:
    """Decides what may be built.

    Raises:
        Stalled: the Model or a policy cannot be read, so nobody knows what it demands.

    """
    governance = observed.governance
    if governance is None or observed.model is None or observed.version is None:
        return Gate(owner, version, serving)
    model, policies = parse(Model, observed.model), tuple(parse(ApprovalPolicy, policy) for policy in governance.policies)
    snapshots = snapshots_of(governance.snapshots)
    newest = snapshots[0] if snapshots else None
    matched = matching(policies, governance.stage, _importance(model, newest))
    if not matched:
        return Gate(owner, version, serving)
    serving = replace(serving, signed_by=_keys(matched))
    content = content_of(owner, version, model, platform_of(owner, version, serving))
    if newest and newest.covers(content):
        told = tell_settled(newest, manifest.get("status", {}))
        said = answers(governance.approvals, snapshots, False, None, now)
        return Gate(*restored(newest, owner, _replicas(observed, owner)), told=told, old=_old(snapshots, KEPT), answers=said)
    _check_keys(matched, serving)
    hands = hands_in(manifest, observed.version, observed.model, newest, manifest.get("status", {}))
    number = max(newest.number if newest else 0, governance.taken) + 1
    change = Change(manifest, owner, version, model, serving, content, newest, hands, number)
    if _ran_before(change, observed, governance):
        return _take_over(change, now)
    verdict, since = _judged(change, policies, governance, now)
    opens = not governance.guard and verdict.state in ("Approved", "Overridden")
    gate = _open(change, verdict, since, snapshots, now) if opens else _wait(change, verdict, since, observed, governance)
    return replace(gate, answers=answers(governance.approvals, snapshots, opens, verdict, now))


def _judged(change: Change, policies: tuple[ApprovalPolicy, ...], governance: Governance, now: datetime) -> tuple[Verdict, datetime]:
    before = change.manifest.get("status", {})
    since = now
    if before.get("revision") == change.revision and (approval := before.get("approval")):
        since = _time(approval["since"])
    artifact = change.version.spec.artifact
    asked = Asked(
        revision=change.revision,
        digest=artifact.digest if artifact else "",
        since=since,
        requesters=change.hands.names,
        unknown=change.hands.unknown,
        importance=_importance(change.model, change.newest),
        authors=change.hands.authors,
    )
    words = tuple(map(word_of, governance.approvals))
    facts = Facts(governance.stage, policies, words, governance.elsewhere, governance.valid_from, governance.may)
    return judge(asked, facts, now), since


def _open(change: Change, verdict: Verdict, since: datetime, snapshots: list[Snapshot], now: datetime) -> Gate:
    manifest = _written(change, verdict.state, [_grant(word) for word in verdict.granted], now)
    told = tell_open(change.about, manifest["metadata"]["name"], change.hands, verdict, since)
    return Gate(change.owner, change.version, change.serving, told=told, snapshot=manifest, old=_old(snapshots, KEPT - 1))


def _wait(change: Change, verdict: Verdict, since: datetime, observed: Observed, governance: Governance) -> Gate:
    """What was approved before is kept up; without it nothing is built."""
    before = change.manifest.get("status", {})
    told = tell_waiting(before, change.about, change.newest, change.hands, verdict, since, governance.guard)
    ask = () if governance.guard else verdict.ask
    gate = Gate(change.owner, change.version, change.serving, False, True, told, ask=ask, look_again=verdict.look_again)
    if change.newest is None:
        return gate
    owner, version, serving = restored(change.newest, change.owner, _replicas(observed, change.owner))
    return replace(gate, owner=owner, version=version, serving=serving, opens=True)


def _ran_before(change: Change, observed: Observed, governance: Governance) -> bool:
    """Whether exactly what is asked for ran already when a policy came to govern it: the first one, or one that had gone meanwhile."""
    live = observed.children.get(("Deployment", change.owner.metadata.name))
    before = change.manifest.get("status", {})
    governed_since = change.newest is not None and bool(before.get("revision") or before.get("approvedRevision"))
    if governed_since or governance.distrusted or governance.guard or live is None:
        return False
    if (live["spec"]["template"]["metadata"].get("labels") or {}).get(DEPLOYMENT_LABEL) != change.owner.metadata.name:
        return False  # anybody may make a Deployment without that label, and copy the hash
    wanted = build_children(change.owner, change.version, replace(change.serving, signed_by=()))
    template = next(child for child in wanted if child["kind"] == "Deployment")["spec"]["template"]
    return _template_hash(live["spec"]["template"]) == _template_hash(template)


def _take_over(change: Change, now: datetime) -> Gate:
    """It runs on, without the signature that nobody had asked for."""
    serving = replace(change.serving, signed_by=())
    content = {**change.content, "platform": platform_of(change.owner, change.version, serving)}
    change = replace(change, serving=serving, content=content)
    verdict = Verdict("Approved", (), 0, (), {}, (), "", None, None)
    manifest = _written(change, "TakenOver", [], now)
    told = tell_open(change.about, manifest["metadata"]["name"], change.hands, verdict, now, taken_over=True)
    return Gate(change.owner, change.version, serving, told=told, snapshot=manifest)


def _written(change: Change, how: str, by: list[Mapping[str, str]], now: datetime) -> Manifest:
    approved = {
        "at": rfc3339(now),
        "by": by,
        "generation": change.manifest["metadata"]["generation"],
        "how": how,
        "modelGeneration": change.model.metadata.generation,
        "requestedBy": list(change.hands.names),
    }
    return build_snapshot(change.owner, change.number, change.revision, change.content, approved)


def word_of(manifest: Manifest) -> Word:
    """A ModelApproval as the judge reads it."""
    meta, spec = manifest["metadata"], manifest["spec"]
    return Word(
        name=meta["name"],
        uid=meta["uid"],
        revision=spec["revision"],
        role=spec.get("as"),
        decision=spec["decision"],
        approver=spec.get("approver", ""),
        groups=tuple(spec.get("groups", ())),
        reason=spec.get("reason", ""),
        created=_time(meta["creationTimestamp"]),
    )


def _grant(word: Word) -> Mapping[str, str]:
    return {"approval": word.uid, "at": rfc3339(word.created), "by": word.approver, "reason": word.reason, "role": word.role or ""}


def _importance(model: Model, newest: Snapshot | None) -> frozenset[str | None]:
    """Lowering it must not make a policy blind to the very change that lowers it."""
    before = {newest.content["model"].get("importance")} if newest else set()
    return frozenset({model.spec.importance, *before})


def _keys(policies: Iterable[ApprovalPolicy]) -> tuple[str, ...]:
    """One signature must satisfy all policies that ask for one."""
    asked = [{key.public_key for key in policy.spec.require.signed_by} for policy in policies if policy.spec.require.signed_by]
    return tuple(sorted(set.intersection(*asked))) if asked else ()


def _check_keys(policies: Iterable[ApprovalPolicy], serving: Serving) -> None:
    """Raises Stalled when no signature could satisfy all policies."""
    names = [policy.metadata.name for policy in policies if policy.spec.require.signed_by]
    if names and not serving.signed_by:
        said = (
            f"no key is in require.signedBy of all ApprovalPolicies that ask for a signature ({', '.join(names)}): add one to each of them"
        )
        raise Stalled(Reason.SIGNATURE_MISSING, said)


def _replicas(observed: Observed, owner: ModelDeployment) -> int:
    live = observed.children.get(("Deployment", owner.metadata.name))
    return (live["spec"].get("replicas") if live else None) or 1


def _old(snapshots: list[Snapshot], kept: int) -> tuple[Manifest, ...]:
    return tuple(snapshot.manifest for snapshot in snapshots[kept:])


def _template_hash(template: Manifest) -> str:
    return str((template["metadata"].get("annotations") or {}).get(TEMPLATE_HASH_ANNOTATION, ""))


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
