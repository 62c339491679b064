"""Which objects a watch event concerns: the keys to put on the queue. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from slipway.api.types import GROUP
from slipway.cluster.resources import (
    APPROVAL_POLICY,
    CRON_JOB,
    MODEL,
    MODEL_APPROVAL,
    MODEL_DEPLOYMENT,
    MODEL_MONITOR,
    MODEL_VERSION,
    NAMESPACE,
    OWN_KINDS,
    Manifest,
    Resource,
)
from slipway.cluster.store import DEPLOYMENT_LABEL, MONITOR_LABEL, MONITOR_NAMESPACE_LABEL, Store, key_of
from slipway.reconcile.queue import ObjectKey

COUNT_DELAY_SECONDS = 1.0
"""Counts in the status of Models and ModelVersions may lag by this: a burst of changes is one write."""

Due = tuple[ObjectKey, float]
"""A key, and after how many seconds."""


def affected(resource: Resource, manifest: Manifest, store: Store, asks_otherwise: bool) -> Iterator[Due]:
    """Keys whose plan may change, each with the delay that is fine for it (0: now).

    `asks_otherwise`: the object came, went or has another spec. A status alone concerns nobody who refers to it.
    """
    meta = manifest["metadata"]
    namespace, name = meta.get("namespace", ""), meta["name"]
    if resource in OWN_KINDS:
        yield ObjectKey(resource.kind, namespace, name), 0
        if resource is MODEL_MONITOR:  # its verdict is a condition of the deployment
            yield ObjectKey("ModelDeployment", namespace, manifest["spec"]["deployment"]), 0
        if not asks_otherwise:
            return
    refers = {MODEL: _of_model, MODEL_VERSION: _of_version, MODEL_DEPLOYMENT: _of_deployment, CRON_JOB: _of_cron_job}
    if resource in refers:
        yield from refers[resource](manifest, store)
    elif resource in (NAMESPACE, APPROVAL_POLICY):
        for user in store.of_namespace(name) if resource is NAMESPACE else store.all(MODEL_DEPLOYMENT):
            yield ObjectKey("ModelDeployment", *key_of(user)), 0
    elif resource is not MODEL_MONITOR:
        owners = {manifest["spec"]["deployment"]} if resource is MODEL_APPROVAL else _owners(meta)
        for owner in sorted(owners):
            yield ObjectKey("ModelDeployment", namespace, owner), 0


def _of_model(manifest: Manifest, store: Store) -> Iterator[Due]:
    namespace, name = key_of(manifest)
    for kind in (MODEL_VERSION, MODEL_DEPLOYMENT):
        for user in store.of_model(kind, namespace, name):
            yield ObjectKey(kind.kind, namespace, user["metadata"]["name"]), 0
            if kind is MODEL_DEPLOYMENT:  # team and importance are labels of their metrics
                yield from _monitors(store, namespace, user["metadata"]["name"])


def _of_version(manifest: Manifest, store: Store) -> Iterator[Due]:
    namespace, name = key_of(manifest)
    yield ObjectKey("Model", namespace, manifest["spec"]["model"]), COUNT_DELAY_SECONDS
    for user in store.of_version(namespace, name):
        yield ObjectKey("ModelDeployment", namespace, user["metadata"]["name"]), 0


def _of_deployment(manifest: Manifest, store: Store) -> Iterator[Due]:
    namespace, name = key_of(manifest)
    spec = manifest["spec"]
    yield ObjectKey("Model", namespace, spec["model"]), COUNT_DELAY_SECONDS
    yield ObjectKey("ModelVersion", namespace, f"{spec['model']}-{spec['version']}"), COUNT_DELAY_SECONDS
    yield from _monitors(store, namespace, name)


def _of_cron_job(manifest: Manifest, store: Store) -> Iterator[Due]:
    """The ModelMonitor that it runs, which is in another namespace."""
    labels = manifest["metadata"].get("labels") or {}
    if MONITOR_LABEL in labels and MONITOR_NAMESPACE_LABEL in labels:
        yield ObjectKey("ModelMonitor", labels[MONITOR_NAMESPACE_LABEL], labels[MONITOR_LABEL]), 0


def _monitors(store: Store, namespace: str, deployment: str) -> Iterator[Due]:
    for monitor in store.of_deployment(MODEL_MONITOR, namespace, deployment):
        yield ObjectKey("ModelMonitor", namespace, monitor["metadata"]["name"]), 0


def _owners(meta: Manifest) -> set[str]:
    """ModelDeployments of a child or pod, by label and by owner reference: whoever takes one of them away still wakes the owner."""
    references = meta.get("ownerReferences") or []
    owners = {reference["name"] for reference in references if reference["kind"] == MODEL_DEPLOYMENT.kind and _is_ours(reference)}
    label = (meta.get("labels") or {}).get(DEPLOYMENT_LABEL)
    return owners | ({label} if label else set())


def _is_ours(reference: Manifest) -> bool:
    return bool(reference["apiVersion"].partition("/")[0] == GROUP)
