"""Tells on the ModelDeployment that rows of its log were erased: what, and by whom; never of which subject."""

from __future__ import annotations

import hashlib
import logging
from datetime import UTC, datetime

from slipway.cluster.client import Cluster
from slipway.cluster.http import ApiError
from slipway.cluster.resources import MODEL_DEPLOYMENT, Manifest

log = logging.getLogger(__name__)


async def erased(cluster: Cluster, namespace: str, deployment: str, column: str, rows: int, by: str) -> None:
    """Records the Event; that it could not be is logged."""
    now = datetime.now(UTC)
    message = f"{by} erased {rows} rows from the prediction log, chosen by column {column}"
    try:
        owner = await cluster.get(MODEL_DEPLOYMENT, namespace, deployment)
        if owner is None:
            log.info("%s/%s: %s", namespace, deployment, message)
            return
        await cluster.record(event(owner, message, now))
    except ApiError as error:
        log.warning("Event on %s/%s (%s): %s", namespace, deployment, message, error)


def event(owner: Manifest, message: str, now: datetime) -> Manifest:
    """A core/v1 Event of its own for each erasure."""
    meta, at = owner["metadata"], now.strftime("%Y-%m-%dT%H:%M:%SZ")
    said = f"{meta['uid']}/{message}/{now.isoformat()}"
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{meta['name']}.{hashlib.sha256(said.encode()).hexdigest()[:16]}", "namespace": meta["namespace"]},
        "involvedObject": {
            "apiVersion": MODEL_DEPLOYMENT.api_version,
            "kind": MODEL_DEPLOYMENT.kind,
            "name": meta["name"],
            "namespace": meta["namespace"],
            "uid": meta["uid"],
        },
        "reason": "RowsErased",
        "message": message[:1024],
        "type": "Normal",
        "count": 1,
        "firstTimestamp": at,
        "lastTimestamp": at,
        "source": {"component": "slipway-collector"},
        "reportingComponent": "slipway.dev/collector",
        "reportingInstance": "slipway-collector",
    }
