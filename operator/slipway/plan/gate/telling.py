"""What the gate says: status, condition, entries of the ledger, Events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from slipway.api.conditions import ConditionType, EventReason, Reason, Transition
from slipway.plan.gate.types import Verdict, Word
from slipway.plan.requested import Hands
from slipway.plan.requesters import UNNAMED
from slipway.plan.revision import Snapshot
from slipway.plan.status import find_condition, rfc3339
from slipway.plan.types import EntryDraft, EventDraft

MOST_POLICIES, MOST_GRANTS, MOST_REQUESTERS = 16, 32, 128
"""What the status holds of each; the ledger has all."""
_HOW = {"Approved": Reason.APPROVED, "Overridden": Reason.OVERRIDDEN, "TakenOver": Reason.TAKEN_OVER}


@dataclass(frozen=True)
class Told:
    """Of one look at the gate."""

    fields: Mapping[str, Any]
    """Of the status."""
    condition: tuple[bool, Reason, str] | None = None
    """`Approved`: its value, reason and message."""
    entries: tuple[EntryDraft, ...] = ()
    """Before what is approved starts."""
    ended: tuple[EntryDraft, ...] = ()
    """Before the status."""
    events: tuple[EventDraft, ...] = ()


def tell_settled(newest: Snapshot, before: Mapping[str, Any]) -> Told:
    """What is asked for is what was approved last."""
    approved = newest.approved
    how = _HOW.get(approved["how"], Reason.APPROVED)
    names = ", ".join(grant["by"] for grant in approved.get("by", ()))
    said = {
        Reason.APPROVED: f"approved by {names}" if names else "approved: no policy asked for anybody's word",
        Reason.OVERRIDDEN: f"started by {names}, whatever the policies say",
        Reason.TAKEN_OVER: "ran before a policy governed it; the next change needs approval",
    }[how]
    fields: dict[str, Any] = {"revision": newest.revision, "approvedRevision": newest.revision}
    stored = before.get("approval")
    if stored and before.get("revision") == newest.revision and stored["state"] == "Approved":
        fields["approval"] = stored
    else:
        fields["approval"] = {
            "state": "Approved",
            "granted": [_granted(grant["by"], grant["role"], grant["at"]) for grant in approved.get("by", ())][:MOST_GRANTS],
            "requestedBy": list(approved.get("requestedBy", ()))[:MOST_REQUESTERS],
            "since": approved["at"],
        }
    return Told(fields, (True, how, said))


def tell_open(about: Mapping[str, str], snapshot: str, hands: Hands, verdict: Verdict, since: datetime, taken_over: bool = False) -> Told:
    """The gate opens: what is asked for starts. `about`: `revision`, `version` and `digest`; `snapshot`: the ControllerRevision's name."""
    revision = about["revision"]
    names = ", ".join(word.approver for word in verdict.granted)
    transition, said, reason = (
        Transition.APPROVED,
        f"approved by {names}" if names else "no policy asks for anybody's word",
        Reason.APPROVED,
    )
    if taken_over:
        transition, reason = Transition.TAKEN_OVER, Reason.TAKEN_OVER
        said = "ran before a policy governed it, and runs on; the next change needs approval"
    elif verdict.state == "Overridden":
        transition, reason = Transition.OVERRIDDEN, Reason.OVERRIDDEN
        said = f"started by {names}, whatever the policies say: {verdict.granted[0].reason}"
    entry = EntryDraft(
        transition,
        said,
        str(reason),
        revision,
        {
            **about,
            "policies": list(verdict.policies),
            "requestedBy": [*hands.names, *([UNNAMED] if hands.unknown else [])],
            "approvals": [_told(word) for word in verdict.granted],
            **_claims(hands),
        },
        approvers=tuple(sorted({word.approver for word in verdict.granted})),
    )
    overridden = transition is Transition.OVERRIDDEN
    child = ("ControllerRevision", snapshot)
    event = EventDraft(EventReason.OVERRIDDEN if overridden else EventReason.APPROVED, said, warning=overridden, child=child)
    approval = _approval("Approved", hands, verdict, since)
    fields = {"revision": revision, "approvedRevision": revision, "approval": approval}
    return Told(fields, (True, reason, said), entries=(entry,), events=(event,))


def tell_waiting(
    before: Mapping[str, Any],
    about: Mapping[str, str],
    newest: Snapshot | None,
    hands: Hands,
    verdict: Verdict,
    since: datetime,
    guard: str,
) -> Told:
    """What is asked for may not start; what was approved before serves on."""
    revision = about["revision"]
    rejected = verdict.state == "Rejected"
    state, reason, said = (
        ("Rejected", Reason.REJECTED, verdict.message) if rejected else ("Waiting", Reason.AWAITING_APPROVAL, verdict.message)
    )
    if guard and not rejected:
        reason, said = Reason.POLICIES_NOT_IN_EFFECT, f"nothing starts: {guard}"
    fields: dict[str, Any] = {"revision": revision, "approval": _approval(state, hands, verdict, since) | {"message": said}}
    if newest:
        fields["approvedRevision"] = newest.revision
    new = before.get("revision") != revision
    was = (before.get("approval") or {}).get("state") if not new else None
    ended = [_requested(about, hands, verdict, said)] if new else []
    events = [EventDraft(EventReason.AWAITING_APPROVAL, said)] if new and not rejected and not guard else []
    if rejected and was != "Rejected":
        ended.append(_rejected(about, hands, verdict))
        events.append(EventDraft(EventReason.REJECTED, said, warning=True))
    stood = find_condition(before, ConditionType.APPROVED)
    if guard and (stood is None or stood["reason"] != Reason.POLICIES_NOT_IN_EFFECT):
        events.append(EventDraft(EventReason.POLICIES_NOT_IN_EFFECT, said, warning=True))
    return Told(fields, (False, reason, said), ended=tuple(ended), events=tuple(events))


def _requested(about: Mapping[str, str], hands: Hands, verdict: Verdict, said: str) -> EntryDraft:
    details = {**about, "policies": list(verdict.policies), "requestedBy": list(hands.names), "unknown": hands.unknown, **_claims(hands)}
    return EntryDraft(Transition.REQUESTED, said, str(Reason.AWAITING_APPROVAL), about["revision"], details)


def _rejected(about: Mapping[str, str], hands: Hands, verdict: Verdict) -> EntryDraft:
    words = [_told(word) for word in verdict.granted]
    details = {**about, "requestedBy": list(hands.names), "approvals": words}
    approvers = tuple(sorted({word.approver for word in verdict.granted}))
    return EntryDraft(Transition.REJECTED, verdict.message, str(Reason.REJECTED), about["revision"], details, approvers=approvers)


def _approval(state: str, hands: Hands, verdict: Verdict, since: datetime) -> dict[str, Any]:
    approval: dict[str, Any] = {
        "state": state,
        "policies": list(verdict.policies[:MOST_POLICIES]),
        "required": verdict.required,
        "granted": [_granted(word.approver, word.role or "", rfc3339(word.created)) for word in verdict.granted[:MOST_GRANTS]],
        "since": rfc3339(since),
        **told_hands(hands),
    }
    if verdict.expires_at and state == "Waiting":
        approval["expiresAt"] = rfc3339(verdict.expires_at)
    return approval


def _claims(hands: Hands) -> dict[str, Any]:
    return {"authors": list(hands.authors)} if hands.authors else {}


def told_hands(hands: Hands) -> dict[str, Any]:
    """In the status."""
    told: dict[str, Any] = {"requestedBy": list(hands.names[:MOST_REQUESTERS])}
    if hands.authors:
        told["authors"] = list(hands.authors[:MOST_REQUESTERS])
    if hands.unknown or max(len(hands.names), len(hands.authors)) > MOST_REQUESTERS:
        told["unknownRequester"] = True
    return told


def _granted(by: str, role: str, at: str) -> dict[str, str]:
    return {"by": by, "role": role, "at": at}


def _told(word: Word) -> dict[str, Any]:
    return {
        "uid": word.uid,
        "by": word.approver,
        "role": word.role or "",
        "decision": word.decision,
        "at": rfc3339(word.created),
        "reason": word.reason,
    }
