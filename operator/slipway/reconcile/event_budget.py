"""Kubernetes Events, aggregated and bounded: the same words are one Event that counts up, and no object says one thing without end."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from datetime import datetime

from slipway.api.conditions import EventReason
from slipway.cluster.client import Cluster
from slipway.cluster.http import ApiError
from slipway.cluster.resources import Manifest
from slipway.plan.types import EventDraft
from slipway.reconcile.budget import Budget
from slipway.telemetry import metrics

log = logging.getLogger(__name__)

BURST, SECONDS = 25, 60.0
"""Events of one reason about one object: as many at once, then one a minute, as Kubernetes' own recorders do."""


class Recorder:
    """Records Events within the budget."""

    def __init__(self, cluster: Cluster, now: Callable[[], datetime], clock: Callable[[], float]) -> None:
        self._cluster = cluster
        self._now = now
        self._clock = clock
        self._budget = Budget(BURST, SECONDS)

    async def record(self, manifest: Manifest, drafts: tuple[EventDraft, ...]) -> None:
        """Records Events about the object; one that is lost is logged, never retried: the condition says the same."""
        for draft in drafts:
            if draft.reason is EventReason.STALLED:
                metrics.ERRORS.labels(draft.message.partition(":")[0]).inc()
            if self._budget.wait((manifest["metadata"]["uid"], draft.reason), self._clock()):
                metrics.EVENTS_DROPPED.labels(str(draft.reason)).inc()
                continue
            try:
                await self._cluster.record(event_manifest(manifest, draft, self._now()))
            except ApiError as error:
                log.warning("Event %s could not be recorded: %s", draft.reason, error)


def event_manifest(manifest: Manifest, draft: EventDraft, now: datetime) -> Manifest:
    """The core/v1 Event; its name follows from what it says, so that saying it again counts it up."""
    meta = manifest["metadata"]
    said = f"{meta['uid']}/{draft.reason}/{draft.message}"
    time = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{meta['name']}.{hashlib.sha256(said.encode()).hexdigest()[:16]}", "namespace": meta["namespace"]},
        "involvedObject": {
            "apiVersion": manifest["apiVersion"],
            "kind": manifest["kind"],
            "name": meta["name"],
            "namespace": meta["namespace"],
            "uid": meta["uid"],
            "resourceVersion": meta["resourceVersion"],
        },
        "reason": str(draft.reason),
        "message": draft.message[:1024],
        "type": "Warning" if draft.warning else "Normal",
        "count": 1,
        "firstTimestamp": time,
        "lastTimestamp": time,
        "source": {"component": "slipway"},
        "reportingComponent": "slipway.dev/operator",
        "reportingInstance": "slipway-operator",
    }
