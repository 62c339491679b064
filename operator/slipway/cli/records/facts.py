"""What is known of one ModelDeployment: the objects as they are, and all that the ledger has of it, proved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from slipway.cli.cluster import SLIPWAY, Cluster, Json, path
from slipway.cli.errors import CliError
from slipway.cli.view.snapshot import owners

if TYPE_CHECKING:
    from slipway.ledger.note import Verifier
    from slipway.ledger.reader import Stored
    from slipway.objectstore.s3 import S3Store

STARTED = ("Approved", "Overridden", "TakenOver")
"""Transitions with which an approved revision starts."""


@dataclass(frozen=True)
class Facts:
    """One look."""

    deployment: Json
    model: Json
    versions: list[Json]
    """Of the model, the newest first."""
    snapshots: list[Json]
    """ControllerRevisions of the deployment, the newest first."""
    policies: list[Json]
    entries: list[Stored]
    """About the deployment, the oldest first."""

    def version(self, name: str) -> Json | None:
        return next((found for found in self.versions if found["spec"]["version"] == name), None)


@dataclass(frozen=True)
class Path:
    """How a version came to serve: the entries that say so, the newest first; None where there is none."""

    applied: Stored | None
    started: Stored | None
    requested: Stored | None


def cluster_facts(cluster: Cluster, name: str) -> Facts:
    """What the cluster says; the ledger's entries are still missing.

    Raises:
        CliError: there is no such deployment.

    """
    where = cluster.namespace
    deployment = cluster.get(path(SLIPWAY, "modeldeployments", where, name))
    if deployment is None:
        raise CliError(f"no ModelDeployment {name} in namespace {where}: `kubectl slipway status -n {where}` lists them")
    model = deployment["spec"]["model"]
    versions = [found for found in cluster.list(path(SLIPWAY, "modelversions", where)) if found["spec"]["model"] == model]
    versions.sort(key=lambda found: (found["metadata"]["creationTimestamp"], found["metadata"]["name"]), reverse=True)
    written = cluster.list(path("apps/v1", "controllerrevisions", where), f"slipway.dev/deployment={name}")
    mine = [found for found in written if deployment["metadata"]["uid"] in owners(found)]
    return Facts(
        deployment,
        cluster.get(path(SLIPWAY, "models", where, model)) or {"metadata": {"name": model}, "spec": {}},
        versions,
        sorted(mine, key=lambda found: int(found["revision"]), reverse=True),
        [found for found in _policies(cluster) if found["metadata"]["name"] in _named(deployment)],
        [],
    )


async def entries_of(store: S3Store, verifier: Verifier, deployment: Json) -> list[Stored]:
    """All that the ledger has of this very deployment, the oldest first, proved by its checkpoint."""
    from slipway.ledger.reader import Filter, Reader

    meta = deployment["metadata"]
    reader = await Reader.load(store, verifier)
    found = [stored async for stored in reader.newest(Filter(namespace=meta["namespace"], deployment=meta["name"]))]
    return [stored for stored in reversed(found) if stored.entry.object.uid == meta["uid"]]


def path_of(entries: list[Stored], version: str) -> Path:
    """How that version came to serve, last time."""

    def newest(transitions: tuple[str, ...], before: int | None = None) -> Stored | None:
        found = (
            stored
            for stored in reversed(entries)
            if stored.entry.transition in transitions
            and stored.entry.details.get("version") == version
            and (before is None or stored.index < before)
        )
        return next(found, None)

    applied = newest(("Applied",))
    started = newest(STARTED, applied.index if applied else None)
    revision = started.entry.details.get("revision") if started else None
    asked = [stored for stored in entries if stored.entry.transition == "Requested" and stored.entry.details.get("revision") == revision]
    return Path(applied, started, asked[-1] if asked else None)


def _policies(cluster: Cluster) -> list[Json]:
    try:
        return cluster.list(path(SLIPWAY, "approvalpolicies"))
    except CliError:  # who may not read them sees their names in the status
        return []


def _named(deployment: Json) -> list[Any]:
    return list((deployment.get("status", {}).get("approval") or {}).get("policies", []))
