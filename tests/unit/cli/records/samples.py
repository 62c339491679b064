"""A deployment with a history, whose people had mischief in mind."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from slipway.cli.cluster import Json
from slipway.cli.records.facts import Facts
from slipway.ledger.entry import Entry, ObjectReference, entry_id
from slipway.ledger.reader import Stored
from tests.unit.cli.governance.samples import EVIL

HOSTILE = f"<script>alert(1)</script> | =cmd() [x](javascript:y) {EVIL}"
BEGAN = datetime(2026, 11, 25, 8, tzinfo=UTC)
REVISION = "v1:" + "3" * 64


def stored(index: int, transition: str, message: str = "", reason: str = "", **details: Any) -> Stored:
    about = ObjectReference("slipway.dev/v1alpha1", "ModelDeployment", "growth", "churn", "d", 1)
    approvers = ("bob",) if transition == "Approved" else ()
    time = BEGAN + timedelta(minutes=index)
    entry = Entry(entry_id("d", 1, transition), time, transition, about, ("alice",), approvers, reason or transition, message, details)
    return Stored(index, entry.encode())


def rollout(index: int, **details: Any) -> Stored:
    return stored(index, "Applied", "rolling out", "RolloutStarted", **details)


def version(number: str, auc: str, **lineage: Any) -> Json:
    spec = {"model": "churn", "version": number, "artifact": {"uri": f"s3://models/{number}/", "digest": f"sha256:{number * 64}"}}
    whole = {"metrics": {"auc": auc}, "code": {"repository": HOSTILE, "commit": "abcdef1", "dirty": True}} | lineage
    meta = {"name": f"churn-{number}", "creationTimestamp": f"2026-11-2{number}T08:00:00Z"}
    return {"metadata": meta, "spec": spec | {"lineage": whole}}


def facts(**status: Any) -> Facts:
    """Version 3, approved by bob; what people wrote is hostile."""
    grant = {"by": "bob", "role": "risk", "at": "2026-11-25T08:00:00Z", "reason": HOSTILE}
    snapshot = {
        "revision": 1,
        "data": {
            "revision": REVISION,
            "approved": {"how": "Approved", "at": "2026-11-25T08:01:00Z", "by": [grant]},
            "content": {"version": {"version": "3"}},
        },
    }
    approval = {"state": "Approved", "policies": ["production"], "granted": [grant], "requestedBy": ["alice"], "since": grant["at"]}
    whole = {"phase": "Serving", "version": "3", "digest": "sha256:" + "3" * 64, "readyReplicas": 1, "replicas": 1} | {"approval": approval}
    meta = {"name": "churn", "namespace": "growth", "uid": "d"}
    words = [{"by": "bob", "role": "risk", "at": grant["at"], "reason": HOSTILE, "decision": "Approve", "uid": "a"}]
    about = {"revision": REVISION, "version": "3"}
    return Facts(
        {"metadata": meta, "spec": {"model": "churn", "version": "3"}, "status": whole | status},
        {"metadata": {"name": "churn"}, "spec": {"task": "Other", "description": HOSTILE, "owner": {"team": "growth"}}},
        [version("3", "0.91"), version("2", "0.88")],
        [snapshot],
        [],
        [
            stored(0, "Requested", HOSTILE, **about),
            stored(1, "Approved", "approved by bob", approvals=words, requestedBy=["alice"], **about),
            rollout(2, version="3", digest="sha256:" + "3" * 64, uri="s3://models/3/"),
            stored(3, "Serving", "serves"),
        ],
    )
