"""Repairs that the ledger was told of and that have not happened yet: a try that fails is no reason to tell it again.

A changed child is named by its resourceVersion, and others (its own controller first of all) go on writing it until it is put back.
Memory only: after a crash in between, the ledger has the repair twice, and never not at all.
"""

from __future__ import annotations

from collections.abc import Mapping

from slipway.plan.types import Child, Plan
from slipway.reconcile.queue import ObjectKey


class Promises:
    """The details of entries, by owner and child."""

    def __init__(self) -> None:
        self._open: dict[ObjectKey, dict[Child, str]] = {}

    def of(self, owner: ObjectKey) -> Mapping[Child, str]:
        """What is promised for the owner's children."""
        return self._open.get(owner, {})

    def make(self, owner: ObjectKey, plan: Plan) -> None:
        """The plan's repairs are about to be told. What is not damaged any more needs none; what waits keeps its promise."""
        kept = {child: detail for child, detail in self.of(owner).items() if child in plan.held}
        made = kept | {draft.child: draft.detail for draft in plan.entries if draft.child}
        if made:
            self._open[owner] = made
        else:
            self.forget(owner)

    def keep(self, owner: ObjectKey, child: Child) -> None:
        """The child was put back, or may have been: what is damaged from now on is another damage."""
        self._open.get(owner, {}).pop(child, None)

    def forget(self, owner: ObjectKey) -> None:
        """The owner is gone."""
        self._open.pop(owner, None)
