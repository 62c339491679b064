"""Where a write is cut off, and the record of all writes that came by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from tests.faults.proxy.call import Call


class Cut(Enum):
    """Where a write is cut off, and whether the operator dies there."""

    BEFORE = "killed before it"
    AFTER = "killed after its answer"
    ANSWER_LOST = "killed after its commit, the answer lost"
    LIVES_ON = "its answer lost, not killed"

    @property
    def commits(self) -> bool:
        return self is not Cut.BEFORE

    @property
    def answers(self) -> bool:
        return self is Cut.AFTER

    @property
    def kills(self) -> bool:
        return self is not Cut.LIVES_ON


@dataclass(frozen=True, order=True)
class WritePoint:
    """The n-th write of one kind to one object, named so that runs in other namespaces have the same."""

    verb: str
    resource: str
    name: str
    number: int

    def __str__(self) -> str:
        return f"{self.verb} {self.resource}/{self.name} #{self.number}"


@dataclass
class Crash:
    """Cuts off the write at `point` once; records every write, in order."""

    point: WritePoint | None = None
    cut: Cut = Cut.BEFORE
    kill: Callable[[], None] = lambda: None
    seen: list[WritePoint] = field(default_factory=list)
    struck: bool = False
    _counts: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    def strikes(self, call: Call) -> bool:
        """Whether this is the write to cut off; to be asked once for each call. Leases are no writes here."""
        if not call.write or not call.namespace or call.resource == "leases":
            return False
        key = (call.method, call.resource, "" if call.resource == "events" else call.name)
        point = WritePoint(*key, self._counts[key])
        self._counts[key] += 1
        self.seen.append(point)
        if point != self.point or self.struck:
            return False
        self.struck = True
        return True
