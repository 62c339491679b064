"""One entry: who asked for what, who agreed, what happened and why. Pure; its bytes are canonical JSON."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import orjson

VERSION = 1
LARGEST = 65_535
"""Bytes of an entry: tlog-tiles bundles write the length in 16 bits."""
LONGEST_MESSAGE = 8_192
"""Characters of a message in an entry that would otherwise be too large."""


@dataclass(frozen=True)
class ObjectReference:
    """The object that the entry is about, as it was then."""

    api_version: str
    kind: str
    namespace: str
    name: str
    uid: str
    generation: int

    def as_json(self) -> dict[str, Any]:
        return {
            "apiVersion": self.api_version,
            "kind": self.kind,
            "namespace": self.namespace,
            "name": self.name,
            "uid": self.uid,
            "generation": self.generation,
        }


@dataclass(frozen=True)
class Entry:
    """A decision or a transition. `id` is its name for ever: what is appended twice under one id is there once."""

    id: str
    """`UID/GENERATION/TRANSITION[:DETAIL]`, see `entry_id`."""
    time: datetime
    transition: str
    object: ObjectReference
    actors: tuple[str, ...] = ()
    """Who asked; empty when nobody knows."""
    approvers: tuple[str, ...] = ()
    reason: str = ""
    message: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    """Whatever else is worth keeping: JSON values."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Fields that a newer writer added, kept when an entry is read."""

    def encode(self) -> bytes:
        """Canonical JSON: sorted keys, no spaces, at most `LARGEST` bytes; details too large are replaced by size and SHA-256."""
        data = _canonical(self._as_json())
        if len(data) <= LARGEST:
            return data
        whole = _canonical(self.details)
        omitted = {"omitted": {"bytes": len(whole), "sha256": hashlib.sha256(whole).hexdigest()}}
        data = _canonical(replace(self, message=self.message[:LONGEST_MESSAGE], details=omitted)._as_json())
        if len(data) > LARGEST:
            raise ValueError(
                f"entry {self.id[:200]} is {len(data)} bytes without its details; {LARGEST} is the most that the log's format takes"
            )
        return data

    def _as_json(self) -> dict[str, Any]:
        return {
            **self.extra,
            "v": VERSION,
            "id": self.id,
            "time": self.time.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
            "transition": self.transition,
            "object": self.object.as_json(),
            "actors": list(self.actors),
            "approvers": list(self.approvers),
            "reason": self.reason,
            "message": self.message,
            "details": dict(self.details),
        }

    @classmethod
    def decode(cls, data: bytes) -> Entry:
        """The entry in these bytes; what this version does not know is in `extra`. Raises ValueError for what is no entry."""
        try:
            found = orjson.loads(data)
            about = found.pop("object")
            time = datetime.fromisoformat(found.pop("time"))
            entry = cls(
                id=str(found.pop("id")),
                time=(time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC),
                transition=str(found.pop("transition")),
                object=_reference(about),
                actors=_names(found.pop("actors", [])),
                approvers=_names(found.pop("approvers", [])),
                reason=str(found.pop("reason", "")),
                message=str(found.pop("message", "")),
                details=dict(found.pop("details", {})),
            )
            found.pop("v", None)
            return replace(entry, extra=found)
        except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as error:
            raise ValueError(f"not an entry ({type(error).__name__}: {error})") from error


def entry_id(uid: str, generation: int, transition: str, detail: str = "") -> str:
    """`entry_id("6c1…", 3, "Approved", "risk")` → `6c1…/3/Approved:risk`."""
    return f"{uid}/{generation}/{transition}" + (f":{detail}" if detail else "")


def id_of(data: bytes) -> str:
    """The id in an entry's bytes; empty for what has none."""
    try:
        return str(orjson.loads(data).get("id", ""))
    except (ValueError, AttributeError):
        return ""


def _reference(about: Mapping[str, Any]) -> ObjectReference:
    return ObjectReference(
        api_version=str(about.get("apiVersion", "")),
        kind=str(about.get("kind", "")),
        namespace=str(about.get("namespace", "")),
        name=str(about.get("name", "")),
        uid=str(about.get("uid", "")),
        generation=int(about.get("generation", 0)),
    )


def _names(found: Any) -> tuple[str, ...]:
    if not isinstance(found, list):
        raise TypeError(f"a list of names, not {type(found).__name__}")
    return tuple(map(str, found))


def _canonical(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
