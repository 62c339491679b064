"""Which objects a watch event concerns: the keys to put on the queue. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from slipway.cluster.resources import MODEL, MODEL_DEPLOYMENT, MODEL_VERSION, Manifest, Resource
from slipway.cluster.store import DEPLOYMENT_LABEL, Store
from slipway.reconcile.queue import ObjectKey

COUNT_DELAY_SECONDS = 1.0
"""Counts in the status of Models and ModelVersions may lag by this: a burst of changes is one write."""


def affected(resource: Resource, manifest: Manifest, store: Store) -> Iterator[tuple[ObjectKey, float]]:
    """Keys whose plan may change, each with the delay that is fine for it (0: now)."""
    meta = manifest["metadata"]
    namespace, name = meta["namespace"], meta["name"]
    if resource is MODEL_DEPLOYMENT:
        spec = manifest["spec"]
        yield ObjectKey("ModelDeployment", namespace, name), 0
        yield ObjectKey("Model", namespace, spec["model"]), COUNT_DELAY_SECONDS
        yield ObjectKey("ModelVersion", namespace, f"{spec['model']}-{spec['version']}"), COUNT_DELAY_SECONDS
    elif resource is MODEL_VERSION:
        yield ObjectKey("ModelVersion", namespace, name), 0
        yield ObjectKey("Model", namespace, manifest["spec"]["model"]), COUNT_DELAY_SECONDS
        for user in store.all(MODEL_DEPLOYMENT):
            spec = user["spec"]
            if user["metadata"]["namespace"] == namespace and f"{spec['model']}-{spec['version']}" == name:
                yield ObjectKey("ModelDeployment", namespace, user["metadata"]["name"]), 0
    elif resource is MODEL:
        yield ObjectKey("Model", namespace, name), 0
        for kind in (MODEL_VERSION, MODEL_DEPLOYMENT):
            for user in store.of_model(kind, namespace, name):
                yield ObjectKey(kind.kind, namespace, user["metadata"]["name"]), 0
    else:
        owner = (meta.get("labels") or {}).get(DEPLOYMENT_LABEL)
        if owner:
            yield ObjectKey("ModelDeployment", namespace, owner), 0
