"""What stays of the gate's word while nobody can say what is asked for: its version or Model is not there, or the spec cannot be read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from slipway.cluster.resources import Manifest
from slipway.plan.gate.judge import MOST_CHARACTERS
from slipway.plan.gate.telling import told_hands
from slipway.plan.requested import hands_meanwhile
from slipway.plan.status import rfc3339
from slipway.plan.types import Governance

GATE_FIELDS = ("revision", "approvedRevision", "approval")


def kept_fields(manifest: Manifest, governance: Governance | None, trouble: str, now: datetime) -> dict[str, Any]:
    """The gate's fields of the stored status, with whoever has edited since added to those who asked: the apiserver's stamp names them
    only until the operator has looked, and it has. `trouble`: why nobody can say it.
    """
    before: Mapping[str, Any] = manifest.get("status", {})
    kept = {key: before[key] for key in GATE_FIELDS if key in before}
    if governance is None or not _may_govern(governance) or manifest["metadata"]["generation"] <= before.get("observedGeneration", -1):
        return kept
    approval = before.get("approval") or {}
    waited = approval if approval.get("state") in ("Waiting", "Rejected") else {"state": "Waiting", "since": rfc3339(now)}
    said = f"cannot be approved yet: {trouble}"[:MOST_CHARACTERS]
    return kept | {"approval": {**waited, **told_hands(hands_meanwhile(manifest, before)), "message": said}}


def _may_govern(governance: Governance) -> bool:
    """Importance has no say in it: the Model may be what is missing."""
    return any(governance.stage in policy["spec"]["match"]["stages"] for policy in governance.policies)
