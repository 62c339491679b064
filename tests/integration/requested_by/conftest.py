"""One apiserver with the policies of two releases for all tests of the stamp."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path

import pytest

from tests.cluster.control_plane import ControlPlane
from tests.cluster.kubectl import kubectl
from tests.integration.requested_by.thing import BARE, FILLED, OUTSIDE, Thing
from tests.unit.chart.helm import PLATFORM, Manifest, render
from tests.wait import until

_numbers = count()


@pytest.fixture(scope="package")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """Two releases: one for a namespace with both policies, one for a namespace where the apiserver fills nothing in."""
    state = tmp_path_factory.mktemp("requested-by")
    with ControlPlane(state, with_controllers=False) as plane:
        for namespace in (PLATFORM, "platform-b", FILLED, BARE, OUTSIDE):
            kubectl(plane.kubeconfig, "create", "namespace", namespace)
        first, second = (
            render({"watchNamespaces": [FILLED]}),
            render({"watchNamespaces": [BARE], "admission": {"mutating": False}, "crds": {"install": False}}, namespace="platform-b"),
        )
        install(plane, state, [m for m in first if m["kind"] == "CustomResourceDefinition"])
        kubectl(plane.kubeconfig, "wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")
        older(plane)
        install(plane, state, [m for m in first + second if "AdmissionPolicy" in m["kind"]])
        in_effect(plane)
        yield plane


def install(plane: ControlPlane, state: Path, manifests: list[Manifest]) -> None:
    (state / "objects.json").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests}))
    kubectl(plane.kubeconfig, "apply", "--server-side", f"--filename={state / 'objects.json'}")


def older(plane: ControlPlane) -> None:
    """Objects from before the policies; of one the operator has seen the first generation."""
    garbage = {"garbage": "alice", "large-garbage": "x" * 200_000}
    for name in ("unseen", "seen", "untouched", *garbage):
        thing = Thing(plane, FILLED, name)
        until(partial(_served, thing, garbage.get(name)), 60, f"{name} to be created")
    Thing(plane, FILLED, "seen").observe()


def _served(thing: Thing, stamp: str | None) -> bool:
    return thing.create("somebody", stamp).code in (201, 409)


def in_effect(plane: ControlPlane) -> None:
    """Policies reach admission by a watch, a second or so after they were made."""

    def refuses(namespace: str) -> bool:
        return Thing(plane, namespace, "probe").create("prober", '{"generation":1,"by":["another"]}', "?dryRun=All").code == 403

    def fills() -> bool:
        return Thing(plane, FILLED, "probe").create("prober", query="?dryRun=All").landed

    for namespace in (FILLED, BARE):
        until(partial(refuses, namespace), 60, f"a forged stamp to be refused in {namespace}")
    until(fills, 60, "the stamp to be filled in")


@pytest.fixture
def thing(plane: ControlPlane) -> Thing:
    """A name that nobody has used."""
    return Thing(plane, FILLED, f"churn-{next(_numbers)}")


@pytest.fixture
def bare(thing: Thing) -> Thing:
    """Where the apiserver fills nothing in."""
    return replace(thing, namespace=BARE)
