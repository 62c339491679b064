"""Children that others change back: repairs are counted, and come ever more rarely. Pure arithmetic, the time is passed in.

A child's repairs leak away: one in two minutes, so five in ten minutes are free. Each further one must wait longer, and only what
comes after that wait leaks: whoever never rests is met with one repair in ten minutes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from slipway.plan.types import Child
from slipway.reconcile.queue import ObjectKey

FREE_REPAIRS = 5
FORGIVE_SECONDS = 120.0
"""In how much time of calm one repair is forgotten."""
WAIT_BASE, WAIT_MAX = 10.0, 600.0
_MOST = FREE_REPAIRS + 6
"""Repairs counted at most, which is when the wait has reached its longest."""
_KNOWN = FREE_REPAIRS + 2
"""As what a contest counts that was found without counting repairs: it is looked at again in 40 s."""


@dataclass
class _Record:
    repairs: float = 0.0
    at: float = 0.0
    writer: str | None = None

    @property
    def wait(self) -> float:
        """Seconds from the last repair to the next. One that is forgotten in part counts: five in a second are five."""
        beyond = math.ceil(self.repairs) - FREE_REPAIRS
        return min(WAIT_MAX, WAIT_BASE * 2.0**beyond) if beyond >= 0 else 0.0

    def left(self, now: float) -> float:
        """Repairs that are not forgotten yet."""
        calm = max(0.0, now - self.at - self.wait)
        return max(0.0, self.repairs - calm / FORGIVE_SECONDS)


class Contests:
    """Who repairs what how often, of all owners. Times are seconds of one clock that never goes back."""

    def __init__(self) -> None:
        self._records: dict[ObjectKey, dict[Child, _Record]] = {}

    def attempt(self, owner: ObjectKey, child: Child, now: float) -> None:
        """A repair was tried: done, or refused because somebody had been faster."""
        record = self._record(owner, child)
        left = record.left(now)
        if math.ceil(left) < FREE_REPAIRS:
            record.writer = None  # of a contest that is over
        record.repairs, record.at = min(_MOST, left + 1), now

    def found(self, owner: ObjectKey, child: Child, writer: str, now: float) -> None:
        """Somebody is known to contest it, whatever was counted."""
        record = self._record(owner, child)
        record.repairs, record.at, record.writer = _KNOWN, now, writer

    def name(self, owner: ObjectKey, child: Child, writer: str) -> None:
        """Who wrote the child last; empty when nothing tells."""
        self._record(owner, child).writer = writer

    def held(self, owner: ObjectKey, now: float) -> dict[Child, str | None]:
        """Children whose repair must wait, with their writer: None until `name` told."""
        records = self._records.get(owner, {})
        return {child: record.writer for child, record in records.items() if now < record.at + record.wait}

    def next_look(self, owner: ObjectKey, now: float) -> float | None:
        """Seconds until the first of those waits is over."""
        ends = [record.at + record.wait for record in self._records.get(owner, {}).values()]
        return min((end - now for end in ends if end > now), default=None)

    def tidy(self, owner: ObjectKey, now: float) -> None:
        """Forgets what has leaked away."""
        records = self._records.get(owner, {})
        for child in [child for child, record in records.items() if not record.left(now)]:
            del records[child]
        if not records:
            self.forget(owner)

    def forget(self, owner: ObjectKey) -> None:
        """The owner is gone."""
        self._records.pop(owner, None)

    def __len__(self) -> int:
        return len(self._records)

    def _record(self, owner: ObjectKey, child: Child) -> _Record:
        return self._records.setdefault(owner, {}).setdefault(child, _Record())
