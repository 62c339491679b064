"""What holds of every verdict, whatever the policies and words."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slipway.api.parse import parse
from slipway.api.v1alpha1 import ApprovalPolicy
from slipway.plan.gate.judge import MOST_CHARACTERS, judge
from slipway.plan.gate.requirements import unfilled
from slipway.plan.gate.types import Asked, Elsewhere, Facts, Verdict, Word
from tests.unit.operator.gate.world import policy

NOW = datetime(2026, 11, 25, 8, tzinfo=UTC)
REVISION, OTHER, DIGEST = f"v1:{'a' * 64}", f"v1:{'b' * 64}", f"sha256:{'a' * 64}"
PEOPLE, ROLES = ("alice", "bob", "carol", "dave", "eve"), ("legal", "platform", "risk")
ROBOT = "system:serviceaccount:flux-system:kustomize-controller"
OPENS = ("Approved", "Overridden")

people, roles = st.sampled_from(PEOPLE), st.sampled_from(ROLES)
hours = st.integers(0, 100).map(lambda ago: NOW - timedelta(hours=ago))


@st.composite
def words(draw: st.DrawFn, decisions: tuple[str, ...] = ("Approve", "Approve", "Approve", "Reject", "Override")) -> tuple[Word, ...]:
    drawn = draw(
        st.lists(
            st.tuples(
                people, roles, st.sampled_from(decisions), hours, st.sampled_from((REVISION, REVISION, OTHER)), st.text(max_size=1024)
            ),
            max_size=8,
        )
    )
    return tuple(
        Word(f"w{n}", f"uid-{n}", revision, None if said == "Override" else role, said, who, (), reason, at)
        for n, (who, role, said, at, revision, reason) in enumerate(drawn)
    )


@st.composite
def policies(draw: st.DrawFn) -> tuple[ApprovalPolicy, ...]:
    return tuple(_policy(draw, number) for number in range(draw(st.integers(1, 3))))


def _policy(draw: st.DrawFn, number: int) -> ApprovalPolicy:
    each = draw(st.lists(roles, unique=True, max_size=3))
    require = {"approvals": draw(st.integers(len(each), 4)), "fromEachRole": each, "verified": draw(st.booleans())}
    spec = {
        "require": require,
        "fourEyes": draw(st.booleans()),
        "expiresAfterHours": draw(st.sampled_from((1, 72))),
        "trustedAuthors": draw(st.sampled_from(([], [ROBOT]))),
    }
    return parse(ApprovalPolicy, policy(f"p{number}", **spec))


@st.composite
def cases(draw: st.DrawFn) -> tuple[Asked, Facts]:
    asked = Asked(
        revision=REVISION,
        digest=DIGEST,
        since=NOW,
        requesters=tuple(sorted(draw(st.sets(st.sampled_from((*PEOPLE, ROBOT)), max_size=3)))),
        unknown=draw(st.booleans()),
        importance=frozenset({None}),
        authors=tuple(sorted(draw(st.sets(st.sampled_from((*PEOPLE, "")), max_size=2)))),
    )
    said = draw(words())
    facts = Facts(
        stage="production",
        policies=draw(policies()),
        words=said,
        elsewhere=draw(st.sampled_from(((), (Elsewhere("staging", DIGEST, NOW - timedelta(days=1)),)))),
        valid_from=draw(st.sampled_from((None, NOW - timedelta(hours=50)))),
        may=draw(st.dictionaries(st.sampled_from([word.uid for word in said]), st.booleans())) if said else {},
    )
    return asked, facts


def living(facts: Facts, decision: str = "Approve") -> list[Word]:
    """By a reading of its own: words on this revision, given while the policies held, whose authors have the right, as far as is known."""
    return [
        word
        for word in facts.words
        if word.decision == decision
        and word.revision == REVISION
        and not (facts.valid_from and word.created < facts.valid_from)
        and facts.may.get(word.uid) is not False
    ]


@settings(max_examples=200, deadline=None)
@given(cases())
def test_never_approved_with_fewer_people_than_required(case: tuple[Asked, Facts]) -> None:
    asked, facts = case
    if judge(asked, facts, NOW).state != "Approved":
        return
    for demanded in facts.policies:
        spec = demanded.spec
        fresh = [word for word in living(facts) if word.created + timedelta(hours=spec.expires_after_hours) > NOW]
        if spec.four_eyes:
            fresh = [word for word in fresh if word.approver not in asked.requesters]
            if ROBOT in asked.requesters and ROBOT in spec.trusted_authors:
                fresh = [word for word in fresh if word.approver not in asked.authors]
        speakers = {word.approver for word in fresh}
        assert len(speakers) >= spec.require.approvals
        nameless = ROBOT in asked.requesters and (ROBOT not in spec.trusted_authors or not any(asked.authors) or "" in asked.authors)
        assert not (spec.four_eyes and (asked.unknown or nameless)) or len(speakers) >= 2
        assert filled(spec.require.from_each_role, fresh)
        assert facts.elsewhere or not spec.require.verified
    assert not living(facts, "Reject")
    assert not living(facts, "Override")


def filled(wanted: list[str], said: list[Word]) -> bool:
    """Whether different people can speak for the roles, by trying all ways."""
    speaks = {(word.approver, word.role) for word in said}
    return any(all(pair in speaks for pair in zip(chosen, wanted, strict=True)) for chosen in permutations(PEOPLE, len(wanted)))


@settings(max_examples=150, deadline=None)
@given(cases())
def test_a_void_word_changes_nothing(case: tuple[Asked, Facts]) -> None:
    asked, facts = case
    verdict = judge(asked, facts, NOW)
    without = judge(asked, replace(facts, words=tuple(word for word in facts.words if word.uid not in verdict.void)), NOW)
    assert replace(without, void={}) == replace(verdict, void={})
    assert without.void == {}


@settings(max_examples=150, deadline=None)
@given(cases(), st.data())
def test_the_order_makes_no_difference(case: tuple[Asked, Facts], data: st.DataObject) -> None:
    asked, facts = case
    mixed = replace(facts, words=tuple(data.draw(st.permutations(facts.words))), policies=tuple(data.draw(st.permutations(facts.policies))))
    assert judge(asked, mixed, NOW) == judge(asked, facts, NOW)


@settings(max_examples=150, deadline=None)
@given(cases(), people, roles, hours)
def test_another_approval_never_hurts_and_another_policy_never_helps(case: tuple[Asked, Facts], who: str, role: str, at: datetime) -> None:
    asked, facts = case
    before = judge(asked, facts, NOW)
    more = Word("more", "uid-more", REVISION, role, "Approve", who, (), "", at)
    after = judge(asked, replace(facts, words=(*facts.words, more), may={**facts.may, more.uid: True}), NOW)
    assert opens(after) >= opens(before)
    stricter = judge(asked, replace(facts, policies=facts.policies[:1]), NOW)
    assert before.state == "Overridden" or opens(stricter) >= opens(before)


def opens(verdict: Verdict) -> int:
    """2: it is open; 1: once the authors' rights are known."""
    return 2 if verdict.state in OPENS else verdict.state == "Unasked"


@settings(max_examples=150, deadline=None)
@given(cases())
def test_every_word_is_granted_or_void_or_waits_and_what_opens_was_asked_about(case: tuple[Asked, Facts]) -> None:
    asked, facts = case
    verdict = judge(asked, facts, NOW)
    assert not {word.uid for word in verdict.granted} & verdict.void.keys()
    if verdict.state in OPENS:
        assert all(facts.may.get(word.uid) for word in verdict.granted)
        assert verdict.ask == ()
    if verdict.state == "Unasked":
        assert verdict.ask
        assert not any(word.uid in facts.may for word in verdict.ask)


@settings(max_examples=100, deadline=None)
@given(cases(), st.lists(st.text(min_size=1, max_size=1024), max_size=128, unique=True))
def test_messages_fit_a_condition(case: tuple[Asked, Facts], names: list[str]) -> None:
    asked, facts = case
    verdict = judge(replace(asked, requesters=tuple(sorted({*asked.requesters, *names}))), facts, NOW)
    assert 0 < len(verdict.message) <= MOST_CHARACTERS
    assert all(0 < len(why) <= MOST_CHARACTERS for why in verdict.void.values())


@settings(max_examples=200, deadline=None)
@given(cases(), st.integers(1, 200))
def test_until_it_says_to_look_again_time_changes_nothing(case: tuple[Asked, Facts], hours: int) -> None:
    asked, facts = case
    verdict, later = judge(asked, facts, NOW), NOW + timedelta(hours=hours)
    if verdict.look_again is None or verdict.look_again > later:
        assert judge(asked, facts, later).state == verdict.state


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(roles, st.sets(people)))
def test_one_person_speaks_for_one_role(speakers: dict[str, set[str]]) -> None:
    """As many roles as can have somebody of their own do, by trying all ways."""
    best = max(
        sum(person in speakers[role] for role, person in zip(sorted(speakers), chosen, strict=True))
        for chosen in permutations((*PEOPLE, "", " ", "  "), len(speakers))
    )
    assert len(speakers) - len(unfilled(speakers)) == best


@pytest.mark.parametrize(("by", "state"), [(("bob", "bob"), "Waiting"), (("bob", "dave"), "Approved")])
def test_two_roles_need_two_people(by: tuple[str, str], state: str) -> None:
    demanded = parse(ApprovalPolicy, policy(require={"approvals": 2, "fromEachRole": ["risk", "platform"]}))
    said = tuple(Word(role, role, REVISION, role, "Approve", who, (), "", NOW) for who, role in zip(by, ("risk", "platform"), strict=True))
    asked = Asked(REVISION, DIGEST, NOW, ("alice",), False, frozenset({None}))
    verdict = judge(asked, Facts("production", (demanded,), said, may={"risk": True, "platform": True}), NOW)
    assert verdict.state == state
