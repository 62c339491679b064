"""What one policy asks for, and what of it is missing."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from slipway.api.v1alpha1 import ApprovalPolicy
from slipway.plan.gate.types import Asked, Facts, Word
from slipway.plan.requested import SERVICE_ACCOUNT

_OWN = "who asked for a change cannot approve it"


@dataclass(frozen=True)
class Holding:
    """How one policy stands."""

    words: tuple[Word, ...]
    """That count for it."""
    refused: Mapping[str, str]
    """By a word's uid: why it does not."""
    needed: int
    """Different people."""
    missing: tuple[str, ...]
    """Each in words; empty when it holds."""
    ends: tuple[datetime, ...]
    """When its words end."""
    times: tuple[datetime, ...]
    """When time alone changes it."""


def hold(policy: ApprovalPolicy, asked: Asked, facts: Facts, approvals: list[Word], now: datetime) -> Holding:
    """`approvals`: words that approve this revision, and whose authors had the right to."""
    require, life = policy.spec.require, timedelta(hours=policy.spec.expires_after_hours)
    requesters, unknown = requested(policy, asked)
    refused = {
        word.uid: f"it ended after {policy.spec.expires_after_hours} h: give it once more"
        for word in approvals
        if word.created + life <= now
    }
    if policy.spec.four_eyes:
        refused |= {word.uid: _OWN for word in approvals if word.approver in requesters}
    words = tuple(word for word in approvals if word.uid not in refused)
    needed = max(require.approvals, 2 if policy.spec.four_eyes and unknown else 0)
    ends = tuple(word.created + life for word in words)
    soaked = _soaked_at(policy, asked, facts)
    missing = (*_people(policy, words, needed), *_evidence(policy, asked, facts, soaked, now))
    return Holding(words, refused, needed, missing, ends, (*ends, *([soaked] if soaked else [])))


def requested(policy: ApprovalPolicy, asked: Asked) -> tuple[frozenset[str], bool]:
    """Who asked, as the policy believes it, and whether somebody unknown did: behind a service account is a person, whom only an author
    annotation names, and only where the policy trusts the account.
    """
    robots = {name for name in asked.requesters if name.startswith(SERVICE_ACCOUNT)}
    trusted = robots & set(policy.spec.trusted_authors)
    named = set(filter(None, asked.authors)) if set(asked.requesters) & set(policy.spec.trusted_authors) else set()
    nameless = robots - trusted if named and "" not in asked.authors else robots
    return frozenset({*asked.requesters, *named}), asked.unknown or bool(nameless)


def _people(policy: ApprovalPolicy, words: tuple[Word, ...], needed: int) -> Iterator[str]:
    """One person speaks for one role."""
    people = {word.approver for word in words}
    if len(people) < needed:
        has = ", ".join(sorted({f"{word.approver} as {word.role}" for word in words}))
        yield f"{needed} approval{'s' if needed > 1 else ''} (has {len(people)}{': ' + has if has else ''})"
    roles = {role: {word.approver for word in words if word.role == role} for role in policy.spec.require.from_each_role}
    for role in unfilled(roles):
        yield f"one as {role}"


def unfilled(roles: Mapping[str, Collection[str]]) -> list[str]:
    """The roles for which nobody is left, when as many as possible have a person of their own."""
    speaker: dict[str, str] = {}

    def fill(role: str, tried: set[str]) -> bool:
        for person in sorted(roles[role]):
            if person not in tried:
                tried.add(person)
                if person not in speaker or fill(speaker[person], tried):
                    speaker[person] = role
                    return True
        return False

    return [role for role in sorted(roles) if not fill(role, set())]


def _evidence(policy: ApprovalPolicy, asked: Asked, facts: Facts, soaked: datetime | None, now: datetime) -> Iterator[str]:
    """What the bytes must have behind them. A signature is checked by the container that fetches them."""
    require = policy.spec.require
    if not asked.digest and (require.verified or require.soak or require.signed_by):
        yield "bytes with a digest (a container's image alone has none: give the version an artifact, or match it with another policy)"
        return
    if require.verified and not any(other.digest == asked.digest for other in facts.elsewhere):
        yield "a deployment elsewhere that serves the same bytes"
    if require.soak and (soaked is None or soaked > now):
        at = f" (at {soaked:%Y-%m-%dT%H:%M:%SZ}, if nothing breaks)" if soaked else ""
        yield f"the same bytes to have served in stage {require.soak.stage} for {require.soak.hours} h{at}"


def _soaked_at(policy: ApprovalPolicy, asked: Asked, facts: Facts) -> datetime | None:
    soak = policy.spec.require.soak
    if soak is None:
        return None
    served = [other.since for other in facts.elsewhere if (other.stage, other.digest) == (soak.stage, asked.digest)]
    return min(served) + timedelta(hours=soak.hours) if served else None
