"""The cases of a crash matrix: each write, cut off in each way; and which of them are to be tried."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import NamedTuple

from tests.faults.proxy import Cut, WritePoint


class Case(NamedTuple):
    """One write, and how it is cut off."""

    point: WritePoint
    cut: Cut

    def __str__(self) -> str:
        return f"{self.point}, {self.cut.value}"


def every_way(points: Iterable[WritePoint]) -> list[Case]:
    """Each write, each way, in an order that does not depend on the run's timing."""
    return [Case(point, cut) for point in sorted(set(points)) for cut in Cut]


def chosen(cases: list[Case]) -> list[Case]:
    """All; or those that the environment asks for: CASES=34-76 by number from 0, CASES='churn #0, killed' by a part of the name."""
    asked = os.environ.get("CASES", "")
    first, _, last = asked.partition("-")
    if first.isdecimal() and last.isdecimal():
        return cases[int(first) : int(last) + 1]
    return [case for case in cases if asked in str(case)]
