"""Whether a revision has what the policies ask for. Every policy that matches must hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from slipway.api.v1alpha1 import ApprovalPolicy
from slipway.plan.gate.requirements import Holding, hold
from slipway.plan.gate.types import Asked, Facts, Verdict, Word

MOST_CHARACTERS = 1000
"""Of a message: a condition's may have 1024."""
_OTHER = "it is about another revision: look at `kubectl slipway diff`, and approve the one that status.revision names"
_OLD = "it was given before the admission policies held: give it once more"
_LOST = "its author has not the right to it any more"


def matching(policies: Iterable[ApprovalPolicy], stage: str, importance: frozenset[str | None]) -> tuple[ApprovalPolicy, ...]:
    """The policies that have a say, by name. A Model without importance, now or when last approved, is matched by all of its stage."""

    def matches(policy: ApprovalPolicy) -> bool:
        wanted = policy.spec.match.importance
        return stage in policy.spec.match.stages and (not wanted or None in importance or not importance.isdisjoint(wanted))

    return tuple(sorted(filter(matches, policies), key=lambda policy: policy.metadata.name))


def judge(asked: Asked, facts: Facts, now: datetime) -> Verdict:
    """The verdict on what is asked; the order of words and policies makes no difference."""
    policies = matching(facts.policies, facts.stage, asked.importance)
    words = sorted(facts.words, key=lambda word: (word.created, word.uid))
    void = dict(_void(words, asked, facts))
    living = [word for word in words if word.uid not in void]
    holdings = [hold(policy, asked, facts, [word for word in living if word.decision == "Approve"], now) for policy in policies]
    granted = tuple(word for word in living if any(word in holding.words for holding in holdings))
    void |= {word.uid: _why(word, holdings) for word in living if word.decision == "Approve" and word not in granted}
    verdict = Verdict(
        state="Waiting",
        policies=tuple(policy.metadata.name for policy in policies),
        required=max((holding.needed for holding in holdings), default=0),
        granted=granted,
        void=void,
        ask=(),
        message=_message(holdings, asked),
        expires_at=min((end for holding in holdings for end in holding.ends), default=None),
        look_again=min((time for holding in holdings for time in holding.times if time > now), default=None),
    )
    return _decided(verdict, living, holdings, facts.may)


def _void(words: Iterable[Word], asked: Asked, facts: Facts) -> Iterator[tuple[str, str]]:
    for word in words:
        if word.revision != asked.revision:
            yield word.uid, _OTHER
        elif facts.valid_from and word.created < facts.valid_from:
            yield word.uid, _OLD
        elif facts.may.get(word.uid) is False:
            yield word.uid, _LOST


def _why(word: Word, holdings: list[Holding]) -> str:
    return next((holding.refused[word.uid] for holding in holdings if word.uid in holding.refused), "no policy asks for it")


def _decided(verdict: Verdict, living: list[Word], holdings: list[Holding], may: Mapping[str, bool]) -> Verdict:
    """Override before reject before approve. Who opens the gate must still have the right to: whom nobody asked about is asked first."""
    overrides = tuple(word for word in living if word.decision == "Override")
    rejects = tuple(word for word in living if word.decision == "Reject")
    allowed = tuple(word for word in overrides if may.get(word.uid))
    if allowed:
        return _with(verdict, "Overridden", granted=allowed[:1])
    if overrides:
        return _with(verdict, "Unasked", ask=overrides)
    if rejects:
        return _with(verdict, "Rejected", granted=rejects, message=_rejected(rejects[0]))
    if any(holding.missing for holding in holdings):
        return verdict
    ask = tuple(word for word in verdict.granted if word.uid not in may)
    return _with(verdict, "Unasked" if ask else "Approved", ask=ask)


def _with(verdict: Verdict, state: str, **changes: object) -> Verdict:
    return Verdict(**{**vars(verdict), "state": state, **changes})


def _message(holdings: list[Holding], asked: Asked) -> str:
    """What is missing for all policies; the same as long as the same is missing."""
    missing = list(dict.fromkeys(thing for holding in holdings for thing in holding.missing))
    if not missing:
        return "nothing is missing"
    by = ", ".join(asked.requesters) + (" and somebody unknown" if asked.unknown else "")
    return _short(f"needs {'; '.join(missing)}" + (f"; requested by {by.removeprefix(' and ')}" if by else ""))


def _rejected(word: Word) -> str:
    return _short(f"rejected by {word.approver} as {word.role}: {word.reason}; change the deployment to ask anew")


def _short(text: str) -> str:
    return text if len(text) <= MOST_CHARACTERS else text[: MOST_CHARACTERS - 1] + "…"
