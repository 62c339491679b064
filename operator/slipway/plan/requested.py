"""Who had a hand in what waits for approval: a set that only grows until something is approved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from slipway.api.v1alpha1.model import MAX_EDITORS
from slipway.cluster.resources import Manifest
from slipway.plan.requesters import Requesters, requesters
from slipway.plan.revision import Snapshot

AUTHOR_ANNOTATION = "slipway.dev/author"
"""Whom a GitOps tool's change came from, by its own account."""
LONGEST_AUTHOR = 1024
SERVICE_ACCOUNT = "system:serviceaccount:"


@dataclass(frozen=True)
class Hands:
    """User names, sorted, and whether there is somebody whose name nobody knows."""

    names: tuple[str, ...] = ()
    unknown: bool = False
    authors: tuple[str, ...] = ()
    """Whom the annotation slipway.dev/author named meanwhile, sorted; "" when a change named nobody. Claims."""

    def __or__(self, other: Hands) -> Hands:
        names, authors = {*self.names, *other.names}, {*self.authors, *other.authors}
        return Hands(tuple(sorted(names)), self.unknown or other.unknown, tuple(sorted(authors)))


def hands_in(deployment: Manifest, version: Manifest, model: Manifest, newest: Snapshot | None, before: Mapping[str, Any]) -> Hands:
    """Who changed the deployment since the newest approved revision, made the version unless that was approved, edited the Model since.

    `before`: the stored status. Without it a stamp says only who changed the spec since the operator had last looked.
    """
    approved = newest.approved if newest else {}
    hands = _accumulated(before)
    if deployment["metadata"]["generation"] > approved.get("generation", 0):
        hands |= _asked(requesters(deployment)) | _authors(deployment, requesters(deployment).names, before)
    if newest is None or version["metadata"]["uid"] != newest.content["version"]["uid"]:
        hands |= _asked(requesters(version)) | _authors(version, requesters(version).names)
    editors = _editors(model, approved.get("modelGeneration", 0) if _same_model(model, newest) else 0)
    return hands | editors | _authors(model, editors.names)


def hands_meanwhile(deployment: Manifest, before: Mapping[str, Any]) -> Hands:
    """The same, of the deployment's spec alone: for as long as nobody can say what is asked for."""
    asked = _asked(requesters(deployment))
    return _accumulated(before) | asked | _authors(deployment, asked.names, before)


def edited_by(model: Manifest) -> list[dict[str, Any]]:
    """`status.editors` of a Model as it is now: everybody who ever changed its spec, each with their newest generation.

    More than there is room for: the oldest are forgotten, and somebody unknown takes their place.
    """
    generation = model["metadata"]["generation"]
    known = {editor.get("by", ""): editor["generation"] for editor in model.get("status", {}).get("editors", [])}
    if model.get("status", {}).get("observedGeneration") != generation:
        asked = _asked(requesters(model))
        known |= dict.fromkeys(asked.names, generation) | ({"": generation} if asked.unknown else {})
    newest = sorted(known.items(), key=lambda item: (-item[1], item[0]))
    kept, lost = newest[:MAX_EDITORS], newest[MAX_EDITORS:]
    if lost:
        kept = [*(item for item in kept[: MAX_EDITORS - 1] if item[0]), ("", kept[-1][1])]
    return [({"by": name} if name else {}) | {"generation": number} for name, number in kept]


def _accumulated(before: Mapping[str, Any]) -> Hands:
    approval = before.get("approval") or {}
    if approval.get("state") not in ("Waiting", "Rejected"):
        return Hands()
    return Hands(tuple(approval.get("requestedBy", ())), approval.get("unknownRequester", False), tuple(approval.get("authors", ())))


def _authors(manifest: Manifest, names: tuple[str, ...], before: Mapping[str, Any] | None = None) -> Hands:
    """Whom the object says a robot's change came from. It tells of one change: of others that nobody looked at, nobody knows.

    `before`: the status that was stored at the last look.
    """
    author = (manifest["metadata"].get("annotations") or {}).get(AUTHOR_ANNOTATION, "")
    author = author if len(author) <= LONGEST_AUTHOR else ""
    missed = before is not None and manifest["metadata"]["generation"] > max(before.get("observedGeneration", 0), 0) + 1
    nameless = any(name.startswith(SERVICE_ACCOUNT) for name in names) and (missed or not author)
    return Hands(authors=(*([""] if nameless else []), *([author] if author else [])))


def _asked(found: Requesters) -> Hands:
    return Hands(found.names, found.unseen or not found.known)


def _editors(model: Manifest, since: int) -> Hands:
    editors = [editor for editor in edited_by(model) if editor["generation"] > since]
    return Hands(tuple(sorted(filter(None, (editor.get("by") for editor in editors)))), any(not editor.get("by") for editor in editors))


def _same_model(model: Manifest, newest: Snapshot | None) -> bool:
    return newest is not None and bool(model["metadata"]["uid"] == newest.content["model"]["uid"])
