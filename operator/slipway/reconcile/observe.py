"""The snapshot that a plan is made on: from the store, and for pods that hang before their containers, from Events."""

from __future__ import annotations

from collections.abc import Mapping

from slipway.cluster.client import Cluster
from slipway.cluster.http import ApiError
from slipway.cluster.resources import CHILD_KINDS, MODEL, MODEL_MONITOR, MODEL_VERSION, POD, Manifest
from slipway.cluster.store import Store
from slipway.plan.names import headless_name, version_name
from slipway.plan.trouble import MOUNT_EVENTS, awaits_containers
from slipway.plan.types import Child, Governance, Observed, Refusal

MAX_PODS_ASKED = 3
"""Pods of one deployment hang for the same reason: a few tell it."""


def observe(
    manifest: Manifest,
    store: Store,
    mount_warnings: dict[str, str],
    refusal: Refusal | None = None,
    contests: Mapping[Child, str | None] | None = None,
    promises: Mapping[Child, str] | None = None,
    governance: Governance | None = None,
) -> Observed:
    """Everything that the ModelDeployment touches, as far as the watches have told."""
    namespace, name = manifest["metadata"]["namespace"], manifest["metadata"]["name"]
    model, version = manifest["spec"].get("model", ""), manifest["spec"].get("version", "")
    uid = manifest["metadata"]["uid"]
    labelled = [child for kind in CHILD_KINDS for child in store.of_deployment(kind, namespace, name)]
    named = [store.get(kind, namespace, child) for kind in CHILD_KINDS for child in (name, headless_name(name))]
    children = [*labelled, *filter(None, named)]  # a child that somebody took our label from is found by its name
    return Observed(
        model=store.get(MODEL, namespace, model),
        version=store.get(MODEL_VERSION, namespace, version_name(model, version)),
        children={(child["kind"], child["metadata"]["name"]): child for child in children if owned_by(child, uid)},
        pods=tuple(store.of_deployment(POD, namespace, name)),
        mount_warnings=mount_warnings,
        refusal=refusal,
        contests=contests or {},
        promises=promises or {},
        monitors=tuple(store.of_deployment(MODEL_MONITOR, namespace, name)),
        governance=governance,
    )


async def read_mount_warnings(manifest: Manifest, store: Store, cluster: Cluster) -> dict[str, str]:
    """The newest Warning Event of each pod that hangs before its containers; a failed read tells nothing."""
    namespace, name = manifest["metadata"]["namespace"], manifest["metadata"]["name"]
    hanging = [pod for pod in store.of_deployment(POD, namespace, name) if awaits_containers(pod)]
    warnings: dict[str, str] = {}
    for pod in hanging[:MAX_PODS_ASKED]:
        uid = pod["metadata"]["uid"]
        try:
            events = await cluster.list_events(namespace, uid)
        except ApiError:
            continue
        failed = [event for event in events if event.get("type") == "Warning" and event.get("reason") in MOUNT_EVENTS]
        if failed:
            newest = max(failed, key=lambda event: event.get("lastTimestamp") or event["metadata"]["creationTimestamp"])
            warnings[uid] = newest.get("message", "")
    return warnings


def owned_by(child: Manifest, uid: str) -> bool:
    """Whether one of its owners is the object of that uid."""
    return any(reference["uid"] == uid for reference in child["metadata"].get("ownerReferences", []))
