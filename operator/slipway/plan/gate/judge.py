from __future__ import annotations

from datetime import datetime

from slipway.api.v1alpha1 import ApprovalPolicy
from slipway.plan.gate.types import Asked, Facts, Verdict


def matching(policies: tuple[ApprovalPolicy, ...], stage: str, importance: frozenset[str | None]) -> tuple[ApprovalPolicy, ...]:
    raise NotImplementedError


def judge(asked: Asked, facts: Facts, now: datetime) -> Verdict:
    raise NotImplementedError
