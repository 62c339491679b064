"""The inputs and outputs of every plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from slipway.api.conditions import EventReason, Reason, Transition
from slipway.cluster.resources import Manifest
from slipway.plan.gate.types import Elsewhere, Word

Child = tuple[str, str]
"""A child of a ModelDeployment: its kind and name."""


@dataclass(frozen=True)
class Refusal:
    """The apiserver's word on a child that it would not have."""

    kind: str
    name: str
    message: str
    foreign: bool = False
    """An object of that name exists and belongs to somebody else."""


@dataclass(frozen=True)
class Governance:
    """What governs one ModelDeployment, in a namespace that has a stage."""

    stage: str
    policies: tuple[Manifest, ...] = ()
    """Every ApprovalPolicy of the cluster."""
    approvals: tuple[Manifest, ...] = ()
    """The ModelApprovals that name the deployment."""
    snapshots: tuple[Manifest, ...] = ()
    """Its ControllerRevisions that the ledger knows of."""
    distrusted: int = 0
    """Its ControllerRevisions that the ledger does not know of."""
    taken: int = 0
    """The highest number of all ControllerRevisions of its name, whoever wrote them."""
    elsewhere: tuple[Elsewhere, ...] = ()
    """Other deployments that serve the bytes that are asked for."""
    guard: str = ""
    """Why the admission policies are not known to hold; empty while they do."""
    valid_from: datetime | None = None
    """Approvals from before count for nothing: the admission policies did not hold, or were others."""
    may: Mapping[str, bool] = field(default_factory=dict)
    """By the approval's uid: whether its author still has the right to it."""


@dataclass(frozen=True)
class Observed:
    """One snapshot of everything a ModelDeployment touches."""

    model: Manifest | None = None
    version: Manifest | None = None
    children: Mapping[Child, Manifest] = field(default_factory=dict)
    """Live children by kind and name."""
    pods: tuple[Manifest, ...] = ()
    mount_warnings: Mapping[str, str] = field(default_factory=dict)
    """By pod uid: the newest Warning Event of a pod whose containers cannot be created yet."""
    refusal: Refusal | None = None
    """The first child that the apiserver refused in this pass."""
    contests: Mapping[Child, str | None] = field(default_factory=dict)
    """Children whose repair must wait, because somebody else changes them again and again, and who (None: not asked; empty: unknown)."""
    promises: Mapping[Child, str] = field(default_factory=dict)
    """Repairs that the ledger was told of and that have not happened yet, by the detail of their entries."""
    monitors: tuple[Manifest, ...] = ()
    """The ModelMonitors that watch it."""
    governance: Governance | None = None
    """None where nothing governs: no stage, or an operator that does not look."""


@dataclass(frozen=True)
class EventDraft:
    """A Kubernetes Event about the object, to be recorded after its status."""

    reason: EventReason
    message: str
    warning: bool = False
    child: Child | None = None
    """The child whose apply this tells of: said even when a later write of the same pass fails."""


@dataclass(frozen=True)
class EntryDraft:
    """An entry of the ledger about the object, durable before what it tells of happens; who asked and when is added as it is written."""

    transition: Transition
    message: str
    reason: str = ""
    detail: str = ""
    """With the object's uid and generation, and the transition, it names the entry: a plan made again after a crash has the same one."""
    details: Mapping[str, Any] = field(default_factory=dict)
    actors: tuple[str, ...] | None = None
    """Who asked; None for whoever changed the object's spec, as its stamp tells."""
    approvers: tuple[str, ...] = ()
    child: Child | None = None
    """The child that is repaired."""


@dataclass(frozen=True)
class Plan:
    """What a reconcile is to do, in this order: entries, applies, deletes, status, events."""

    entries: tuple[EntryDraft, ...] = ()
    """Of applies and deletes, durable before the first of them."""
    ended: tuple[EntryDraft, ...] = ()
    """Of the status, durable before it: only what the status says *after* applies and deletes has happened."""
    applies: tuple[Manifest, ...] = ()
    deletes: tuple[Manifest, ...] = ()
    status: Mapping[str, Any] = field(default_factory=dict)
    events: tuple[EventDraft, ...] = ()
    requeue_after: float | None = None
    repairs: frozenset[Child] = frozenset()
    """Applies that no change of the object asked for: somebody changed or deleted the child, or the operator itself is another one."""
    held: tuple[Child, ...] = ()
    """Children that differ, and whose repair waits."""
    snapshot: Manifest | None = None
    """The approved revision, to be written down before the first of the applies."""
    ask: tuple[Word, ...] = ()
    """Approvals on which the change would start, once the apiserver says that their authors still have the right to them."""
    job: Manifest | None = None
    """One run of a monitor, to be created after the applies."""
    answers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """The statuses of the ModelApprovals that name the object, by uid."""


@dataclass(frozen=True)
class Trouble:
    """Why pods do not come up: the reason, one readable line, and whether a person must act."""

    reason: Reason
    message: str
    stalled: bool = True
