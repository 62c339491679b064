"""What is known of one ModelDeployment: the objects as they are, and all that the ledger has of it, proved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from slipway.cli.cluster import SLIPWAY, ApiError, Cluster, Json, path
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
    policies: list[Json] | None
    """Those that have a say; None for somebody who may not read them."""
    entries: list[Stored]
    """About the deployment, the oldest first."""
    doubts: Sequence[str] = ()
    """Whether those whose approval is needed are there."""
    checkpoint: str = ""
    """The signed one that the ledger was read under; empty for a ledger that has none yet."""

    def version(self, name: str) -> Json | None:
        return next((found for found in self.versions if found["spec"]["version"] == name), None)


@dataclass(frozen=True)
class Path:
    """How bytes came to serve: the entries that say so; None where there is none."""

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
        _policies(cluster, _named(deployment)),
        [],
    )


async def with_entries(store: S3Store, verifier: Verifier, facts: Facts) -> Facts:
    """With all that the ledger has of this very deployment, and the checkpoint that proves it."""
    from slipway.ledger.reader import Filter, Reader

    meta = facts.deployment["metadata"]
    reader = await Reader.load(store, verifier)
    found = [stored async for stored in reader.newest(Filter(namespace=meta["namespace"], deployment=meta["name"]))]
    mine = [stored for stored in reversed(found) if stored.entry.object.uid == meta["uid"]]
    return replace(facts, entries=mine, checkpoint=(reader.note or b"").decode())


def path_of(entries: list[Stored], version: str, digest: str | None = None) -> Path:
    """How the version came to serve, last time; as bytes of `digest`: a version may be deleted and registered again with others."""
    rollouts = [stored for stored in entries if (stored.entry.transition, stored.entry.reason) == ("Applied", "RolloutStarted")]
    applied = next((stored for stored in reversed(rollouts) if _is_about(stored, version, digest)), None)
    end = applied.index if applied else entries[-1].index + 1 if entries else 0
    others = [stored.index for stored in rollouts if stored.index < end and not _is_about(stored, version, digest)]
    started = _started([stored for stored in entries if _is_about(stored, version, digest)], max(others, default=-1), end)
    revision = started.entry.details.get("revision") if started else None
    asked = [stored for stored in entries if stored.entry.transition == "Requested" and stored.entry.details.get("revision") == revision]
    return Path(applied, started, asked[-1] if started and asked else None)


def _started(entries: list[Stored], begin: int, end: int) -> Stored | None:
    """What let the rollout at `end` start; `begin`: another one, which used up what was approved before it. Or what took it over later."""
    found = [stored for stored in entries if stored.entry.transition in STARTED and stored.index > begin]
    before = [stored for stored in found if stored.index < end]
    after = [stored for stored in found if stored.index > end and stored.entry.transition == "TakenOver"]
    return before[-1] if before else after[0] if after else None


def _is_about(stored: Stored, version: str, digest: str | None) -> bool:
    details = stored.entry.details
    return details.get("version") == version and (not digest or details.get("digest") in (digest, None))


def _policies(cluster: Cluster, names: list[str]) -> list[Json] | None:
    try:
        return [found for found in cluster.list(path(SLIPWAY, "approvalpolicies")) if found["metadata"]["name"] in names]
    except ApiError as error:
        if error.code != 403:
            raise
        return None


def _named(deployment: Json) -> list[str]:
    return list((deployment.get("status", {}).get("approval") or {}).get("policies", []))
