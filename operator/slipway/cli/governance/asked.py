"""What a ModelDeployment asks for, beside what was approved last: as it is in the cluster."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from slipway.api.parse import parse
from slipway.api.v1alpha1 import Model, ModelDeployment, ModelVersion
from slipway.cli.cluster import SLIPWAY, Cluster, Json, path
from slipway.cli.errors import CliError
from slipway.cli.view.problems import conditions
from slipway.cli.view.snapshot import owners
from slipway.errors import Stalled
from slipway.plan.revision import Snapshot, content_of, revision_of, snapshots_of

PATIENCE = 10.0
"""Seconds for the operator to look at the latest change."""
UNNAMED = ("InvalidSpec", "ModelMissing", "VersionMissing", "VersionMismatch", "RuntimeNotFound")
"""Reasons of `Stalled` with which `status.revision` is what was asked before."""


@dataclass(frozen=True)
class Asked:
    """One look."""

    deployment: Json
    version: Json
    content: dict[str, Any]
    """With the platform that was approved: what the operator would add is not known here."""
    newest: Snapshot | None
    approved_version: Json | None
    """None when nothing was approved, or it is gone, or another one has its name."""

    @property
    def status(self) -> Json:
        found: Json = self.deployment["status"]
        return found

    @property
    def revision(self) -> str:
        """What an approval would cover."""
        return str(self.status.get("revision", ""))

    @property
    def approval(self) -> Json:
        return self.status.get("approval") or {}

    @property
    def is_settled(self) -> bool:
        """What is asked for is what was approved."""
        return self.newest is not None and self.newest.covers(self.content)

    @property
    def is_proved(self) -> bool:
        """The revision's name follows from what is shown: nothing else hides in it."""
        number = self.newest.number + 1 if self.newest else 1
        return revision_of(self.deployment["metadata"]["uid"], number, self.content) == self.revision


def read(cluster: Cluster, name: str) -> Asked:
    """The deployment first, then the rest: an older revision than what is shown approves nothing, a newer one would.

    Raises:
        CliError: nothing governs it, or what it asks for cannot be named.

    """
    deployment = _observed(cluster, name)
    where, spec, status = cluster.namespace, deployment["spec"], deployment.get("status", {})
    stalled = conditions(deployment).get("Stalled", {})
    if stalled.get("status") == "True" and stalled.get("reason") in UNNAMED:
        raise CliError(f"what {name} asks for cannot be approved yet: {stalled.get('message', '')}")
    if not status.get("revision"):
        raise CliError(
            f"no ApprovalPolicy governs {name} in namespace {where}: what is asked for starts without approval. A namespace is governed "
            "where its label slipway.dev/stage is in a policy's match.stages (kubectl get slap)"
        )
    version = _must(cluster, "modelversions", "ModelVersion", f"{spec['model']}-{spec['version']}", name)
    model = _must(cluster, "models", "Model", spec["model"], name)
    newest = _newest(cluster, deployment)
    return Asked(deployment, version, _content(deployment, version, model, newest), newest, _approved_version(cluster, newest))


def _observed(cluster: Cluster, name: str) -> Json:
    """The deployment, once the operator has looked at its latest change."""

    def look() -> Json | None:
        found = cluster.get(path(SLIPWAY, "modeldeployments", cluster.namespace, name))
        if found is None:
            raise CliError(
                f"no ModelDeployment {name} in namespace {cluster.namespace}: `kubectl slipway status -n {cluster.namespace}` lists them"
            )
        seen = found.get("status", {}).get("observedGeneration", -1) == found["metadata"].get("generation")
        return found if seen else None

    if found := patiently(look, PATIENCE):
        return found
    raise CliError(
        f"the operator has not looked at the latest change of {name} yet: try again; if that lasts, see that it runs "
        "(kubectl -n slipway-system get deployment slipway-operator)"
    )


def patiently(look: Callable[[], Json | None], seconds: float, every: float = 0.25) -> Json | None:
    """The first thing that `look` finds; None when there is nothing in time."""
    end = time.monotonic() + seconds
    while (found := look()) is None and time.monotonic() < end:
        time.sleep(every)
    return found


def _must(cluster: Cluster, plural: str, kind: str, name: str, deployment: str) -> Json:
    found = cluster.get(path(SLIPWAY, plural, cluster.namespace, name))
    if found is None:
        raise CliError(f"{kind} {name}, which {deployment} asks for, is not in namespace {cluster.namespace}: apply or push it first")
    return found


def _newest(cluster: Cluster, deployment: Json) -> Snapshot | None:
    """What was approved last: as the operator says, for others may make ControllerRevisions, too."""
    meta = deployment["metadata"]
    url = path("apps/v1", "controllerrevisions", cluster.namespace)
    written = cluster.list(url, f"slipway.dev/deployment={meta['name']}")
    snapshots = snapshots_of(found for found in written if meta["uid"] in owners(found))
    approved = deployment["status"].get("approvedRevision", "")
    newest = next((snapshot for snapshot in snapshots if snapshot.revision == approved), None)
    if approved and newest is None:
        raise CliError(
            f"the approved revision {approved} is not among the ControllerRevisions of {meta['name']}, so what would change cannot be "
            f"shown: see kubectl -n {cluster.namespace} get controllerrevisions, and ask the platform's team"
        )
    if newest and revision_of(meta["uid"], newest.number, newest.content) != newest.revision:
        raise CliError(f"ControllerRevision {newest.manifest['metadata']['name']} does not hold what {approved} names: it was altered")
    return newest


def _content(deployment: Json, version: Json, model: Json, newest: Snapshot | None) -> dict[str, Any]:
    try:
        parts = parse(ModelDeployment, deployment), parse(ModelVersion, version), parse(Model, model)
    except Stalled as error:
        raise CliError(f"{error.message}: if the cluster's Slipway is newer than this plugin, install the plugin of its version") from error
    return content_of(*parts, newest.content["platform"] if newest else {})


def _approved_version(cluster: Cluster, newest: Snapshot | None) -> Json | None:
    """The ModelVersion that was approved, for what it says of itself; only its content is kept with the approval."""
    if newest is None:
        return None
    approved = newest.content["version"]
    found = cluster.get(path(SLIPWAY, "modelversions", cluster.namespace, approved["name"]))
    return found if found and found["metadata"]["uid"] == approved["uid"] else None
