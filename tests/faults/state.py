"""The state of a namespace as far as Slipway made it, comparable between runs."""

from __future__ import annotations

from typing import Any

from tests.kube import Kube

CHILDREN = ("Deployment", "Service", "ServiceAccount", "NetworkPolicy", "PodDisruptionBudget", "HorizontalPodAutoscaler")
OWN = ("Model", "ModelVersion", "ModelDeployment")

_VOLATILE = {
    "uid", "resourceVersion", "creationTimestamp", "managedFields", "generation", "observedGeneration", "lastTransitionTime",
    "clusterIP", "clusterIPs", "namespace", "deployment.kubernetes.io/revision", "slipway.dev/manifest-hash",
    "childrenHash", "digestSince", "revision", "approvedRevision", "since", "at", "expiresAt",
}  # fmt: skip


def snapshot(kube: Kube, namespace: str) -> dict[str, Any]:
    """Our objects with their status, and all children without theirs (which is others' work), by `Kind/name`.

    Uids, versions, times and addresses are left out, the namespace's name is replaced.
    """
    return {
        f"{kind}/{found['metadata']['name']}": plain(kind, found, namespace)
        for kind in (*OWN, *CHILDREN)
        for found in kube.list(kind, namespace)
        if found["metadata"]["name"] != "default"
    }


def plain(kind: str, manifest: dict[str, Any], namespace: str) -> Any:
    """One object of a snapshot. Lists have no kind in their items."""
    if kind in CHILDREN:
        manifest = {key: value for key, value in manifest.items() if key != "status"}
    return _plain(manifest, namespace)


def _plain(value: Any, namespace: str) -> Any:
    if isinstance(value, dict):
        return {key: _plain(child, namespace) for key, child in value.items() if key not in _VOLATILE}
    if isinstance(value, list):
        return [_plain(child, namespace) for child in value]
    return value.replace(namespace, "NAMESPACE") if isinstance(value, str) else value


def difference(expected: Any, found: Any, path: str = "") -> str:
    """The first place where two states differ, in one line."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for key in sorted(expected.keys() | found.keys()):
            if expected.get(key) != found.get(key):
                return difference(expected.get(key), found.get(key), f"{path}/{key}")
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for number, (one, other) in enumerate(zip(expected, found, strict=True)):
            if one != other:
                return difference(one, other, f"{path}/{number}")
    return f"{path}: expected {expected!r}, found {found!r}"
