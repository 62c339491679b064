"""From an answer to its approval."""

from __future__ import annotations

from dataclasses import replace

import pytest

from slipway.cli.errors import CliError
from slipway.cli.records.facts import path_of
from slipway.cli.records.trace import _show, traced
from tests.unit.cli.records.samples import facts, stored

ID = "0b7a"
DIGEST = "sha256:" + "3" * 64


def test_all_that_is_known() -> None:
    found = traced(ID, facts(), "3", DIGEST)
    assert found["artifact"] == {"uri": "s3://models/3/", "digest": DIGEST}
    assert found["started"]["approvers"] == ["bob"]
    assert found["requested"]["index"] == 0
    assert found["proof"] == {"entry": "d/1/Approved", "index": 1, "command": "kubectl slipway audit prove 'd/1/Approved' -o proof.json"}
    assert found["prediction"]["row"] is None


def test_other_bytes_are_not_its_own() -> None:
    with pytest.raises(CliError, match="another deployment or version answered"):
        traced(ID, facts(), "3", "sha256:" + "0" * 64)


def test_a_version_that_is_gone_is_known_from_the_ledger() -> None:
    found = traced(ID, replace(facts(), versions=[]), "3", DIGEST)
    assert (found["artifact"]["digest"], found["lineage"]) == (DIGEST, None)


def test_where_nothing_governs(capsys: pytest.CaptureFixture[str]) -> None:
    applied = stored(2, "Applied", "rolling out", version="3", digest=DIGEST)
    found = traced(ID, replace(facts(), entries=[applied]), "3", None)
    _show(found)
    assert found["proof"]["index"] == 2
    assert "nobody had to: no ApprovalPolicy governed it" in capsys.readouterr().out


def test_of_several_times_the_last() -> None:
    again = [stored(number, what, version="3", revision=f"v1:{number}") for number, what in ((5, "Approved"), (6, "Applied"))]
    way = path_of([*facts().entries, *again], "3")
    assert (way.started and way.started.index, way.applied and way.applied.index) == (5, 6)


def test_no_terminal_acts_on_it(capsys: pytest.CaptureFixture[str]) -> None:
    _show(traced(ID, facts(), "3", None))
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert "Approved     approved by bob" in shown
    assert "alice" in shown
