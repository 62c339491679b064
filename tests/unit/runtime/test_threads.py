"""Threads for the event loop."""

from __future__ import annotations

import asyncio
import threading

import pytest

from slipway_runtime.serve.threads import Threads


async def test_results_and_exceptions_come_back() -> None:
    begun: list[str] = []
    threads = Threads(2, lambda: begun.append(threading.current_thread().name))
    assert await threads.run(divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        await threads.run(divmod, 7, 0)
    with pytest.raises(SystemExit):
        await threads.run(exit)
    assert await threads.run(threading.current_thread) is not threading.current_thread()
    assert set(begun) <= {"predict-0", "predict-1"}


async def test_calls_run_side_by_side() -> None:
    threads, meeting = Threads(2, lambda: None), threading.Barrier(2, timeout=30)
    assert sorted(await asyncio.gather(threads.run(meeting.wait), threads.run(meeting.wait))) == [0, 1]


async def test_a_caller_that_gave_up_harms_nobody() -> None:
    threads, gate = Threads(1, lambda: None), threading.Event()
    call = asyncio.ensure_future(threads.run(gate.wait))
    await asyncio.sleep(0)
    call.cancel()
    gate.set()
    assert await threads.run(lambda: "next") == "next"


def test_a_call_that_outlives_its_loop_harms_nobody() -> None:
    threads, gate = Threads(1, lambda: None), threading.Event()

    async def give_up() -> None:
        asyncio.ensure_future(threads.run(gate.wait))  # noqa: RUF006
        await asyncio.sleep(0)

    asyncio.run(give_up())
    gate.set()
    assert asyncio.run(threads.run(lambda: "next")) == "next"
