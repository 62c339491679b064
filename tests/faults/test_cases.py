"""Which cases of a matrix the environment asks for."""

from __future__ import annotations

import pytest

from tests.faults.cases import chosen, every_way
from tests.faults.proxy import Cut, WritePoint

CASES = every_way([WritePoint("PUT", "models", "churn/status", 1), WritePoint("PATCH", "services", "churn", 0)])


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("", CASES),
        ("2-4", CASES[2:5]),
        ("7-90", CASES[7:]),
        ("services/churn #0", CASES[:4]),
        ("churn #0, killed before it", CASES[:1]),
        ("nothing", []),
    ],
)
def test_some_are_chosen(monkeypatch: pytest.MonkeyPatch, asked: str, expected: object) -> None:
    monkeypatch.setenv("CASES", asked)
    assert chosen(CASES) == expected


def test_each_write_is_cut_off_each_way_once() -> None:
    points = [case.point for case in CASES]
    assert every_way([*points, *points]) == CASES
    assert [case.cut for case in CASES[:4]] == list(Cut)
