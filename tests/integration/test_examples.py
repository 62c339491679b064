"""Every YAML block of the docs and every example is what the real apiserver takes: unknown fields refused, nothing stored."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from slipway.api.types import API_VERSION
from tests.kube import Kube, Manifest
from tests.unit.docs.pages import ROOT, blocks, pages

CLUSTER_SCOPED = {"Namespace", "ApprovalPolicy", "ClusterRole", "ClusterRoleBinding"}


def documented() -> Iterator[tuple[str, str]]:
    """Place and text of every `yaml` block of README and docs/, without decisions and blocks that are marked."""
    for page in pages():
        if ROOT / "docs/adr" in page.parents:
            continue
        for line, body in blocks(page.read_text(), "yaml"):
            yield f"{page.relative_to(ROOT)}:{line}", body


def examples() -> Iterator[tuple[str, str]]:
    for path in sorted((ROOT / "examples").rglob("*.yaml")):
        yield str(path.relative_to(ROOT)), path.read_text()


def documents(text: str) -> list[Manifest]:
    return [document for document in yaml.safe_load_all(text) if document]


PLACES = dict([*documented(), *examples()])


@pytest.fixture(scope="module")
def module_namespace(kube: Kube) -> Iterator[str]:
    with kube.namespace("test-examples") as name:
        yield name


@pytest.mark.parametrize("place", PLACES)
def test_the_apiserver_takes_it(place: str, kube: Kube, module_namespace: str) -> None:
    found = documents(PLACES[place])
    assert found, f"{place} holds no object: mark a block that is none with <!-- not applied -->"
    for manifest in found:
        assert {"apiVersion", "kind", "metadata"} <= manifest.keys(), f"{place} is no object: mark it with <!-- not applied -->"
        if manifest["kind"] not in CLUSTER_SCOPED:
            manifest["metadata"]["namespace"] = module_namespace
        if "generateName" in manifest["metadata"]:
            kube.create(manifest, dryRun="All", fieldValidation="Strict")
        else:
            kube.apply(manifest, dry_run=True)


def test_each_of_our_kinds_is_shown() -> None:
    shown = {document["kind"] for text in PLACES.values() for document in documents(text) if document["apiVersion"] == API_VERSION}
    assert shown == {"Model", "ModelVersion", "ModelDeployment", "ApprovalPolicy", "ModelApproval", "ModelMonitor"}


def test_examples_are_there() -> None:
    assert {Path(place).parts[1] for place in PLACES if place.startswith("examples/")} >= {"quickstart", "custom-container"}
