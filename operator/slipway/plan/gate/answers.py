"""What becomes of each ModelApproval: its author reads it in the approval's own status."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from slipway.api.conditions import Reason
from slipway.cluster.resources import Manifest
from slipway.plan.gate.types import Verdict
from slipway.plan.revision import Snapshot
from slipway.plan.status import ConditionSet


def answers(
    approvals: tuple[Manifest, ...], snapshots: list[Snapshot], opens: bool, verdict: Verdict | None, now: datetime
) -> dict[str, dict[str, Any]]:
    """The statuses by the approvals' uids. `verdict`: on the revision that waits, or `opens`: starts just now."""
    used = {grant.get("approval") for snapshot in snapshots for grant in snapshot.approved.get("by", ())}
    if verdict and opens:
        used |= {word.uid for word in verdict.granted}
    found = {}
    for approval in approvals:
        conditions = ConditionSet(approval.get("status", {}), approval["metadata"]["generation"], now)
        good, reason, message = _answer(approval, used, verdict)
        (conditions.ready if good else conditions.reconciling if reason is Reason.PENDING else conditions.void)(reason, message)
        found[approval["metadata"]["uid"]] = {
            "observedGeneration": approval["metadata"]["generation"],
            "conditions": conditions.as_list(),
        }
    return found


def _answer(approval: Manifest, used: Collection[str], verdict: Verdict | None) -> tuple[bool, Reason, str]:
    uid, spec = approval["metadata"]["uid"], approval["spec"]
    if uid in used:
        return True, Reason.CONSUMED, "the revision was started on it; it counts for nothing else"
    if verdict is None:
        return False, Reason.VOID, "nothing waits for approval any more: it was started without this word, or taken back"
    if uid in verdict.void:
        return False, Reason.VOID, verdict.void[uid]
    if any(word.uid == uid for word in verdict.granted):
        said = "rejected: what was asked for does not start" if spec["decision"] == "Reject" else f"counts; {verdict.message}"
        return True, Reason.COUNTED, said
    return False, Reason.PENDING, verdict.message
