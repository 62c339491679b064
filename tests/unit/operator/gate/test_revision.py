"""A revision is what docs/revisions.md says it is, and builds again what was asked for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from slipway.api.parse import parse
from slipway.api.v1alpha1 import Model, ModelDeployment, ModelVersion
from slipway.plan.build import build_children
from slipway.plan.revision import build_snapshot, content_of, platform_of, restored, revision_of, snapshots_of
from slipway.settings import Serving
from tests.integration.samples import deployment, model, version
from tests.kube import Manifest
from tests.unit.docs.pages import ROOT
from tests.unit.operator.gate.world import SERVING

VECTORS: list[dict[str, Any]] = json.loads((ROOT / "docs/revision-vectors.json").read_text())
KEY = "-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----\n"
COLLECTOR = "http://slipway-collector.slipway-system.svc:8080"
CONTAINER = {"image": "registry.example/shop@sha256:" + "c" * 64, "port": 9999, "grpcPort": 9001, "args": ["--fast"]}
CUSTOM = {"format": {"name": "custom"}, "artifact": None, "container": CONTAINER}
POD = {
    "nodeSelector": {"disk": "ssd"},
    "tolerations": [{"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}],
    "env": [{"name": "GREETING", "value": 'grüß "dich" 🐙\t\u007f'}, {"name": "TOKEN", "secretKey": {"name": "s", "key": "k"}}],
    "imagePullSecrets": ["pull"],
}

Parts = tuple[ModelDeployment, ModelVersion, Model, Serving]
CASES: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "minimal": ({}, {}, {}, {}),
    "custom container": ({}, CUSTOM, {}, {}),
    "importance": ({}, {}, {"importance": "High"}, {}),
    "stopped": ({"replicas": 0}, {}, {}, {}),
    "retire": ({"retire": True}, {}, {}, {}),
    "signed by": ({}, {}, {}, {"signed_by": (KEY,)}),
    "environment that is not ASCII": ({"pod": {"env": POD["env"]}}, {}, {}, {}),
    "many fields": (
        {"pod": POD, "resources": {"requests": {"cpu": "500m"}, "limits": {"memory": "1Gi"}}},
        {"format": {"name": "sklearn", "version": "1.9"}},
        {"importance": "Critical"},
        {"signed_by": (KEY,), "fetch_env": {"HTTPS_PROXY": "http://proxy.example:3128"}, "drain_seconds": 30},
    ),
    "captured by itself": ({}, {}, {}, {"collector": COLLECTOR}),
    "captured as asked": ({"capture": {"mode": "Metadata", "samplePercent": 100, "delivery": "Durable"}}, {}, {}, {"collector": COLLECTOR}),
    "capture disabled": ({"capture": {"mode": "Disabled"}}, {}, {}, {"collector": COLLECTOR}),
}
"""By the names of the vectors: what is set of the deployment, the version, the Model and the platform."""


def parts(name: str) -> Parts:
    of_deployment, of_version, of_model, platform = CASES[name]
    return (
        parse(ModelDeployment, known(deployment("growth", **of_deployment))),
        parse(ModelVersion, known(version("growth", **of_version))),
        parse(Model, known(model("growth", **of_model))),
        replace(SERVING, **platform),
    )


def known(manifest: Manifest) -> Manifest:
    """As the apiserver returns it."""
    spec = {key: value for key, value in manifest["spec"].items() if value is not None}
    meta = manifest["metadata"] | {"uid": f"{manifest['kind']}-uid", "generation": 1}
    return manifest | {"metadata": meta, "spec": spec}


def content(name: str) -> dict[str, Any]:
    owner, of, registered, serving = parts(name)
    return content_of(owner, of, registered, platform_of(owner, of, serving))


def independent(uid: str, number: int, content: Mapping[str, Any]) -> str:
    """By the page alone."""
    text = json.dumps({"content": content, "number": number, "uid": uid}, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return "v1:" + hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_vectors(vector: dict[str, Any]) -> None:
    uid, number, revision = vector["uid"], vector["number"], vector["revision"]
    assert independent(uid, number, vector["content"]) == revision
    assert revision_of(uid, number, vector["content"]) == revision
    assert content(vector["name"]) == vector["content"]


def test_there_is_a_vector_for_each_case() -> None:
    assert [vector["name"] for vector in VECTORS] == list(CASES)
    assert len({vector["revision"] for vector in VECTORS}) == len(VECTORS)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("stored", [False, True], ids=["as built", "as stored"])
def test_what_was_approved_builds_the_same_children(name: str, stored: bool) -> None:
    owner, of, registered, serving = parts(name)
    asked = content_of(owner, of, registered, platform_of(owner, of, serving))
    manifest = build_snapshot(owner, 1, revision_of(owner.metadata.uid, 1, asked), asked, {"how": "Approved", "by": [], "at": ""})
    if stored:
        manifest = json.loads(json.dumps(manifest))
    (snapshot,) = snapshots_of([manifest])

    assert snapshot.covers(asked)
    again, version_again, platform = restored(snapshot, owner, 1)
    assert build_children(again, version_again, platform) == build_children(owner, of, serving)
    assert content_of(again, of, registered, platform_of(again, version_again, platform)) == asked


SAME: list[dict[str, Any]] = [{"replicas": 1}, {"replicas": 7}, {"retire": False}, {"resources": {}}, {"autoscaling": {"maxReplicas": 3}}]


@pytest.mark.parametrize("spec", SAME, ids=str)
def test_defaults_and_sizes_are_no_part_of_it(spec: dict[str, Any]) -> None:
    _, of, registered, serving = parts("minimal")
    other = parse(ModelDeployment, known(deployment("growth", **spec)))
    assert content_of(other, of, registered, platform_of(other, of, serving)) == content("minimal")


def test_a_default_inside_a_part_is_no_part_of_it() -> None:
    plain = {"format": {"name": "custom"}, "artifact": None, "container": {"image": "registry.example/shop:1"}}
    spelled = plain | {"container": {"image": "registry.example/shop:1", "port": 8080, "command": [], "args": []}}
    owner, _, registered, serving = parts("minimal")
    found = [
        content_of(owner, of, registered, platform_of(owner, of, serving))
        for of in (parse(ModelVersion, known(version("growth", **spec))) for spec in (plain, spelled))
    ]
    assert found[0] == found[1]
    assert found[0]["version"]["container"] == {"image": "registry.example/shop:1"}


def test_lineage_is_no_part_of_it() -> None:
    owner, _, registered, serving = parts("minimal")
    other = parse(ModelVersion, known(version("growth", lineage={"trainedAt": "2026-11-23T08:00:00Z"})))
    assert content_of(owner, other, registered, platform_of(owner, other, serving)) == content("minimal")


def test_a_log_that_does_not_capture_the_deployment_is_no_part_of_it() -> None:
    owner, of, registered, serving = parts("custom container")
    serving = replace(serving, collector=COLLECTOR)
    assert content_of(owner, of, registered, platform_of(owner, of, serving)) == content("custom container")


@pytest.mark.parametrize("change", [("uid", 1), ("Deployment-uid", 2)])
def test_uid_and_number_are_part_of_it(change: tuple[str, int]) -> None:
    assert revision_of(*change, content("minimal")) != revision_of("Deployment-uid", 1, content("minimal"))
