"""Conditions: set in one place, with `lastTransitionTime` moving only when the status does."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from slipway.api.conditions import ConditionType, Reason
from slipway.plan.types import Trouble


def rfc3339(time: datetime) -> str:
    """A time as a status holds it: in UTC, in whole seconds."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class ConditionSet:
    """Collects an object's conditions for one generation, keeping the times of those that did not change."""

    def __init__(self, before: Mapping[str, Any], generation: int, now: datetime) -> None:
        self._before = {c["type"]: c for c in before.get("conditions", [])}
        self._generation = generation
        self._now = rfc3339(now)
        self._conditions: list[dict[str, Any]] = []

    def set(self, kind: ConditionType, status: bool | None, reason: Reason, message: str) -> None:
        """`status`: None is Unknown."""
        value = {True: "True", False: "False", None: "Unknown"}[status]
        old = self._before.get(kind)
        since = old["lastTransitionTime"] if old and old["status"] == value else self._now
        self._conditions.append(
            {
                "type": str(kind),
                "status": value,
                "reason": str(reason),
                "message": message[:1024],
                "observedGeneration": self._generation,
                "lastTransitionTime": since,
            }
        )

    def ready(self, reason: Reason, message: str) -> None:
        """All as asked; `Reconciling` and `Stalled` are absent."""
        self.set(ConditionType.READY, True, reason, message)

    def reconciling(self, reason: Reason, message: str) -> None:
        """Under way."""
        self.set(ConditionType.READY, False, reason, message)
        self.set(ConditionType.RECONCILING, True, reason, message)

    def void(self, reason: Reason, message: str) -> None:
        """It will never be ready, and nobody needs to do anything about it."""
        self.set(ConditionType.READY, False, reason, message)

    def trouble(self, trouble: Trouble) -> None:
        """Stalled when a person must act, under way when it may pass by itself."""
        if not trouble.stalled:
            self.reconciling(trouble.reason, trouble.message)
            return
        self.set(ConditionType.READY, False, trouble.reason, trouble.message)
        self.set(ConditionType.STALLED, True, trouble.reason, trouble.message)

    def as_list(self) -> list[dict[str, Any]]:
        return self._conditions


def find_condition(status: Mapping[str, Any], kind: ConditionType) -> Mapping[str, Any] | None:
    """The condition of that type, if present."""
    return next((c for c in status.get("conditions", []) if c["type"] == kind), None)
