"""What a run is judged by: the states it ended in, and the apiserver's audit log of what the operator wrote."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.audit import writes
from tests.faults.proxy import WritePoint
from tests.faults.recorded import Told
from tests.faults.state import difference

Write = tuple[str, str, str]
"""Verb (a server-side apply that made the object is a create), resource, name with the subresource after a slash."""


@dataclass(frozen=True)
class Run:
    """What one journey ended in, and what was written in it."""

    states: dict[str, Any]
    """By step."""
    writes: Counter[Write]
    """The operator's accepted writes, Events aside."""
    repeated: list[str]
    """Status writes that said what the one before had said."""
    unconditional: list[str]
    """Updates and deletes without the state they were planned on."""
    told: Told
    """What the ledger has of it."""
    unrecorded: list[str]
    """Effects that no entry had told of."""
    points: list[WritePoint] = field(default_factory=list)
    """Every write that was tried, in order."""
    puts: list[WritePoint] = field(default_factory=list)
    """The same of the ledger's store."""
    struck: bool = False
    starts: int = 1


def written(audit_log: Path, namespace: str) -> Counter[Write]:
    """The operator's accepted writes in a namespace, Events aside."""
    counted: Counter[Write] = Counter()
    for entry in _accepted(audit_log, namespace):
        reference = entry["objectRef"]
        verb = "create" if entry["responseStatus"]["code"] == 201 else entry["verb"]
        counted[verb, reference["resource"], _name(reference)] += 1
    return counted


def repeated(audit_log: Path, namespace: str) -> list[str]:
    """Accepted status writes with the content of the object's status write before (times aside): each was one too many."""
    last: dict[tuple[str, str], Any] = {}
    found = []
    for entry in _accepted(audit_log, namespace):
        reference = entry["objectRef"]
        if reference.get("subresource") != "status":
            continue
        key, said = (reference["resource"], reference["name"]), _timeless(entry["requestObject"]["status"])
        if last.get(key) == said:
            found.append(f"{reference['resource']}/{reference['name']}: {said}")
        last[key] = said
    return found


def unconditional(audit_log: Path, namespace: str = "") -> list[str]:
    """Accepted updates and deletes of the operator without the uid and resourceVersion that they were planned on.

    The repetition of a creation whose answer was lost is none: it says what the object's last write said.
    """
    found, last = [], dict[tuple[str, str, str], Any]()
    for entry in writes(audit_log, user_agent="slipway-operator/", namespace=namespace):
        reference, body = entry["objectRef"], entry.get("requestObject") or {}
        key = (reference["resource"], reference["namespace"], reference.get("name", ""))
        repeats, last[key] = last.get(key) == body, body
        elsewhere = namespace not in ("", reference["namespace"])  # one whose name only begins like it
        if entry["responseStatus"]["code"] == 201 or reference["resource"] == "events" or repeats or elsewhere:
            continue
        conditions = body.get("preconditions", {}) if entry["verb"] == "delete" else body.get("metadata", {})
        if not {"uid", "resourceVersion"} <= conditions.keys():
            found.append(f"{entry['verb']} {'/'.join(key)}")
    return found


def judge(reference: Run, run: Run) -> None:
    """The same states after each step, the same writes, and the same entries, each before its effect."""
    assert run.states == reference.states, difference(reference.states, run.states)
    assert not run.repeated, f"statuses written again: {run.repeated}"
    assert not run.unconditional, f"without preconditions: {run.unconditional}"
    same_writes(reference.writes, run.writes)
    assert run.told == reference.told, difference(reference.told, run.told)
    assert not run.unrecorded, f"without an entry: {run.unrecorded}"


def same_writes(expected: Counter[Write], found: Counter[Write]) -> None:
    """Creates, updates and deletes of each object as often, but for one repeated apply an object.

    How many steps a status takes depends on which states of the pods the operator gets to see: `repeated` judges those.
    """
    for (verb, resource, name), count in (found - expected).items():
        assert verb in ("patch", "update"), f"{verb} of {resource}/{name}: {count} more than undisturbed"
        assert count <= 1 or name.endswith("/status"), f"{resource}/{name}: applied {count} times more than undisturbed"
    for (verb, resource, name), count in (expected - found).items():
        assert name.endswith("/status"), f"{verb} of {resource}/{name}: {count} fewer than undisturbed"


def _accepted(audit_log: Path, namespace: str) -> Iterator[dict[str, Any]]:
    for entry in writes(audit_log, user_agent="slipway-operator/", namespace=namespace):
        if entry["objectRef"]["namespace"] == namespace and entry["objectRef"]["resource"] != "events":
            yield entry


def _name(reference: dict[str, str]) -> str:
    """An object made by POST has its name in the answer only: the log's reference has it nevertheless."""
    subresource = reference.get("subresource")
    return f"{reference.get('name', '')}/{subresource}" if subresource else reference.get("name", "")


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _timeless(child) for key, child in value.items() if key != "lastTransitionTime"}
    return [_timeless(child) for child in value] if isinstance(value, list) else value
