"""Who is told what, and when again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from slipway.api.v1alpha1.model_monitor import CheckStatus, Notify, Verdict
from slipway.monitor.notify.due import LONGEST, Due, due, known, remembered
from tests.unit.monitor.results import check, result

NOW = datetime(2026, 11, 29, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
ANY = Notify(do="Notify")


def wanted(*checks: CheckStatus, actions: list[Notify] | None = None, told: str = "", at: datetime = NOW, least: float = 0) -> list[Due]:
    return due(actions or [ANY], ["chat"], result(*checks), told, at, least)


def after(verdict: Verdict, action: Notify = ANY) -> str:
    """What is remembered of a message at `NOW`."""
    return remembered("", due([action], ["chat"], result(check(verdict)), "", NOW), NOW)


@pytest.mark.parametrize("verdict", ["Healthy", "NoData"])
def test_nothing_to_tell(verdict: Verdict) -> None:
    assert wanted(check(verdict)) == []


@pytest.mark.parametrize("verdict", ["Warning", "Error", "Critical"])
def test_the_first_time(verdict: Verdict) -> None:
    (one,) = wanted(check("Healthy"), check(verdict, column="plan"))
    assert (one.notifier, one.verdict, [told.column for told in one.checks]) == ("chat", verdict, ["plan"])


def test_the_same_again_after_the_cooldown() -> None:
    told = after("Warning")
    assert wanted(check("Warning"), told=told, at=NOW + 23 * HOUR) == []
    assert len(wanted(check("Warning"), told=told, at=NOW + 24 * HOUR)) == 1


def test_a_worse_one_at_once_and_a_better_one_not() -> None:
    assert len(wanted(check("Critical"), told=after("Warning"), at=NOW + HOUR)) == 1
    assert wanted(check("Warning"), told=after("Critical"), at=NOW + HOUR) == []


def test_one_that_comes_and_goes_is_told_once() -> None:
    told = after("Warning")
    assert remembered(told, wanted(check("Healthy"), told=told, at=NOW + HOUR), NOW + HOUR) == told
    assert wanted(check("Warning"), told=told, at=NOW + 2 * HOUR) == []


def test_never_too_often() -> None:
    told = after("Warning")
    assert wanted(check("Critical"), told=told, at=NOW + timedelta(seconds=299), least=300) == []
    assert len(wanted(check("Critical"), told=told, at=NOW + timedelta(seconds=300), least=300)) == 1


def test_actions_ask_for_their_own() -> None:
    actions = [Notify(do="Notify", when=["Performance"], at_least="Critical"), Notify(do="Notify", when=["Drift"], cooldown_hours=1)]
    checks = [check("Warning"), check("Warning", "Performance", measure="auc", column=""), check("Critical", "Staleness")]
    (one,) = wanted(*checks, actions=actions)
    assert [told.check for told in one.checks] == ["Drift"]
    told = remembered("", [one], NOW)
    (one,) = wanted(check("Warning"), check("Critical", "Performance"), actions=actions, told=told, at=NOW + HOUR / 2)
    assert [told.check for told in one.checks] == ["Performance"]


def test_notifiers_are_remembered_apart() -> None:
    both = due([ANY], ["chat", "mail", "chat"], result(check("Warning")), "", NOW)
    assert [one.notifier for one in both] == ["chat", "mail"]
    told = remembered("", both[:1], NOW)
    assert [one.notifier for one in due([ANY], ["chat", "mail"], result(check("Warning")), told, NOW + HOUR)] == ["mail"]


def test_what_is_remembered_is_readable_and_bounded() -> None:
    assert after("Critical").startswith("Critical 2026-11-29T10:00:00Z ")
    many = due([ANY], [f"chat-{n}" for n in range(40)], result(check("Warning")), "", NOW)
    assert len(remembered("", many, NOW)) <= LONGEST


@pytest.mark.parametrize("text", ["", "Critical", "Critical 2026-11-29T10:00:00Z", "a b c d é²³ a1b2c3X9 a1b2c3Wx"])
def test_what_others_wrote_there_is_no_harm(text: str) -> None:
    assert known(text) == {}
