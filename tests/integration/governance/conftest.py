"""A control plane with the chart's policies and roles, the people, and a namespace with a stage in which a model serves."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import pytest

from tests.cluster.control_plane import ControlPlane
from tests.integration.governance import cast
from tests.integration.governance.place import STAGE, Place
from tests.integration.people import Person
from tests.integration.platform import platform
from tests.kube import Kube

_numbers = itertools.count()


@pytest.fixture(scope="session")
def plane() -> Iterator[ControlPlane]:
    with platform("governance", policies=True) as plane:
        kube = Kube(plane.kubeconfig)
        metadata = {"name": "slipway-operator", "namespace": "slipway-system"}
        kube.apply(
            {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": {"holderIdentity": cast.OPERATOR_POD}}
        )
        yield plane


@pytest.fixture(scope="session")
def kube(plane: ControlPlane) -> Kube:
    return Kube(plane.kubeconfig)


@pytest.fixture(scope="session")
def mallory(plane: ControlPlane, kube: Kube) -> Person:
    """Who may write everything that makes pods, in every namespace."""
    cast.cluster_role(kube, "mighty", cast.MIGHTY)
    cast.bind(kube, "mighty", "mallory")
    who = cast.person(plane, "mallory")
    cast.await_right(who, "update", "modeldeployments")
    return who


@pytest.fixture(scope="session")
def place_of(plane: ControlPlane, kube: Kube) -> Iterator[Callable[..., Place]]:
    """Makes namespaces; all go in the end, with what is in them."""
    made: list[str] = []

    def make(stage: str | None = "production") -> Place:
        name = f"governed-{next(_numbers)}"
        labels = {STAGE: stage} if stage else {}
        kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
        made.append(name)
        return Place(plane, kube, name)

    yield make
    for name in made:
        kube.delete("Namespace", None, name)


@pytest.fixture(scope="session")
def serving(place_of: Callable[..., Place]) -> Place:
    """In which `churn` serves. For tests in which everything is refused: it stays as it is."""
    place = place_of()
    owner = place.register()
    place.serve(owner=owner, replicas=2)
    return place


@pytest.fixture
def place(place_of: Callable[..., Place]) -> Place:
    """A namespace with a stage, for one test."""
    return place_of()


@pytest.fixture(scope="session")
def operator(plane: ControlPlane) -> Person:
    return cast.operator(plane)
