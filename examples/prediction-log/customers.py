"""Customers that nobody has: what is known of each, and whether they left. The same number is the same customer, always."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

PLANS = ("free", "plus", "gold")
COLUMNS = {"age": "INT64", "tenure": "FP64", "spend": "FP64", "plan": "BYTES"}
"""Features, with their datatypes in the Open Inference Protocol."""


@dataclass(frozen=True)
class Customer:
    """`tenure` in years, `spend` in euros a month; `left`: within a month."""

    number: int
    age: int
    tenure: float
    spend: float
    plan: str
    left: int


def customer(number: int) -> Customer:
    """The customer of that number."""
    chance = random.Random(number)
    age, plan = chance.randint(18, 80), chance.choice(PLANS)
    tenure, spend = round(chance.expovariate(0.4), 2), round(chance.uniform(0, 90), 2)
    risk = 1.2 - 0.6 * tenure - 0.01 * spend + (0.8 if plan == "free" else -0.4)
    return Customer(number, age, tenure, spend, plan, int(chance.random() < 1 / (1 + math.exp(-risk))))
