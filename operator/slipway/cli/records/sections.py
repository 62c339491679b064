"""A report's sections, out of the facts: pure, and in no format yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import TYPE_CHECKING

from slipway.cli.records.facts import Facts
from slipway.cli.records.risks import risks

if TYPE_CHECKING:
    from slipway.cli.cluster import Json

NONE = "–"


@dataclass(frozen=True)
class Table:
    """Rows under heads."""

    heads: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


@dataclass(frozen=True)
class Section:
    """A heading, and what stands below it, in this order."""

    title: str
    pairs: Sequence[tuple[str, str]] = ()
    points: Sequence[str] = ()
    table: Table | None = None
    metrics: dict[str, list[tuple[str, float]]] = field(default_factory=dict)
    """By metric: version and value, the oldest version first; a plot where there is one."""
    moments: Sequence[tuple[str, str]] = ()
    """Time and transition, the oldest first; a plot where there is one."""


def sections(facts: Facts) -> list[Section]:
    """All of a report, in order."""
    return [_purpose(facts), _serving(facts), _risks(facts), _approval(facts), _versions(facts), _revisions(facts), _history(facts)]


def _purpose(facts: Facts) -> Section:
    spec = facts.model.get("spec", {})
    pairs = (
        ("Model", facts.model["metadata"]["name"]),
        ("Purpose", spec.get("description") or NONE),
        ("Task", spec.get("task") or NONE),
        ("Owner", (spec.get("owner") or {}).get("team") or NONE),
        ("Importance", spec.get("importance") or "not named: every policy of the stage has a say"),
    )
    return Section("Purpose", pairs)


def _serving(facts: Facts) -> Section:
    status, spec = facts.deployment.get("status", {}), facts.deployment["spec"]
    pairs = (
        ("Phase", status.get("phase") or NONE),
        ("Asked for", f"version {spec['version']}"),
        ("Serves", f"version {status['version']}" if status.get("version") else "nothing"),
        ("Bytes", status.get("digest") or NONE),
        ("Since", status.get("digestSince") or NONE),
        ("Replicas", f"{status.get('readyReplicas', 0)} ready of {status.get('replicas', 0)}"),
        ("Address", status.get("url") or NONE),
    )
    rows = [(c["type"], c["status"], c["reason"], c["message"]) for c in status.get("conditions", [])]
    return Section("What serves", pairs, table=Table(("Condition", "Is", "Reason", "Message"), rows))


def _risks(facts: Facts) -> Section:
    return Section("Open risks", points=risks(facts) or ("None that Slipway knows of.",))


def _approval(facts: Facts) -> Section:
    status = facts.deployment.get("status", {})
    approval = status.get("approval") or {}
    if not approval:
        return Section("Approval", points=("No ApprovalPolicy governs this deployment.",))
    pairs = (
        ("Revision", status.get("revision") or NONE),
        ("State", approval["state"]),
        ("Policies", ", ".join(approval.get("policies", [])) or NONE),
        ("Requested by", _people(approval)),
        ("Missing", approval.get("message") or NONE),
    )
    rows = [(grant["by"], grant["role"], grant["at"]) for grant in approval.get("granted", [])]
    return Section("Approval", pairs, table=Table(("By", "As", "At"), rows) if rows else None)


def _people(approval: Json) -> str:
    names = [*approval.get("requestedBy", []), *(["somebody unknown"] if approval.get("unknownRequester") else [])]
    return ", ".join(names) or NONE


def _versions(facts: Facts) -> Section:
    rows = []
    metrics: dict[str, list[tuple[str, float]]] = {}
    for version in reversed(facts.versions):
        spec = version["spec"]
        lineage = spec.get("lineage") or {}
        for name, value in (lineage.get("metrics") or {}).items():
            if isfinite(number := float(value)):  # 1e999 is a number, but has no place in a plot, nor in JSON
                metrics.setdefault(name, []).append((spec["version"], number))
        said = ", ".join(f"{name} {value}" for name, value in sorted((lineage.get("metrics") or {}).items()))
        code = (lineage.get("code") or {}).get("commit", "")
        created = version["metadata"].get("creationTimestamp", "")
        digest = (spec.get("artifact") or {}).get("digest") or (spec.get("container") or {}).get("image", "")
        rows.append((spec["version"], created, digest, said or NONE, code or NONE))
    heads = ("Version", "Registered", "Bytes", "Metrics when trained", "Code")
    return Section("Versions", table=Table(heads, rows[::-1]), metrics={name: found for name, found in metrics.items() if len(found) > 1})


def _revisions(facts: Facts) -> Section:
    rows = []
    for snapshot in facts.snapshots:
        approved, content = snapshot["data"]["approved"], snapshot["data"]["content"]
        words = "; ".join(f"{grant['by']} as {grant['role'] or 'override'}: {grant['reason']}" for grant in approved.get("by", []))
        rows.append((str(snapshot["revision"]), approved["at"], approved["how"], content["version"]["version"], words or NONE))
    if not rows:
        return Section("Approved revisions", points=("None.",))
    return Section("Approved revisions", table=Table(("Number", "At", "How", "Version", "Words"), rows))


def _history(facts: Facts) -> Section:
    rows, moments = [], []
    for stored in facts.entries:
        entry = stored.entry
        at = f"{entry.time:%Y-%m-%dT%H:%M:%SZ}"
        moments.append((at, entry.transition))
        said = ": ".join(filter(None, (entry.reason, entry.message)))
        rows.append((str(stored.index), at, entry.transition, ", ".join(entry.actors) or NONE, ", ".join(entry.approvers) or NONE, said))
    heads = ("Entry", "At", "What", "Asked by", "Approved by", "Said")
    return Section("History, as the ledger proves it", table=Table(heads, rows[::-1]), moments=moments)
