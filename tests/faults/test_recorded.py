"""The ledger's oracle itself: it finds an effect that no entry told of, and an entry that is one too many."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from slipway.ledger.entry import Entry, ObjectReference, entry_id
from slipway.plan.names import TEMPLATE_HASH_ANNOTATION
from tests.faults.recorded import Durable, told, unrecorded
from tests.faults.test_oracle import entry, log

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def durable(transition: str, detail: str = "", seconds: float = -1, kind: str = "ModelDeployment", **details: Any) -> Durable:
    """An entry of generation 2, durable so many seconds after the write."""
    about = ObjectReference("slipway.dev/v1alpha1", kind, "team", "churn", "u", 2)
    return Entry(entry_id("u", 2, transition, detail), NOW, transition, about, details=details), NOW + timedelta(seconds=seconds)


def write(resource: str, body: Any = None, **other: Any) -> dict[str, Any]:
    return entry(resource=resource, body=body, requestReceivedTimestamp=NOW.isoformat(), **other)


def rollout(template: str, replicas: int) -> dict[str, Any]:
    annotated = {"metadata": {"annotations": {TEMPLATE_HASH_ANNOTATION: template}}}
    return write("deployments", {"spec": {"replicas": replicas, "template": annotated}})


def status(resource: str, seen: int, **status: Any) -> dict[str, Any]:
    return write(resource, {"metadata": {"uid": "u"}, "status": {"observedGeneration": seen} | status}, subresource="status")


OUTCOME = {"result": "Serving", "reason": "Serving", "generation": 2, "number": 3}
APPLIED = durable("Applied", template="t", replicas=2)


@pytest.mark.parametrize(
    ("made", "before", "sound"),
    [
        (write("services"), [APPLIED], True),
        (write("services"), [], False),
        (write("services"), [durable("Applied", seconds=1)], False),
        (write("services", code=409), [], True),
        (write("events"), [], True),
        (rollout("t", 2), [APPLIED], True),
        (rollout("t", 3), [APPLIED], False),
        (rollout("another", 2), [APPLIED], False),
        (status("modeldeployments", 2), [], True),
        (status("modeldeployments", 2, outcome=OUTCOME), [durable("Serving", "#3")], True),
        (status("modeldeployments", 2, outcome=OUTCOME), [durable("Serving", "#2")], False),
        (status("models", -1), [], True),
        (status("models", 2), [], False),
        (status("models", 2), [durable("Changed", kind="Model")], True),
    ],
)
def test_effects_without_an_entry(tmp_path: Path, made: dict[str, Any], before: list[Durable], sound: bool) -> None:
    assert (not unrecorded(before, log(tmp_path, made), "team")) == sound


def test_entries_are_compared_by_what_they_say() -> None:
    one, other = durable("Applied", "hash@a", template="t", replicas=2)[0], durable("Applied", "hash@b", template="x", replicas=2)[0]
    assert told([one]) == told([other]), "names and hashes have uids in them"
    assert told([one]) != told([durable("Applied", replicas=3)[0]])
    assert told([one]) != told([one, other])
    assert told([durable("Serving", "#1")[0]]) != told([durable("Serving", "#2")[0]])


@pytest.mark.parametrize(("generation", "same"), [(2, True), (0, True), (1, False), (3, False)])
def test_an_end_that_is_noticed_late_names_no_generation(generation: int, same: bool) -> None:
    serving, deleted = durable("Serving", "#1")[0], durable("Deleted")[0]
    late = replace(deleted, object=replace(deleted.object, generation=generation))
    assert (told([serving, late]) == told([serving, deleted])) == same
    assert told([late]) != told([serving, late])
