"""What an approval covers: the content of a revision, its name, and approved ones as ControllerRevisions (docs/revisions.md)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from slipway.api.types import ApiModel, ObjectMeta
from slipway.api.v1alpha1 import Model, ModelDeployment, ModelVersion
from slipway.api.v1alpha1.model_deployment import ModelDeploymentSpec
from slipway.api.v1alpha1.model_version import ModelVersionSpec
from slipway.cluster.resources import Manifest
from slipway.plan.build.capture import capture_of
from slipway.plan.build.metadata import child_metadata
from slipway.plan.build.pod import find_fetcher
from slipway.settings import Runtime, Serving

KEPT = 10
"""Approved revisions that stay; older ones are deleted."""


@dataclass(frozen=True)
class Snapshot:
    """An approved revision."""

    number: int
    revision: str
    content: Mapping[str, Any]
    approved: Mapping[str, Any]
    """`how`, `at`, `by`, and the generations that it was approved at."""
    manifest: Manifest

    def covers(self, content: Mapping[str, Any]) -> bool:
        """Whether that is what was approved; the platform is pinned, and no change."""
        return _without_platform(self.content) == _without_platform(content)


def content_of(owner: ModelDeployment, version: ModelVersion, model: Model, platform: Mapping[str, Any]) -> dict[str, Any]:
    """The content of the revision that the deployment asks for, as docs/revisions.md has it."""
    importance = {"importance": model.spec.importance} if model.spec.importance else {}
    return {
        "model": {"name": model.metadata.name, "uid": model.metadata.uid, **importance},
        "version": {
            "name": version.metadata.name,
            "uid": version.metadata.uid,
            **_set(version.spec, {"version", "format", "artifact", "container"}),
        },
        "deployment": _set(owner.spec, set(ModelDeploymentSpec.model_fields) - {"replicas", "autoscaling", "retire"}),
        **({"stopped": True} if owner.spec.replicas == 0 else {}),
        **({"retire": True} if owner.spec.retire else {}),
        "platform": dict(platform),
    }


def platform_of(owner: ModelDeployment, version: ModelVersion, serving: Serving) -> dict[str, Any]:
    """What the operator adds to a pod of the version.

    Raises:
        Stalled: no image is configured for it, or it cannot be captured as asked.

    """
    runtime = find_fetcher(version, serving)
    whole: dict[str, Any] = {
        "runtime": {"format": runtime.format, "version": runtime.version, "image": runtime.image} if runtime else None,
        "fetchEnv": dict(serving.fetch_env),
        "drainSeconds": serving.drain_seconds,
        "signedBy": list(serving.signed_by),
        "collector": serving.collector if capture_of(owner, version, serving) else None,
    }
    return {key: value for key, value in whole.items() if value not in (None, {}, [])}


def revision_of(uid: str, number: int, content: Mapping[str, Any]) -> str:
    """`v1:` and the SHA-256 of the canonical JSON."""
    canonical = orjson.dumps({"content": content, "number": number, "uid": uid}, option=orjson.OPT_SORT_KEYS)
    return f"v1:{hashlib.sha256(canonical).hexdigest()}"


def snapshots_of(manifests: Iterable[Manifest]) -> list[Snapshot]:
    """The approved revisions in ControllerRevisions, newest first."""
    found = [
        Snapshot(manifest["revision"], data["revision"], data["content"], data["approved"], manifest)
        for manifest in manifests
        if {"revision", "content", "approved"} <= (data := manifest.get("data") or {}).keys()
    ]
    return sorted(found, key=lambda snapshot: snapshot.number, reverse=True)


def build_snapshot(owner: ModelDeployment, number: int, revision: str, content: Mapping[str, Any], approved: Mapping[str, Any]) -> Manifest:
    """The ControllerRevision of an approved revision. Keys are sorted: data is immutable byte by byte, and others may rewrite it."""
    manifest = {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": child_metadata(owner, f"{owner.metadata.name}-{number}"),
        "revision": number,
        "data": {"approved": approved, "content": content, "revision": revision},
    }
    decoded: Manifest = orjson.loads(orjson.dumps(manifest, option=orjson.OPT_SORT_KEYS))
    return decoded


def restored(snapshot: Snapshot, owner: ModelDeployment, live_replicas: int) -> tuple[ModelDeployment, ModelVersion, Serving]:
    """What was approved, in the size that is asked for now: the size is no part of a revision, unless it is nothing.

    `live_replicas`: what stays while stopping waits for approval.
    """
    content = snapshot.content
    stopped, asked = content.get("stopped", False), owner.spec
    size: dict[str, Any] = {"replicas": 0} if stopped else {"replicas": asked.replicas or live_replicas, "autoscaling": asked.autoscaling}
    spec = ModelDeploymentSpec.model_validate({**content["deployment"], **size, "retire": content.get("retire", False)})
    version = content["version"]
    parts = {"model": content["model"]["name"]} | {key: value for key, value in version.items() if key not in ("name", "uid")}
    meta = ObjectMeta(name=version["name"], namespace=owner.metadata.namespace, uid=version["uid"])
    return (
        owner.model_copy(update={"spec": spec}),
        ModelVersion(metadata=meta, spec=ModelVersionSpec.model_validate(parts)),
        _pinned(content["platform"]),
    )


def _pinned(platform: Mapping[str, Any]) -> Serving:
    runtime = platform.get("runtime")
    return Serving(
        runtimes=(Runtime(**runtime),) if runtime else (),
        fetch_env=platform.get("fetchEnv", {}),
        drain_seconds=platform.get("drainSeconds", 0),
        signed_by=tuple(platform.get("signedBy", ())),
        collector=platform.get("collector", ""),
    )


def _set(part: ApiModel, fields: set[str]) -> dict[str, Any]:
    """Those fields as JSON, without what is left at its default."""
    dumped: dict[str, Any] = part.model_dump(mode="json", include=fields, exclude_defaults=True)
    return dumped


def _without_platform(content: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in content.items() if key != "platform"}
