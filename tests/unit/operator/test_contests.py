"""How often a contested child is repaired, with pretended time."""

from __future__ import annotations

from itertools import pairwise

from slipway.reconcile.contests import FREE_REPAIRS, WAIT_BASE, WAIT_MAX, Contests
from slipway.reconcile.queue import ObjectKey

OWNER, OTHER = ObjectKey("ModelDeployment", "n", "churn"), ObjectKey("ModelDeployment", "n", "other")
SERVICE, BUDGET = ("Service", "churn"), ("PodDisruptionBudget", "churn")


def fight(contests: Contests, seconds: float, begin: float = 0.0) -> list[float]:
    """When a child is repaired whose enemy never rests: as soon as it may be, looked at ten times a second."""
    repairs = []
    for tick in range(int(seconds * 10)):
        now = begin + tick / 10
        if SERVICE not in contests.held(OWNER, now):
            contests.attempt(OWNER, SERVICE, now)
            repairs.append(now)
    return repairs


def test_the_first_repairs_are_immediate_then_the_wait_doubles_to_a_limit() -> None:
    repairs = fight(Contests(), 3600)
    waits = [round(after - before, 1) for before, after in pairwise(repairs)]
    assert waits[: FREE_REPAIRS - 1] == [0.1] * (FREE_REPAIRS - 1)
    assert waits[FREE_REPAIRS - 1 : FREE_REPAIRS + 5] == [WAIT_BASE * 2**number for number in range(6)]
    assert set(waits[FREE_REPAIRS + 6 :]) == {WAIT_MAX}
    assert len(repairs) < 20, "in an hour"


def test_now_and_then_an_edit_is_no_contest() -> None:
    contests = Contests()
    for number in range(100):
        contests.attempt(OWNER, SERVICE, number * 121.0)
        assert contests.held(OWNER, number * 121.0) == {}


def test_after_a_rest_repairs_are_free_again() -> None:
    contests = Contests()
    fight(contests, 60)
    assert SERVICE in contests.held(OWNER, 60)
    calm = 60 + 2 * 3600.0
    assert contests.held(OWNER, calm) == {}
    assert len(fight(contests, 1, begin=calm)) == FREE_REPAIRS


def test_an_enemy_that_rests_as_long_as_the_wait_gets_no_free_repairs() -> None:
    contests = Contests()
    fight(contests, 1)
    now, repairs = 1.0, 0
    while now < 3600:
        now += (contests.next_look(OWNER, now) or 0) + 1  # a second after the repair may come
        contests.attempt(OWNER, SERVICE, now)
        repairs += 1
    assert repairs < 20


def test_the_writer_is_remembered_until_the_contest_is_over() -> None:
    contests = Contests()
    fight(contests, 1)
    assert contests.held(OWNER, 1) == {SERVICE: None}
    contests.name(OWNER, SERVICE, "flipper")
    contests.attempt(OWNER, SERVICE, 20)
    assert contests.held(OWNER, 20) == {SERVICE: "flipper"}
    later = 20 + 2 * 3600.0
    for _ in range(FREE_REPAIRS):
        contests.attempt(OWNER, SERVICE, later)
    assert contests.held(OWNER, later) == {SERVICE: None}, "the next one may be somebody else"


def test_children_and_owners_are_apart() -> None:
    contests = Contests()
    fight(contests, 1)
    contests.attempt(OWNER, BUDGET, 1)
    contests.attempt(OTHER, SERVICE, 1)
    assert contests.held(OWNER, 1) == {SERVICE: None}
    assert contests.held(OTHER, 1) == {}


def test_what_was_found_is_held_and_looked_at_again() -> None:
    contests = Contests()
    contests.found(OWNER, SERVICE, "flipper", 0)
    assert contests.held(OWNER, 39) == {SERVICE: "flipper"}
    assert contests.next_look(OWNER, 39) == 1
    assert contests.held(OWNER, 41) == {}
    assert contests.next_look(OWNER, 41) is None


def test_memory_is_given_back() -> None:
    contests = Contests()
    fight(contests, 60)
    contests.tidy(OWNER, 60)
    assert len(contests) == 1
    contests.tidy(OWNER, 2 * 3600)
    assert len(contests) == 0
    contests.attempt(OTHER, SERVICE, 0)
    contests.forget(OTHER)
    assert len(contests) == 0
