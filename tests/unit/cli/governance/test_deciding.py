"""`approve`, `reject`, `override`: what is sent, what is refused before, and what is told of the answer."""

from __future__ import annotations

from typing import Any

import pytest

from slipway.cli.cluster import ApiError, Json
from slipway.cli.errors import CliError
from slipway.cli.governance import asked, giving
from slipway.cli.governance.options import Word
from tests.unit.cli.governance.samples import EVIL, Fake, cluster, deployment, holding, version, waiting

REVISION = "v1:" + "a" * 64


def word(decision: str = "Approve", role: str | None = "risk", reason: str = "") -> Word:
    return Word("churn", decision, role, reason, None, yes=False)


def looked(**approval: Any) -> asked.Asked:
    return asked.read(cluster(holding(waiting(deployment("4"), REVISION, **approval), version("4"))), "churn")


def test_the_apiserver_fills_in_who_says_it() -> None:
    fake = Fake({})
    giving.give(cluster(fake), REVISION, word(reason="validated"))
    assert fake.created == [
        {
            "apiVersion": "slipway.dev/v1alpha1",
            "kind": "ModelApproval",
            "metadata": {"generateName": "churn-", "namespace": "growth"},
            "spec": {"deployment": "churn", "revision": REVISION, "decision": "Approve", "as": "risk", "reason": "validated"},
        }
    ]


@pytest.mark.parametrize("unfilled", giving.UNFILLED)
def test_where_it_does_not_the_plugin_does(unfilled: str) -> None:
    fake = Fake({}, refusals=[ApiError(403, f"denied request: {unfilled}, bob")])
    giving.give(cluster(fake), REVISION, word("Override", None, "down"))
    assert fake.created[1]["spec"] == {
        "deployment": "churn",
        "revision": REVISION,
        "decision": "Override",
        "reason": "down",
        "approver": "bob",
        "groups": ["risk", "system:authenticated"],
    }


def test_the_apiservers_refusal_is_told_as_it_is() -> None:
    refusal = ApiError(403, "denied request: slipway: bob may not speak as risk in growth")
    with pytest.raises(ApiError, match="bob may not speak as risk"):
        giving.give(cluster(Fake({}, refusals=[refusal])), REVISION, word())


def test_a_word_on_what_was_changed_since() -> None:
    giving.expect_open(looked(), "Approve", REVISION)
    with pytest.raises(CliError, match=r"you looked at v1:b+: it was changed since, or approved. Look again: kubectl slipway diff churn"):
        giving.expect_open(looked(), "Approve", "v1:" + "b" * 64)


def test_a_word_that_changes_nothing() -> None:
    with pytest.raises(CliError, match="is approved already"):
        giving.expect_open(looked(state="Approved"), "Override", None)
    with pytest.raises(CliError, match="it was rejected by bob: no further word"):
        giving.expect_open(looked(state="Rejected", message="rejected by bob"), "Approve", None)
    giving.expect_open(looked(state="Rejected", message="rejected by bob"), "Override", None)


def answered(reason: str = "", message: str = "") -> Json:
    conditions = [{"type": "Ready", "status": "True", "reason": reason, "message": message}] if reason else []
    return {"metadata": {"name": "churn-x7k2p", "namespace": "growth"}, "status": {"conditions": conditions}}


def test_the_answer(capsys: pytest.CaptureFixture[str]) -> None:
    giving.tell(answered("Counted", f"counts; {EVIL}"))
    out = capsys.readouterr().out
    assert out.startswith("ModelApproval churn-x7k2p (Counted): counts; ")
    assert not {"\x1b", "\x07", "\u202e"} & set(out)
    with pytest.raises(CliError, match="churn-x7k2p counts for nothing: it is your own"):
        giving.tell(answered("Void", "it is your own"))
    giving.tell(answered())
    assert "the operator has not answered yet" in capsys.readouterr().err
    giving.tell(answered("Consumed", "started"), quiet=True)
    assert capsys.readouterr().out == ""


class Answering(Fake):
    """The operator answers, a little at a time."""

    answers: list[Json | None]

    def get(self, url: str) -> Json | None:
        assert url.endswith("/modelapprovals/churn-x7k2p")
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([answered(), answered("Counted", "counts; needs 2")], "Counted"),
        ([answered("Counted", "counts; nothing is missing"), answered("Consumed")], "Consumed"),
        ([answered("Counted", "counts; nothing is missing")], "Counted"),
        ([answered("Void", "no")], "Void"),
        ([None], None),
        ([answered()], None),
    ],
)
def test_waiting_for_the_last_word(answers: list[Json | None], expected: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(giving, "PATIENCE", 0.6)
    fake = Answering({})
    fake.answers = answers
    made = answered()
    found = giving.await_answer(cluster(fake), made) or made
    assert [condition["reason"] for condition in found["status"]["conditions"]] == ([expected] if expected else [])
