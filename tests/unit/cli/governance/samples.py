"""A deployment behind the gate, and a cluster that holds it."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any, cast

from slipway.api.parse import parse
from slipway.api.v1alpha1 import Model, ModelDeployment, ModelVersion
from slipway.cli.cluster import SLIPWAY, ApiError, Cluster, Json, path
from slipway.plan.revision import content_of, revision_of

EVIL = "\x1b[31mred\x1b]0;title\x07 [bold]b[/] :smile:\n\u202e"
PLATFORM = {"runtime": {"format": "sklearn", "version": "1.9", "image": "registry.example/sklearn:1"}, "drainSeconds": 15}
WHERE = "growth"


def model(**spec: Any) -> Json:
    return {"metadata": {"name": "churn", "namespace": WHERE, "uid": "m"}, "spec": {"task": "Other"} | spec}


def version(number: str, uid: str = "", **spec: Any) -> Json:
    digest = "sha256:" + number[-1] * 64
    whole = {"model": "churn", "version": number, "format": {"name": "sklearn"}} | spec
    whole = {"artifact": {"uri": f"s3://models/churn/{number}/", "digest": digest}} | whole
    return {"metadata": {"name": f"churn-{number}", "namespace": WHERE, "uid": uid or f"v{number}"}, "spec": whole}


def deployment(number: str, **spec: Any) -> Json:
    meta = {"name": "churn", "namespace": WHERE, "uid": "d", "generation": 2}
    return {"metadata": meta, "spec": {"model": "churn", "version": number} | spec, "status": {"observedGeneration": 2}}


def content(deployed: Json, of: Json, modelled: Json | None = None, platform: Json | None = None) -> dict[str, Any]:
    parts = parse(ModelDeployment, deployed), parse(ModelVersion, of), parse(Model, modelled or model())
    return content_of(*parts, PLATFORM if platform is None else platform)


def approved(number: int, of: dict[str, Any], uid: str = "d") -> Json:
    """The ControllerRevision."""
    data = {"revision": revision_of(uid, number, of), "content": of, "approved": {"how": "Approved"}}
    return {
        "metadata": {"name": f"churn-{number}", "ownerReferences": [{"uid": uid}]},
        "revision": number,
        "data": copy.deepcopy(data),
    }


def waiting(asked: Json, revision: str, approved_revision: str = "", **approval: Any) -> Json:
    """The deployment with the operator's status."""
    stands = {"state": "Waiting", "since": "2026-11-25T07:00:00Z", "required": 1, "requestedBy": ["alice"], "policies": ["production"]}
    stands |= {"message": "needs 1 approval (has 0); requested by alice"} | approval
    asked["status"] |= {"revision": revision, "approval": stands} | ({"approvedRevision": approved_revision} if approved_revision else {})
    return asked


@dataclass
class Fake:
    """What is in a cluster, by its URL, and what was created."""

    objects: dict[str, Any]
    created: list[Json] = field(default_factory=list)
    refusals: list[ApiError] = field(default_factory=list)
    """To the first creations."""
    namespace: str = WHERE

    def get(self, url: str) -> Json | None:
        return cast("Json | None", copy.deepcopy(self.objects.get(url)))

    def list(self, url: str, selector: str = "") -> list[Json]:
        found = self.objects.get(url, [])
        if isinstance(found, ApiError):
            raise found
        return copy.deepcopy(cast("list[Json]", found))

    def create(self, url: str, body: Json, *, dry_run: bool = False) -> Json:
        self.created.append(copy.deepcopy(body))
        if self.refusals:
            raise self.refusals.pop(0)
        return body | {"metadata": body["metadata"] | {"name": "churn-x7k2p"}}

    def request(self, method: str, url: str, *, body: Json | None = None) -> Json:
        assert url.endswith("selfsubjectreviews")
        return {"status": {"userInfo": {"username": "bob", "groups": ["risk", "system:authenticated"]}}}


def cluster(fake: Fake) -> Cluster:
    return cast("Cluster", fake)


def holding(deployed: Json, *versions: Json, revisions: tuple[Json, ...] = (), modelled: Json | None = None) -> Fake:
    named = {path(SLIPWAY, "modelversions", WHERE, item["metadata"]["name"]): item for item in versions}
    return Fake(
        {
            path(SLIPWAY, "modeldeployments", WHERE, "churn"): deployed,
            path(SLIPWAY, "models", WHERE, "churn"): modelled or model(),
            path("apps/v1", "controllerrevisions", WHERE): copy.deepcopy(list(revisions)),
            **named,
        }
    )
