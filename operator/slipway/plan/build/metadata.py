"""The metadata that all children share."""

from __future__ import annotations

import hashlib

import orjson

from slipway.api.types import API_VERSION
from slipway.api.v1alpha1 import ModelDeployment, ModelVersion
from slipway.cluster.resources import Manifest
from slipway.plan.names import GRPC_PORT, HASH_ANNOTATION, HTTP_PORT, METRICS_PORT, common_labels


def child_metadata(owner: ModelDeployment, name: str | None = None) -> Manifest:
    """Name, namespace, labels and the owner reference by which garbage collection cleans up."""
    return {
        "name": name or owner.metadata.name,
        "namespace": owner.metadata.namespace,
        "labels": common_labels(owner.metadata.name),
        "annotations": {},
        "ownerReferences": [
            {
                "apiVersion": API_VERSION,
                "kind": "ModelDeployment",
                "name": owner.metadata.name,
                "uid": owner.metadata.uid,
                "controller": True,
                "blockOwnerDeletion": False,
            }
        ],
    }


def with_hash(manifest: Manifest, annotation: str = HASH_ANNOTATION) -> Manifest:
    """The manifest (or pod template) with the annotation that tells, after any restart, whether it was applied."""
    digest = hashlib.sha256(orjson.dumps(manifest, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]
    meta = manifest["metadata"]
    return manifest | {"metadata": meta | {"annotations": meta["annotations"] | {annotation: digest}}}


def server_ports(version: ModelVersion) -> dict[str, int]:
    """The model container's ports by name: our servers have three, a custom container those it declares."""
    container = version.spec.container
    if container is None:
        return {"http": HTTP_PORT, "grpc": GRPC_PORT, "metrics": METRICS_PORT}
    return {"http": container.port} | ({"grpc": container.grpc_port} if container.grpc_port else {})
