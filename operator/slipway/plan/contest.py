"""What is said when somebody else keeps changing a child, or the status, back: who, what, and what to do."""

from __future__ import annotations

from collections.abc import Mapping

from slipway.cluster.client import FIELD_MANAGER
from slipway.cluster.resources import Manifest
from slipway.plan.types import Child

MAX_NAMED = 3
"""Contested things named in one message."""


def last_writer(live: Manifest | None, subresource: str = "") -> str | None:
    """The field manager, other than Slipway, that wrote last: to the object itself, or to its status.

    None when nobody else did, or when it is not there any more, since who deleted an object is not kept. A field that another
    wrote long before the newest change is no sign of a contest.
    """
    fields = (live or {}).get("metadata", {}).get("managedFields", [])
    newest = max((entry.get("time", "") for entry in fields), default="")
    others = [
        entry
        for entry in fields
        if entry.get("manager") != FIELD_MANAGER and (entry.get("subresource") == "status") == (subresource == "status")
    ]
    last = max(others, key=lambda entry: str(entry.get("time", "")), default=None)
    if last is None or (subresource and _minute(last.get("time", "")) < _minute(newest)):
        return None
    return str(last.get("manager", "")) or "unknown"


def _minute(time: str) -> str:
    return time[:16]


def contested_message(contested: Mapping[Child, str], owner: str) -> str:
    """One line; the same as long as the same writers contest the same things."""
    things = [_thing(child, writer, owner) for child, writer in sorted(contested.items())]
    more = f" and {len(things) - MAX_NAMED} more" if len(things) > MAX_NAMED else ""
    return (
        f"{'; '.join(things[:MAX_NAMED])}{more}. It is put back ever more rarely: "
        "stop whoever writes it, or change the ModelDeployment instead."
    )


def _thing(child: Child, writer: str, owner: str) -> str:
    kind, name = child
    what = "the status" if kind == "ModelDeployment" and name == owner else f"{kind} {name}"
    if writer:
        return f"{what} is changed again and again by field manager {writer}"
    return f"{what} is deleted or changed again and again by somebody (the apiserver's audit log tells who)"
