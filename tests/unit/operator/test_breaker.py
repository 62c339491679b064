"""A ledger that hangs keeps one caller waiting, not all of them. Time is pretended."""

from __future__ import annotations

import asyncio

import pytest

from slipway.ledger.errors import LedgerError, LedgerUnavailable
from slipway.reconcile.breaker import Breaker


class Ledger:
    """Takes `seconds` for each call and fails while it is `away`; `calls` counts what reaches it."""

    def __init__(self) -> None:
        self.now = 100.0
        self.seconds = 20.0
        self.away = True
        self.calls = 0
        self.longest = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.breaker = Breaker(lambda: self.now)

    async def call(self) -> str:
        try:
            async with self.breaker.call():
                self.calls += 1
                await self.gate.wait()
                self.now += self.seconds
                if self.away:
                    raise LedgerUnavailable("s3://b", "no answer")
        except LedgerError as error:
            self.longest = max(self.longest, traceback_length(error))
            return str(error)
        return "ok"


def traceback_length(error: BaseException) -> int:
    length, at = 0, error.__traceback__
    while at:
        length, at = length + 1, at.tb_next
    return length


async def test_after_a_failure_others_hear_at_once_for_as_long_as_it_took() -> None:
    ledger = Ledger()
    assert await ledger.call() == "s3://b: no answer"
    for _ in range(50):
        assert await ledger.call() == "s3://b: no answer"
    assert ledger.calls == 1
    assert ledger.longest < 10, "the failure that is kept does not grow with those who hear of it"
    ledger.now += 20
    assert await ledger.call() == "s3://b: no answer"
    assert ledger.calls == 2


async def test_one_caller_at_a_time_tries_again() -> None:
    ledger = Ledger()
    await ledger.call()
    ledger.now += 20
    ledger.gate.clear()
    trying = asyncio.create_task(ledger.call())
    await asyncio.sleep(0)
    assert await ledger.call() == "s3://b: no answer"
    ledger.away = False
    ledger.gate.set()
    assert await trying == "ok"
    assert await ledger.call() == "ok"
    assert ledger.calls == 3


async def test_a_try_that_is_cut_off_bars_nobody() -> None:
    ledger = Ledger()
    await ledger.call()
    ledger.now += 20
    ledger.gate.clear()
    trying = asyncio.create_task(ledger.call())
    await asyncio.sleep(0)
    trying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await trying
    ledger.gate.set()
    ledger.away = False
    assert await ledger.call() == "ok"


async def test_a_failure_at_once_bars_nobody() -> None:
    ledger = Ledger()
    ledger.seconds = 0
    for number in range(3):
        await ledger.call()
        assert ledger.calls == number + 1
