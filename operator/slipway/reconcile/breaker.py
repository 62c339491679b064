"""While the ledger does not answer, one caller at a time finds out whether it does again; all others hear at once that it does not.

A call to a store that hangs takes twenty seconds and more. Without this, a handful of objects that wait for the ledger would keep every
worker waiting with them, and nobody's status would tell of anything.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from slipway.ledger.errors import LedgerError


class Breaker:
    """What the last call ended with, and whether the next one may be tried."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failure: LedgerError | None = None
        self._again_at = 0.0
        self._trying = False

    @asynccontextmanager
    async def call(self) -> AsyncIterator[None]:
        """Around a call. Raises the last one's LedgerError for as long as that one took, and while another caller tries again."""
        began = self._clock()
        tries = self._failure is not None
        if self._failure is not None and (self._trying or began < self._again_at):
            raise self._failure.with_traceback(None)  # else each raise would add to the one it keeps
        self._trying = self._trying or tries
        try:
            yield
            self._failure = None
        except LedgerError as error:
            self._failure, self._again_at = error, 2 * self._clock() - began
            raise
        finally:
            self._trying = self._trying and not tries
