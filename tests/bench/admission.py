"""What the admission policies add to a write: the same writes, by turns, to an apiserver with the policies and to one without."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

from tests.bench.table import Row, Table
from tests.cluster.console import step
from tests.cluster.control_plane import ControlPlane
from tests.integration.governance import cast
from tests.integration.governance.place import APPS, STAGE, Place, approval, owned, pod_template, workload
from tests.integration.identity import RBAC_KINDS, install
from tests.integration.people import JSON, MERGE, Person
from tests.integration.platform import platform
from tests.integration.samples import apply_all
from tests.kube import Kube, Manifest

WRITES = int(os.environ.get("WRITES", "2000"))
"""Of each sort, to each of the two."""
WARM_UP = 100
BOUND_MILLISECONDS = 5
Write = Callable[[], None]
Took = dict[bool, list[float]]
"""Milliseconds of each write, with the policies and without."""


async def run() -> Table:
    with ExitStack() as stack:
        sides = {on: Side(stack.enter_context(platform(f"bench-{on}", controllers=False, policies=on))) for on in (True, False)}
        writes = {on: side.writes() for on, side in sides.items()}
        took = {what: _by_turns({on: writes[on][what] for on in sides}, what) for what in writes[True]}
    about = (
        f"{WRITES} writes of each sort to an apiserver with all policies and to one without, by turns, one at a time, in a namespace "
        "that has a stage. No operator catches up meanwhile, which is the dearest case of the stamp."
    )
    return Table("Admission", about, [row for what in took for row in _rows(what, took[what])])


def _by_turns(writes: dict[bool, Write], what: str) -> Took:
    took: Took = {True: [], False: []}
    with step(f"{what}, {WRITES} times"):
        for number in range(WARM_UP + WRITES):
            for on in (True, False) if number % 2 else (False, True):
                began = time.perf_counter()
                writes[on]()
                if number >= WARM_UP:
                    took[on].append(1000 * (time.perf_counter() - began))
    return took


def _rows(what: str, took: Took) -> Iterator[Row]:
    for name, share, bound in (("median", 0.5, None), ("p99", 0.99, BOUND_MILLISECONDS)):
        without, with_them = (sorted(took[on])[int(share * WRITES)] for on in (False, True))
        yield Row(f"{what}, {name} without policies", without, "ms")
        yield Row(f"{what}, {name} added by them", with_them - without, "ms", at_most=bound)


class Session:
    """Somebody's connection, which stays open."""

    def __init__(self, who: Person) -> None:
        self._who = who
        self._connection = who.connect()

    def send(self, method: str, path: str, body: Any) -> None:
        answer = self._who.ask(self._connection, method, path, body, JSON if method == "POST" else MERGE)
        assert answer.landed, answer.message


class Side:
    """One of the two apiservers, with a model that serves, as far as that goes without controllers."""

    def __init__(self, plane: ControlPlane) -> None:
        self.plane = plane
        self.kube = Kube(plane.kubeconfig)
        self.place = Place(plane, self.kube, "bench")
        install(self.kube, RBAC_KINDS)
        self._prepare()

    def writes(self) -> dict[str, Write]:
        """What is measured, each by who does it in a cluster."""
        place, numbers = self.place, itertools.count(1)
        user = Session(Person(self.plane, "alice@example.com"))
        controller = Session(cast.controller(self.plane, "deployment-controller"))
        kubelet = Session(Person(self.plane, "system:node:bench"))

        def patch(session: Session, path: str, change: Callable[[int], Manifest]) -> Write:
            return lambda: session.send("PATCH", path, change(next(numbers)))

        child, pod = place.path(APPS, "deployments", "churn"), place.path("/api/v1", "pods", "churn", "status")
        return {
            "edit a ModelDeployment": patch(user, place.mine(), lambda n: {"spec": {"replicas": 1 + n % 900}}),
            "create a ModelApproval": lambda: user.send("POST", place.mine("modelapprovals", ""), approval()),
            "a child Deployment, by its controller": patch(controller, child, lambda n: annotated("deployment.kubernetes.io/revision", n)),
            "a pod's status": patch(kubelet, pod, lambda n: {"status": {"message": str(n)}}),
        }

    def _prepare(self) -> None:
        place = self.place
        self.kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": place.namespace, "labels": {STAGE: "production"}}})
        lease: Manifest = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "spec": {"holderIdentity": cast.OPERATOR_POD}}
        self.kube.apply(lease | {"metadata": {"name": "slipway-operator", "namespace": "slipway-system"}})
        owner = apply_all(self.kube, place.namespace)
        place.operate(APPS, "deployments", workload("Deployment", owned("churn", owner), "churn"))
        template = pod_template("churn")
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": template["metadata"] | {"name": "churn"}, "spec": template["spec"]}
        answer = cast.controller(self.plane, "replicaset-controller").send("POST", place.path("/api/v1", "pods"), pod)
        assert answer.landed, answer.message


def annotated(key: str, number: int) -> Manifest:
    return {"metadata": {"annotations": {key: str(number)}}}
