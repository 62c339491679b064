"""The oracle itself: it finds what it is there to find."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.faults.oracle import repeated, same_writes, unconditional, written
from tests.integration.leadership import turns, vacancy

IDENTITY = {"uid": "u", "resourceVersion": "7"}


def entry(verb: str = "patch", name: str = "churn", code: int = 200, body: Any = None, **other: Any) -> dict[str, Any]:
    reference = {"resource": other.pop("resource", "services"), "namespace": "team", "name": name}
    reference |= {"subresource": other.pop("subresource")} if "subresource" in other else {}
    pod = other.pop("pod", "a")
    who = {"user": {"extra": {"authentication.kubernetes.io/pod-name": [pod]}}, "userAgent": "slipway-operator/1"}
    return who | {"verb": verb, "objectRef": reference, "responseStatus": {"code": code}, "requestObject": body, "requestURI": "/"} | other


def log(folder: Path, *entries: dict[str, Any]) -> Path:
    path = folder / "audit.log"
    path.write_text("".join(json.dumps(line) + "\n" for line in entries))
    return path


@pytest.mark.parametrize(
    ("found", "wrong"),
    [
        (entry(body={"metadata": IDENTITY}), False),
        (entry(body={"metadata": {"uid": "u"}}), True),
        (entry(code=201, body={"metadata": {}}), False),
        (entry(code=409, body={"metadata": {}}), False),
        (entry("delete", body={"preconditions": IDENTITY}), False),
        (entry("delete"), True),
    ],
)
def test_writes_without_preconditions(tmp_path: Path, found: dict[str, Any], wrong: bool) -> None:
    assert bool(unconditional(log(tmp_path, found))) == wrong


def test_another_namespaces_writes_are_not_counted_here(tmp_path: Path) -> None:
    assert unconditional(log(tmp_path, entry("delete")), "team")
    assert not unconditional(log(tmp_path, entry("delete")), "tea")


def test_a_creation_may_be_repeated_unchanged(tmp_path: Path) -> None:
    made, same, other = entry(code=201, body={"spec": 1}), entry(body={"spec": 1}), entry(body={"spec": 2})
    assert not unconditional(log(tmp_path, made, same))
    assert unconditional(log(tmp_path, made, other))


def test_a_status_that_is_written_again(tmp_path: Path) -> None:
    def status(phase: str, time: str) -> dict[str, Any]:
        return entry("update", subresource="status", body={"status": {"phase": phase, "lastTransitionTime": time}})

    assert repeated(log(tmp_path, status("A", "1"), status("A", "2")), "team")
    assert not repeated(log(tmp_path, status("A", "1"), status("B", "2"), status("A", "3")), "team")


def test_writes_are_counted_by_object(tmp_path: Path) -> None:
    path = log(tmp_path, entry(code=201), entry(), entry(), entry(resource="events"), entry(userAgent="kubectl"))
    assert written(path, "team") == {("create", "services", "churn"): 1, ("patch", "services", "churn"): 2}
    assert not written(path, "tea")


@pytest.mark.parametrize("verb", ["create", "delete"])
def test_one_write_too_many(verb: str) -> None:
    one = Counter({(verb, "services", "churn"): 1})
    same_writes(one, one)
    with pytest.raises(AssertionError, match="1 more than undisturbed"):
        same_writes(one, one + one)
    with pytest.raises(AssertionError, match="1 fewer than undisturbed"):
        same_writes(one, Counter())


def test_an_apply_may_be_repeated_once() -> None:
    once = Counter({("patch", "services", "churn"): 1})
    same_writes(once, once + once)
    with pytest.raises(AssertionError, match="applied 2 times more"):
        same_writes(once, once + once + once)


def test_turns_of_leaders(tmp_path: Path) -> None:
    assert turns(log(tmp_path, entry(), entry(), entry(pod="b")), 0) == ["a", "b"]
    assert turns(log(tmp_path, entry(), entry(pod="b"), entry()), 0) == ["a", "b", "a"]


def test_vacancy_tells_the_elector_from_the_machine(tmp_path: Path) -> None:
    def call(at: float, pod: str, verb: str = "get") -> dict[str, Any]:
        body = {"spec": {"holderIdentity": pod}} if verb == "update" else None
        stamp = f"2026-11-24T12:00:{at:09.6f}Z"
        return entry(verb, "slipway-operator", body=body, pod=pod, resource="leases", stageTimestamp=stamp)

    asked = [call(at, "b") for at in (0.5, 1.5, 3.5, 4.5, 5.5, 6.5)]  # one second late, once
    path = log(tmp_path, call(1, "a", "update"), *asked, call(6.6, "b", "update"))
    seconds, late = vacancy(path, 0, "a", "b", retry_seconds=1)
    assert (round(seconds, 3), round(late, 3)) == (5.6, 1.0)
