"""The rows that both sides look at. By Python's own generator, whose sequence does not change between versions."""

from __future__ import annotations

import random
from statistics import NormalDist

BASELINE_ROWS, WINDOW_ROWS = 3000, 2000
Column = list[float] | list[str]
NUMBERS = ("same", "shifted", "wider", "skewed", "whole")
TEXTS = ("plan", "plan_shifted", "flag")


def columns(side: str) -> dict[str, Column]:
    """Of the `baseline` or the `window`: numbers that stay, shift, widen, are skewed, or are few whole ones; and texts."""
    rng = random.Random(f"slipway {side}")
    window = side == "window"
    rows = WINDOW_ROWS if window else BASELINE_ROWS

    def normal(mean: float, deviation: float) -> list[float]:
        return [NormalDist(mean, deviation).inv_cdf(rng.uniform(1e-9, 1 - 1e-9)) for _ in range(rows)]

    def chosen(names: str, weights: list[int]) -> list[str]:
        return rng.choices(list(names), weights, k=rows)

    return {
        "same": normal(0, 1),
        "shifted": normal(0.4 * window, 1),
        "wider": normal(100, 1.5 if window else 1),
        "skewed": [rng.expovariate(0.8 if window else 1) for _ in range(rows)],
        "whole": [float(value) for value in chosen("12345", [5, 3, 2, 2, 4] if window else [5, 4, 3, 2, 1])],
        "plan": chosen("abcd", [6, 3, 2, 1]),
        "plan_shifted": chosen("abcd", [3, 3, 2, 2] if window else [6, 3, 2, 1]),
        "flag": chosen("yn", [1, 4] if window else [1, 2]),
    }
