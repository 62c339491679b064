"""From an answer to its approval."""

from __future__ import annotations

from dataclasses import replace

import pytest

from slipway.cli.errors import CliError
from slipway.cli.records.facts import path_of
from slipway.cli.records.trace import _show, traced
from tests.unit.cli.records.samples import facts, rollout, stored

ID = "0b7a"
DIGEST = "sha256:" + "3" * 64


def test_all_that_is_known() -> None:
    found = traced(ID, facts(), "3", DIGEST)
    assert found["artifact"] == {"uri": "s3://models/3/", "digest": DIGEST}
    assert found["started"]["approvers"] == ["bob"]
    assert found["requested"]["index"] == 0
    assert found["proof"] == {
        "entry": "d/1/Approved",
        "index": 1,
        "checkpoint": None,
        "command": "kubectl slipway audit prove 'd/1/Approved' -o proof.json",
        "offline": "kubectl slipway audit check proof.json --key VKEY",
    }
    assert found["prediction"]["rows"] == []


def test_other_bytes_are_not_its_own() -> None:
    with pytest.raises(CliError, match="another deployment or version answered"):
        traced(ID, facts(), "3", "sha256:" + "0" * 64)


def test_a_version_that_is_gone_is_known_from_the_ledger() -> None:
    found = traced(ID, replace(facts(), versions=[]), "3", DIGEST)
    assert (found["artifact"]["digest"], found["lineage"]) == (DIGEST, None)


def test_where_nothing_governs(capsys: pytest.CaptureFixture[str]) -> None:
    applied = rollout(2, version="3", digest=DIGEST)
    found = traced(ID, replace(facts(), entries=[applied]), "3", None)
    _show(found)
    assert found["proof"]["index"] == 2
    assert "nobody had to: no ApprovalPolicy governed it" in capsys.readouterr().out


def test_of_several_times_the_last() -> None:
    again = [stored(5, "Approved", version="3", revision="v1:5"), rollout(6, version="3")]
    way = path_of([*facts().entries, *again], "3")
    assert (way.started and way.started.index, way.applied and way.applied.index) == (5, 6)


def test_scaling_is_no_start() -> None:
    scaled = stored(7, "Applied", "scaling to 3 replicas", "Scaled", version="3", digest=DIGEST)
    way = path_of([*facts().entries, scaled], "3")
    assert (way.started and way.started.index, way.applied and way.applied.index) == (1, 2)


def test_an_approval_is_used_up_by_what_it_started() -> None:
    """The policy went, another version came and went, and nobody approved this one again."""
    entries = [*facts().entries, rollout(8, version="4", digest="sha256:4"), rollout(9, version="3", digest=DIGEST)]
    way = path_of(entries, "3")
    assert (way.started, way.requested, way.applied and way.applied.index) == (None, None, 9)


def test_what_ran_before_a_policy_governed_it() -> None:
    way = path_of([rollout(2, version="3"), stored(4, "TakenOver", version="3", revision="v1:4")], "3")
    assert way.started is not None
    assert way.started.entry.transition == "TakenOver"


def test_a_version_registered_again_with_other_bytes() -> None:
    """Whose lineage is not that of the answer."""
    whole, old = facts(), "sha256:" + "0" * 64
    whole.versions[0]["metadata"]["uid"] = "new"
    first = [
        stored(0, "Approved", "approved by bob", version="3", digest=old, revision="v1:0"),
        rollout(1, version="3", digest=old, versionUID="old"),
    ]
    second = [
        stored(2, "Approved", "approved by carol", version="3", digest=DIGEST, revision="v1:2"),
        rollout(3, version="3", digest=DIGEST, versionUID="new"),
    ]
    served = traced(ID, replace(whole, entries=[*first, *second]), "3", old)
    assert (served["artifact"]["digest"], served["lineage"], served["started"]["message"]) == (old, None, "approved by bob")
    waiting = traced(ID, replace(whole, entries=first), "3", None)
    assert (waiting["artifact"]["digest"], waiting["lineage"]) == (old, None), "registered, and never applied"
    newest = traced(ID, replace(whole, entries=[*first, *second]), "3", DIGEST)
    assert (newest["lineage"]["metrics"], newest["started"]["message"]) == ({"auc": "0.91"}, "approved by carol")


def test_no_terminal_acts_on_it(capsys: pytest.CaptureFixture[str]) -> None:
    _show(traced(ID, facts(), "3", None))
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert "Approved     approved by bob" in shown
    assert "alice" in shown
