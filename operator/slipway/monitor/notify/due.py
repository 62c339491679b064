"""Who is to be told what now: pure, from what was told before."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from slipway.api.v1alpha1.model_monitor import CheckStatus, Notify, Verdict
from slipway.monitor.log.span import text
from slipway.monitor.result import Result

RANK: dict[Verdict, int] = {"Critical": 3, "Error": 2, "Warning": 1}
"""What is told, and how bad it is. No data is not told."""
LONGEST = 320
"""Characters of `status.run.notified`."""


@dataclass(frozen=True)
class Told:
    """The last message of an action to a notifier."""

    verdict: Verdict
    at: datetime


@dataclass(frozen=True)
class Due:
    """A message that is to be sent."""

    notifier: str
    keys: tuple[str, ...]
    """Of the actions that ask for it, for `remembered`."""
    verdict: Verdict
    checks: tuple[CheckStatus, ...]


def due(
    actions: Sequence[Notify], names: Sequence[str], result: Result, notified: str, now: datetime, least_seconds: float = 0.0
) -> list[Due]:
    """A message for each notifier of `names` that an action has something to tell, by `status.run.notified`.

    A worse verdict at once, the same or a better one after the action's cooldown. Nothing within `least_seconds` of that notifier's last.
    """
    history = known(notified)
    found = []
    for name in dict.fromkeys(names):
        told = {key_of(name, action): history.get(key_of(name, action)) for action in actions}
        last = max((one.at for one in told.values() if one), default=None)
        if last is not None and now - last < timedelta(seconds=least_seconds):
            continue
        asked = [(action, checks) for action in actions if (checks := _meant(action, result))]
        ripe = [(action, checks) for action, checks in asked if _is_news(action, checks, told[key_of(name, action)], now)]
        if ripe:
            told_of = tuple(check for check in result.checks if any(check in checks for _, checks in ripe))
            found.append(Due(name, tuple(key_of(name, action) for action, _ in ripe), worst(told_of), told_of))
    return found


def worst(checks: Sequence[CheckStatus]) -> Verdict:
    """The worst verdict of checks that are told."""
    return max((check.verdict for check in checks), key=lambda verdict: RANK.get(verdict, 0))


def key_of(notifier: str, action: Notify) -> str:
    """Tells an action's messages to a notifier apart from others, in few characters."""
    said = "\n".join([notifier, action.at_least, *sorted(action.when)])
    return hashlib.sha256(said.encode()).hexdigest()[:6]


def known(notified: str) -> dict[str, Told]:
    """`status.run.notified` by key; what cannot be read counts as never told."""
    letters = {verdict[0]: verdict for verdict in RANK}
    found = {}
    for word in notified.split()[2:]:
        key, letter, seconds = word[:6], word[6:7], word[7:]
        if letter in letters and seconds.isascii() and seconds.isdigit():
            found[key] = Told(letters[letter], datetime.fromtimestamp(int(seconds), UTC))
    return found


def remembered(notified: str, sent: Sequence[Due], now: datetime) -> str:
    """`status.run.notified` after these messages: verdict and time of the last one, then one word for each action and notifier."""
    if not sent:
        return notified
    told = known(notified) | {key: Told(one.verdict, now) for one in sent for key in one.keys}
    words = [max((one.verdict for one in sent), key=RANK.__getitem__), text(now)]
    for key, one in sorted(told.items(), key=lambda item: item[1].at, reverse=True):
        word = f"{key}{one.verdict[0]}{int(one.at.timestamp())}"
        if len(" ".join([*words, word])) <= LONGEST:
            words.append(word)
    return " ".join(words)


def _meant(action: Notify, result: Result) -> list[CheckStatus]:
    """The checks that the action tells of."""
    least = RANK[action.at_least]
    return [
        check for check in result.checks if RANK.get(check.verdict, 0) >= least and ("Any" in action.when or check.check in action.when)
    ]


def _is_news(action: Notify, checks: Sequence[CheckStatus], told: Told | None, now: datetime) -> bool:
    if told is None or RANK[worst(checks)] > RANK[told.verdict]:
        return True
    return now - told.at >= timedelta(hours=action.cooldown_hours)
