"""Which children to apply and which to delete: each wanted one is compared with what is there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from slipway.api.conditions import ConditionType, EventReason
from slipway.api.v1alpha1 import ModelDeployment
from slipway.cluster.resources import Manifest
from slipway.plan.build.deployment import is_stopped, keep_live_replicas
from slipway.plan.differ import Difference, compare
from slipway.plan.names import MANAGED_BY, VERSION_LABEL
from slipway.plan.status import find_condition
from slipway.plan.types import Child, EventDraft, Observed

OPTIONAL_CHILDREN = ("PodDisruptionBudget", "HorizontalPodAutoscaler")
"""Kinds that are deleted when they are not wanted any more; all others stay as long as their owner."""


@dataclass
class ChildrenPlan:
    """What is to happen to the children."""

    applies: list[Manifest] = field(default_factory=list)
    deletes: tuple[Manifest, ...] = ()
    events: list[EventDraft] = field(default_factory=list)
    """An Event for each child that somebody else had changed or deleted, and for a roll-out."""
    repairs: set[Child] = field(default_factory=set)
    """Applies that no change of the ModelDeployment asked for."""
    held: list[Child] = field(default_factory=list)
    """Repairs that wait, because somebody else changes the child again and again."""


def plan_children(
    owner: ModelDeployment, wanted: list[Manifest], observed: Observed, before: Mapping[str, Any], approved: str = ""
) -> ChildrenPlan:
    """Compares the wanted children with the live ones. `before`: the status as it is stored; `approved`: the revision they are of."""
    plan = ChildrenPlan(deletes=_deletes(wanted, observed))
    applied_before = before.get("observedGeneration") == owner.metadata.generation and before.get("approvedRevision", "") == approved
    for manifest in wanted:
        child = (manifest["kind"], manifest["metadata"]["name"])
        live = observed.children.get(child)
        difference = _difference(manifest, live, owner) if live else Difference.OUTDATED
        if live and difference is Difference.NONE:
            continue
        if difference is Difference.EDITED or applied_before:
            if child in observed.contests:
                plan.held.append(child)
                continue
            plan.repairs.add(child)
        plan.applies.append(keep_live_replicas(manifest, owner, live))
        event = _repair_event(child, live, difference, applied_before and find_condition(before, ConditionType.STALLED) is None)
        plan.events += [event] if event else []
    plan.events += _rollout_events(plan.applies, owner, observed)
    return plan


def _difference(manifest: Manifest, live: Manifest, owner: ModelDeployment) -> Difference:
    difference = compare(manifest, live)
    return Difference.EDITED if difference is Difference.NONE and is_stopped(owner, live) else difference


def _repair_event(child: Child, live: Manifest | None, difference: Difference, was_complete: bool) -> EventDraft | None:
    """`was_complete`: this generation's children had all been applied before, so that a missing one was deleted."""
    what = " ".join(child)
    if difference is Difference.EDITED:
        text = f"{what} was changed by somebody else and put back: edit the ModelDeployment instead."
    elif live is None and was_complete and child[0] not in OPTIONAL_CHILDREN:
        text = f"{what} was deleted by somebody else, or its label {MANAGED_BY}, and put back: delete the ModelDeployment instead."
    else:
        return None
    return EventDraft(EventReason.CHILD_REPAIRED, text, True, child)


def _deletes(wanted: list[Manifest], observed: Observed) -> tuple[Manifest, ...]:
    """Optional children that are not wanted any more."""
    names = {(child["kind"], child["metadata"]["name"]) for child in wanted}
    return tuple(live for key, live in observed.children.items() if key[0] in OPTIONAL_CHILDREN and key not in names)


def _rollout_events(applies: list[Manifest], owner: ModelDeployment, observed: Observed) -> list[EventDraft]:
    for manifest in applies:
        if manifest["kind"] != "Deployment" or observed.refusal:
            continue
        child = ("Deployment", manifest["metadata"]["name"])
        live = observed.children.get(child)
        before = (live["metadata"].get("labels") or {}).get(VERSION_LABEL) if live else None
        if before != owner.spec.version:
            change = f"from version {before} to {owner.spec.version}" if before else f"version {owner.spec.version}"
            return [EventDraft(EventReason.DEPLOYED, f"Rolling out {change} of model {owner.spec.model}", child=child)]
    return []
