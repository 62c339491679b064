"""The work queue."""

from __future__ import annotations

import asyncio

from slipway.reconcile.queue import BACKOFF_MAX, BURST, TURN_SECONDS, ObjectKey, WorkQueue

A, B = ObjectKey("Model", "n", "a"), ObjectKey("Model", "n", "b")


async def test_a_key_waits_once_and_comes_again_when_added_while_worked_on() -> None:
    queue = WorkQueue()
    for key in (A, B, A, A):
        queue.add(key)
    assert len(queue) == 2
    assert await queue.get() == A
    queue.add(A)
    queue.add(A)
    assert await queue.get() == B
    assert len(queue) == 0
    queue.done(A)
    assert len(queue) == 1
    assert await queue.get() == A
    queue.done(A)
    assert len(queue) == 0


async def test_the_sooner_delay_wins_and_fires_once() -> None:
    queue = WorkQueue()
    runner = asyncio.create_task(queue.run_delays())
    queue.add_after(A, 60)
    queue.add_after(A, 0.01)
    assert await asyncio.wait_for(queue.get(), 5) == A
    queue.done(A)
    assert len(queue) == 0
    runner.cancel()


async def test_back_off_doubles_to_a_limit_and_is_forgotten() -> None:
    queue = WorkQueue()
    delays = [queue.retry(A) for _ in range(30)]
    assert delays[1] > delays[0]
    assert BACKOFF_MAX * 0.7 < delays[-1] <= BACKOFF_MAX * 1.25
    queue.forget(A)
    assert queue.retry(A) < 1


async def test_shut_down_lets_every_worker_go() -> None:
    queue = WorkQueue()
    queue.shut_down(2)
    assert await queue.get() is None
    assert await queue.get() is None


async def test_a_rationed_key_is_delayed_not_lost() -> None:
    now = 0.0
    queue = WorkQueue(lambda: now)
    for _ in range(BURST):
        queue.add(A)
        assert await queue.get() == A
        queue.done(A)
    queue.add(A)
    assert len(queue) == 0
    now = TURN_SECONDS
    runner = asyncio.create_task(queue.run_delays())
    assert await asyncio.wait_for(queue.get(), 5) == A
    runner.cancel()
