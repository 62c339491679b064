"""What was approved last and what is asked for, side by side."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from slipway.cli.governance.asked import Asked
from slipway.cli.governance.change import ABSENT, Change, Metric, changes, metrics
from slipway.cli.output import text
from slipway.cli.view.words import asked_by, missing, phase_style, said

PROVED = "This is all: the revision's name follows from these fields, and from the platform as it was approved."
NOT_PROVED = "The platform's image is chosen when it starts"


def as_data(found: Asked) -> dict[str, Any]:
    """The same for programs."""
    meta, approval = found.deployment["metadata"], found.approval
    return {
        "namespace": meta["namespace"],
        "name": meta["name"],
        "revision": found.revision,
        "approvedRevision": found.newest.revision if found.newest else None,
        "state": approval.get("state", ""),
        "message": approval.get("message", ""),
        "requestedBy": approval.get("requestedBy", []),
        "unknownRequester": approval.get("unknownRequester", False),
        "granted": approval.get("granted", []),
        "policies": approval.get("policies", []),
        "unchanged": found.is_settled,
        "changes": [asdict(change) for change in _changes(found)],
        "metrics": [asdict(metric) for metric in _metrics(found)],
        "proved": found.is_proved,
        "platform": None if found.newest is None else found.content["platform"],
        "approve": None if found.is_settled else approve_command(found),
    }


def approve_command(found: Asked) -> str:
    """To copy; the role is the approver's to fill in."""
    meta = found.deployment["metadata"]
    return f"kubectl slipway approve {shlex.quote(meta['name'])} -n {shlex.quote(meta['namespace'])} --as ROLE --revision {found.revision}"


def render(found: Asked, *, command: bool = True) -> RenderableType:
    """For people. `command`: with the command that approves it."""
    return Group(*_lines(found, command))


def _lines(found: Asked, command: bool) -> Iterator[RenderableType]:
    meta, approval, state = found.deployment["metadata"], found.approval, found.approval.get("state", "")
    about = f"ModelDeployment {meta['name']} in namespace {meta['namespace']}"
    if found.is_settled:
        yield text(f"{about}: nothing would change. What is asked for is what was approved, revision {found.revision}")
        return
    yield Text("  ").join((text(about, "bold"), text(state, phase_style(state)), text(_kind(found))))
    yield text(f"revision {found.revision}", "dim")
    yield Text("")
    yield _change_table(_changes(found), with_approved=found.newest is not None)
    if any(metric.approved != metric.asked for metric in _metrics(found)):
        yield Text("")
        yield _metric_table(_metrics(found), found)
    yield Text("")
    yield text(_platform(found))
    yield from _gate(approval)
    if command and state == "Waiting":
        yield Text("")
        yield text(f"To approve it: {approve_command(found)}")


def _kind(found: Asked) -> str:
    """In a word, what is asked for."""
    serves, asked = found.newest.content["version"]["version"] if found.newest else "", found.content["version"]["version"]
    if found.content.get("retire"):
        return "to be retired: it stops serving for good"
    if not serves:
        return f"version {asked}; nothing was approved before, so everything is new"
    return f"version {serves} → {asked}" if serves != asked else f"version {asked}, configured anew"


def _platform(found: Asked) -> str:
    if found.is_proved:
        return PROVED
    if found.newest is None:
        return f"{NOT_PROVED}, and is part of the revision."
    return f"{NOT_PROVED}: beside these fields, the platform's part of the revision (image, signing keys) is not as it was approved."


def _gate(approval: dict[str, Any]) -> Iterator[Text]:
    if approval.get("state") == "Rejected":
        yield text(approval.get("message", ""))
        return
    facts = {
        "missing": missing(approval),
        "granted": ", ".join(dict.fromkeys(map(said, approval.get("granted", [])))),
        "requested by": ", ".join(asked_by(approval)),
        "policies": ", ".join(approval.get("policies", [])),
    }
    for name, fact in facts.items():
        if fact:
            yield text(f"{name}: {fact}")


def _changes(found: Asked) -> list[Change]:
    return changes(found.newest.content if found.newest else None, found.content)


def _metrics(found: Asked) -> list[Metric]:
    return metrics(found.approved_version["spec"] if found.approved_version else None, found.version["spec"])


def _change_table(found: list[Change], *, with_approved: bool) -> Table:
    table = _table("FIELD", *(["APPROVED"] if with_approved else []), "ASKED FOR")
    for change in found:
        approved = [text(_shown(change.approved), "red")] if with_approved else []
        table.add_row(text(change.field), *approved, text(_shown(change.asked), "green"))
    return table


def _metric_table(found: list[Metric], asked: Asked) -> Table:
    new = text(f"VERSION {asked.content['version']['version']}")
    if asked.newest is None:
        table = _table("METRIC", new.plain)
        for metric in found:
            table.add_row(text(metric.name), text(_shown(metric.asked)))
        return table
    table = _table("METRIC", f"VERSION {asked.newest.content['version']['version']}", new.plain, "DIFFERENCE")
    for metric in found:
        table.add_row(*map(text, (metric.name, _shown(metric.approved), _shown(metric.asked), metric.difference)))
    return table


def _table(*heads: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in heads:
        table.add_column(text(head), overflow="fold")
    return table


def _shown(value: str | None) -> str:
    return ABSENT if value is None else value
