"""The snapshot of a ModelDeployment: which children count as its own, and which Events tell of mounts."""

from __future__ import annotations

from typing import Any

from slipway.cluster.client import Cluster
from slipway.cluster.http import Request
from slipway.cluster.resources import POD, SERVICE
from slipway.cluster.store import Store
from slipway.reconcile.observe import observe, read_mount_warnings

OWNER: dict[str, Any] = {"metadata": {"namespace": "n", "name": "churn", "uid": "mine"}, "spec": {"model": "m", "version": "1"}}


def service(name: str, owner: str, **labels: str) -> dict[str, Any]:
    meta = {"namespace": "n", "name": name, "uid": name, "resourceVersion": "1", "labels": labels}
    return {"kind": "Service", "metadata": meta | {"ownerReferences": [{"uid": owner}]}}


def test_a_child_without_our_label_is_still_seen() -> None:
    store = Store()
    store.put(SERVICE, service("churn", "mine"))
    store.put(SERVICE, service("churn-pods", "mine", **{"slipway.dev/deployment": "other"}))
    assert sorted(observe(OWNER, store, {}).children) == [("Service", "churn"), ("Service", "churn-pods")]


def test_a_child_of_another_owner_is_not() -> None:
    store = Store()
    store.put(SERVICE, service("churn", "theirs", **{"slipway.dev/deployment": "churn"}))
    assert observe(OWNER, store, {}).children == {}


async def test_only_events_about_mounts_and_sandboxes_count() -> None:
    store = Store()
    meta = {"namespace": "n", "name": "p", "uid": "p", "resourceVersion": "1", "labels": {"slipway.dev/deployment": "churn"}}
    waiting = {"name": "model", "state": {"waiting": {"reason": "ContainerCreating"}}}
    store.put(POD, {"kind": "Pod", "metadata": meta, "status": {"phase": "Pending", "containerStatuses": [waiting]}})

    async def events(request: Request) -> Any:
        assert request.query == {"fieldSelector": "involvedObject.uid=p"}
        return {
            "items": [
                {"type": "Warning", "reason": "FailedMount", "message": "no secret", "lastTimestamp": "2026-11-23T12:00:00Z"},
                {"type": "Warning", "reason": "CertificateExpiring", "message": "not ours", "lastTimestamp": "2026-11-23T12:00:09Z"},
                {"type": "Normal", "reason": "FailedMount", "message": "not a warning", "lastTimestamp": "2026-11-23T12:00:09Z"},
            ]
        }

    assert await read_mount_warnings(OWNER, store, Cluster(events)) == {"p": "no secret"}
