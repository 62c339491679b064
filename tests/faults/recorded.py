"""What the ledger must say of a journey: each transition once, as undisturbed, and each effect only after its entry was durable."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from slipway.ledger.entry import Entry
from slipway.plan.names import TEMPLATE_HASH_ANNOTATION
from tests.audit import writes

Durable = tuple[Entry, datetime]
"""An entry, and when it was durable at the latest."""
Told = dict[str, list[Any]]
"""By `Kind/name`, in order: what the entries say, without what differs from run to run."""

STARTED = ("Approved", "Overridden", "TakenOver")
REGISTERED = ("models", "modelversions")
_VOLATILE = {"versionUID", "template", "revision", "approvals"}


def told(entries: list[Entry]) -> Told:
    """What a journey's entries say of each object.

    An end that is noticed only after a restart names no generation (0): then it is that of the entry before, as for whoever saw it.
    """
    found: Told = defaultdict(list)
    for entry in entries:
        number = entry.id.partition("#")[2]
        details = {key: value for key, value in entry.details.items() if key not in _VOLATILE}
        before = found[f"{entry.object.kind}/{entry.object.name}"]
        generation = entry.object.generation or (before[-1][0] if before else 0)
        before.append([generation, entry.transition, entry.reason, entry.message, list(entry.actors), number, details])
    return dict(found)


def unrecorded(entries: list[Durable], audit_log: Path, namespace: str) -> list[str]:
    """The operator's accepted writes to children and outcomes that no entry had told of when the apiserver received them."""
    found = []
    for write in writes(audit_log, user_agent="slipway-operator/", namespace=namespace):
        if write["objectRef"]["namespace"] != namespace or write["objectRef"]["resource"] == "events":
            continue
        received = datetime.fromisoformat(write["requestReceivedTimestamp"])
        before = [entry for entry, at in entries if at <= received]
        if not _told_of(write, before):
            found.append(f"{write['verb']} {write['objectRef']['resource']}/{write['objectRef'].get('name', '')} at {received}")
    return found


def _told_of(write: Mapping[str, Any], before: list[Entry]) -> bool:
    reference, body = write["objectRef"], write.get("requestObject") or {}
    if reference["resource"] == "modelapprovals":  # what becomes of them follows from what was recorded
        return True
    if reference["resource"] == "controllerrevisions":
        revision = body["data"]["revision"]
        return any(entry.transition in STARTED and entry.details["revision"] == revision for entry in before)
    if reference.get("subresource") == "status":
        return all(any(entry.id.startswith(wanted) for entry in before) for wanted in _ended(reference["resource"], body))
    applied = [entry for entry in before if entry.transition == "Applied"]
    if reference["resource"] == "deployments":
        asked = body["spec"]["replicas"], body["spec"]["template"]["metadata"]["annotations"][TEMPLATE_HASH_ANNOTATION]
        return any((entry.details["replicas"], entry.details["template"]) == asked for entry in applied)
    return bool(applied)


def _ended(resource: str, body: Mapping[str, Any]) -> Iterator[str]:
    """How the names of those entries begin that a status relies on."""
    uid, status = body["metadata"]["uid"], body["status"]
    seen = status["observedGeneration"]
    if resource in REGISTERED and seen > 0:
        yield f"{uid}/{seen}/"
    if outcome := status.get("outcome"):
        yield f"{uid}/{outcome['generation']}/{outcome['result']}:#{outcome['number']}"
