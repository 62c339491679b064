"""A ModelDeployment and all that belongs to it, as the apiserver gave it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from slipway.cli.cluster import SLIPWAY, ApiError, Cluster, Json, path
from slipway.cli.errors import CliError

CHILDREN = {
    "deployments": "apps/v1",
    "replicasets": "apps/v1",
    "pods": "v1",
    "services": "v1",
    "horizontalpodautoscalers": "autoscaling/v2",
}


@dataclass(frozen=True)
class Snapshot:
    """One look at a deployment. `hidden` are the resources that the user may not list."""

    deployment: Json
    model: Json | None = None
    version: Json | None = None
    children: dict[str, list[Json]] = field(default_factory=dict)
    hidden: list[str] = field(default_factory=list)
    monitors: list[Json] = field(default_factory=list)

    def of(self, resource: str, owner: Json | None = None) -> list[Json]:
        """Children of one resource, newest first; with `owner`, only those it owns."""
        found = self.children.get(resource, [])
        if owner is not None:
            found = [child for child in found if owner["metadata"].get("uid", "") in owners(child)]
        by_name = sorted(found, key=lambda child: str(child["metadata"]["name"]))
        return sorted(by_name, key=lambda child: child["metadata"].get("creationTimestamp") or "", reverse=True)

    def as_data(self) -> dict[str, Any]:
        """The same for programs."""
        return {
            "modelDeployment": self.deployment,
            "model": self.model,
            "modelVersion": self.version,
            "monitors": self.monitors,
            **self.children,
        }


def owners(child: Json) -> set[str]:
    """The uids of the objects that own `child`."""
    return {reference["uid"] for reference in child["metadata"].get("ownerReferences", [])}


def take(cluster: Cluster, name: str) -> Snapshot:
    """Read ModelDeployment `name`, its Model, its ModelVersion and its children."""
    namespace = cluster.namespace
    deployment = _read(cluster, "modeldeployments", name)
    if deployment is None:
        raise CliError(
            f"no ModelDeployment {name} in namespace {namespace}: `kubectl slipway status -n {namespace}` lists them, -A all namespaces"
        )
    spec = deployment["spec"]
    children: dict[str, list[Json]] = {}
    hidden: list[str] = []
    for resource, api in CHILDREN.items():
        try:
            children[resource] = cluster.list(path(api, resource, namespace), f"slipway.dev/deployment={name}")
        except ApiError as error:
            if error.code != 403:
                raise
            hidden.append(resource)
    monitors: list[Json] = []
    try:
        monitors = [m for m in cluster.list(path(SLIPWAY, "modelmonitors", namespace)) if m["spec"].get("deployment") == name]
    except ApiError as error:
        if error.code not in (403, 404):  # 404: the kind is newer than what is installed
            raise
        hidden.append("modelmonitors")
    version = _read(cluster, "modelversions", f"{spec['model']}-{spec['version']}")
    return Snapshot(deployment, _read(cluster, "models", spec["model"]), version, children, hidden, monitors)


def _read(cluster: Cluster, resource: str, name: str) -> Json | None:
    found = cluster.get(path(SLIPWAY, resource, cluster.namespace, name))
    if found is not None:
        found["metadata"].pop("managedFields", None)
    return found
