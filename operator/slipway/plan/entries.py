"""What the ledger must know before it happens: entries out of a plan's parts, and the status while they cannot be written.

An entry's name follows from the object's uid, its generation, and what is stored in its status. So a plan that is made again after a
crash, with whatever of its effects done, names the same entries, and the ledger has each once: docs/adr/0012-entries-before-effects.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from slipway.api.conditions import ConditionType, EventReason, Reason, Transition
from slipway.api.v1alpha1 import ModelDeployment, ModelVersion
from slipway.cluster.resources import Manifest
from slipway.plan.children import ChildrenPlan
from slipway.plan.names import HASH_ANNOTATION, TEMPLATE_HASH_ANNOTATION
from slipway.plan.status import ConditionSet, find_condition
from slipway.plan.types import Child, EntryDraft, Observed, Trouble

ROLLOUT_STARTED, SCALED, CONFIGURED = "RolloutStarted", "Scaled", "Configured"
"""Reasons of `Applied`."""
_ENDS = {Reason.SCALED_TO_ZERO: Transition.SCALED_TO_ZERO, Reason.RETIRED: Transition.RETIRED}


def children_entries(
    owner: ModelDeployment,
    version: ModelVersion,
    wanted: list[Manifest],
    children: ChildrenPlan,
    observed: Observed,
    before: Mapping[str, Any],
) -> tuple[EntryDraft, ...]:
    """One for all that the spec asks for and is not there yet; one for each child that somebody else changed or deleted."""
    damaged = {draft.child: draft for draft in children.events if draft.reason is EventReason.CHILD_REPAIRED and draft.child}
    asked = [child for child in children.applies if _key(child) not in damaged]
    entries = [_repaired(child, draft.message, observed, before) for child, draft in damaged.items()]
    if asked or children.deletes:
        entries.insert(0, _applied(owner, version, wanted, asked, observed, before))
    return tuple(entries)


def _applied(
    owner: ModelDeployment,
    version: ModelVersion,
    wanted: list[Manifest],
    asked: list[Manifest],
    observed: Observed,
    before: Mapping[str, Any],
) -> EntryDraft:
    deployment = next((child for child in asked if child["kind"] == "Deployment"), None)
    live = observed.children.get(_key(deployment)) if deployment else None
    template = _template_hash(next(child for child in wanted if child["kind"] == "Deployment"))
    if deployment and (live is None or _template_hash(live) != template):
        reason, message = ROLLOUT_STARTED, f"rolling out version {owner.spec.version} of model {owner.spec.model}"
    elif deployment:
        reason, message = SCALED, f"scaling to {owner.spec.replicas} replicas"
    else:
        reason, message = CONFIGURED, "changing what stands around the pods"
    artifact = version.spec.artifact
    containers = deployment["spec"]["template"]["spec"]["containers"] if deployment else []
    details = {
        "model": owner.spec.model,
        "version": owner.spec.version,
        "versionUID": version.metadata.uid,
        "digest": artifact.digest if artifact else "",
        "uri": artifact.uri if artifact else "",
        "images": [container["image"] for container in containers],
        "replicas": owner.spec.replicas,
        "template": template,
    }
    wanted_hash = _hash(child["metadata"]["annotations"][HASH_ANNOTATION] for child in wanted)
    return EntryDraft(Transition.APPLIED, message, reason, f"{wanted_hash}@{before.get('childrenHash', '')}", details)


def _repaired(child: Child, message: str, observed: Observed, before: Mapping[str, Any]) -> EntryDraft:
    """Named by the state that is put right: the changed child's as it was first seen, or that of the children before one was deleted."""
    live = observed.children.get(child)
    state = live["metadata"]["resourceVersion"] if live else before.get("childrenHash", "")
    detail = observed.promises.get(child) or f"{'/'.join(child)}@{state}"
    return EntryDraft(Transition.REPAIRED, message, "ChildRepaired", detail, actors=(), child=child)


def with_outcome(status: dict[str, Any], before: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[EntryDraft, ...]]:
    """The status with how it ended, and an entry if it ended otherwise than before (or another generation did)."""
    old = before.get("outcome")
    result, condition = _ended(status)
    if result is None or condition is None:
        return (status | {"outcome": old} if old else status), ()
    new = {"result": str(result), "reason": condition["reason"], "generation": status["observedGeneration"]}
    if old and all(old.get(key) == value for key, value in new.items()):
        return status | {"outcome": old}, ()
    number = _number(before, status["observedGeneration"]) + 1
    details = {key: status[key] for key in ("version", "digest") if status.get(key)}
    entry = EntryDraft(result, condition["message"], condition["reason"], f"#{number}", details)
    return status | {"outcome": new | {"number": number}}, (entry,)


def _ended(status: Mapping[str, Any]) -> tuple[Transition | None, Mapping[str, Any] | None]:
    if stalled := find_condition(status, ConditionType.STALLED):
        return Transition.STALLED, stalled
    ready = find_condition(status, ConditionType.READY)
    if ready and ready["status"] == "True":
        return _ENDS.get(ready["reason"], Transition.SERVING), ready
    return None, None


def registry_entries(manifest: Manifest, details: Mapping[str, Any]) -> tuple[EntryDraft, ...]:
    """For a generation of a Model, ModelVersion or ModelMonitor that was not seen before."""
    meta = manifest["metadata"]
    if manifest.get("status", {}).get("observedGeneration") == meta["generation"]:
        return ()
    transition = Transition.REGISTERED if meta["generation"] == 1 else Transition.CHANGED
    return (EntryDraft(transition, f"{manifest['kind']} {meta['name']} {str(transition).lower()}", str(transition), "", details),)


def held_back(manifest: Manifest, status: Mapping[str, Any], trouble: Trouble, now: datetime) -> dict[str, Any]:
    """The status while the ledger cannot be written: nothing ended, this generation is not dealt with, and why.

    `observedGeneration` stays behind, so that whoever changes the spec meanwhile is added to those who asked (the stamp's policy looks at
    it). A trouble that a person must see to is shown all the same.
    """
    before = manifest.get("status", {})
    kept = {key: value for key, value in status.items() if key not in ("outcome", "observedGeneration", "judged")}
    kept |= {"observedGeneration": before.get("observedGeneration", -1)}
    kept |= {key: before[key] for key in ("outcome", "childrenHash", "judged") if key in before}
    if find_condition(status, ConditionType.STALLED):
        return kept
    conditions = ConditionSet(before, manifest["metadata"]["generation"], now)
    conditions.trouble(trouble)
    others = [c for c in status.get("conditions", []) if c["type"] not in ("Ready", "Reconciling")]
    return (
        kept
        | {"conditions": [*conditions.as_list(), *others]}
        | ({"phase": "Failed" if trouble.stalled else "Progressing"} if "phase" in kept else {})
    )


def children_hash(observed: Observed) -> str:
    """Of the children that are there: another one after each that was made, deleted, or put back."""
    return _hash(f"{kind}/{name}/{child['metadata'].get('uid', '')}" for (kind, name), child in sorted(observed.children.items()))


def _number(before: Mapping[str, Any], generation: int) -> int:
    """Outcomes of that generation so far."""
    outcome = before.get("outcome") or {}
    number: int = outcome["number"] if outcome.get("generation") == generation else 0
    return number


def _key(child: Manifest) -> Child:
    return child["kind"], child["metadata"]["name"]


def _template_hash(deployment: Manifest) -> str:
    annotations = deployment["spec"]["template"]["metadata"].get("annotations") or {}
    return str(annotations.get(TEMPLATE_HASH_ANNOTATION, ""))


def _hash(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
