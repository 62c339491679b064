"""Any spec, then any other, then the first again: children and status end as they were, and nothing is stuck on the way.

So they do when the Model and its versions go, and come back.

All at once, by one operator, on an apiserver without controllers: the test says what Deployments came to.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from tests.cluster.control_plane import ControlPlane
from tests.faults.drawn import Spec, transitions, world
from tests.faults.state import CHILDREN, difference, plain
from tests.integration.operator import OperatorProcess
from tests.integration.platform import platform
from tests.integration.samples import deployment
from tests.kube import Kube, Manifest, Refusal
from tests.wait import until

SECONDS = 120
COLLECTOR = "http://slipway-collector.slipway-system.svc:8080"
"""A platform with a prediction log: else each spec that asks for capture would only stall."""
_numbers = itertools.count()
_NUMBERS_OF_PODS = {"replicas", "readyReplicas", "updatedReplicas", "message"}


@pytest.fixture(scope="module")
def bare() -> Iterator[ControlPlane]:
    with platform("transitions", controllers=False) as plane:
        yield plane


def test_fifty_transitions(bare: ControlPlane) -> None:
    check(bare, 50)


@pytest.mark.full
@pytest.mark.timeout(3600)
def test_five_hundred_transitions(bare: ControlPlane) -> None:
    check(bare, 500)


Pairs = dict[str, tuple[Spec, Spec]]
"""By the deployment's name: the first spec, and the other."""
States = dict[str, dict[str, Any]]
"""By the deployment's name: itself and its children."""


def check(plane: ControlPlane, count: int) -> None:
    kube = Kube(plane.kubeconfig)
    pairs = {f"d{number}": pair for number, pair in enumerate(transitions(count))}
    with kube.namespace(f"transitions-{next(_numbers)}") as namespace:
        apply_world(kube, namespace)
        here = {"SLIPWAY_NAMESPACE": namespace, "SLIPWAY_WATCH_NAMESPACES": namespace, "SLIPWAY_COLLECTOR_URL": COLLECTOR}
        operator = OperatorProcess(plane.kubeconfig, "operator-0", **here)
        operator.start()
        try:
            first = move(kube, namespace, pairs, 0)
            second = move(kube, namespace, pairs, 1)
            move(kube, namespace, pairs, 0)
            await_equal(kube, namespace, pairs, first)
            judge_generator(first, second)
            take_away_what_they_refer_to(kube, namespace)
            apply_world(kube, namespace)
            settle(kube, namespace, pairs)
            await_equal(kube, namespace, pairs, first)
            bugs = {name: count for name, count in operator.metrics().items() if "reconciles_total" in name and '"bug"' in name}
            assert not any(bugs.values()), bugs
        finally:
            operator.end()


def apply_world(kube: Kube, namespace: str) -> None:
    for manifest in world(namespace):
        kube.apply(manifest)


def take_away_what_they_refer_to(kube: Kube, namespace: str) -> None:
    """Until all say so; what serves goes on serving."""
    for manifest in world(namespace):
        kube.delete(manifest["kind"], namespace, manifest["metadata"]["name"])
    until(
        lambda: all(reason({"ModelDeployment": found}) == "ModelMissing" for found in kube.list("ModelDeployment", namespace)),
        SECONDS,
        "all to miss their Model",
        every=0.5,
    )


def move(kube: Kube, namespace: str, pairs: Pairs, step: int) -> States:
    """All to their first spec (0) or to the other (1)."""
    replace(kube, namespace, {name: specs[step] for name, specs in pairs.items()})
    settle(kube, namespace, pairs)
    return states(kube, namespace)


def settle(kube: Kube, namespace: str, pairs: Pairs) -> None:
    """Until each does what it is asked, or says what a person must do."""
    unsettled: list[str] = []

    def settled() -> bool:
        roll_out(kube, namespace)
        unsettled[:] = [found["metadata"]["name"] for found in kube.list("ModelDeployment", namespace) if not at_rest(found)]
        return not unsettled

    try:
        until(settled, SECONDS, "all to settle", every=0.5)
    except AssertionError:
        raise AssertionError(f"stuck: {[(name, pairs[name]) for name in unsettled]}") from None


def replace(kube: Kube, namespace: str, specs: dict[str, Spec]) -> None:
    """No server-side apply: it leaves `null` where a map had entries and has none now, which a CRD's schema refuses."""
    for name, spec in specs.items():
        until(partial(_replaced, kube, deployment(namespace, name) | {"spec": spec}), SECONDS, f"{name} to be written")


def _replaced(kube: Kube, wanted: Manifest) -> bool:
    """False when the operator wrote a status meanwhile."""
    there = kube.get("ModelDeployment", wanted["metadata"]["namespace"], wanted["metadata"]["name"])
    try:
        if there is None:
            kube.create(wanted)
        else:
            kube.replace(wanted | {"metadata": wanted["metadata"] | {"resourceVersion": there["metadata"]["resourceVersion"]}})
    except Refusal as error:
        if error.code != 409:
            raise
        return False
    return True


def roll_out(kube: Kube, namespace: str) -> None:
    """What the Deployment controller would say in the end."""
    for child in kube.list("Deployment", namespace):
        replicas, generation = child["spec"]["replicas"], child["metadata"]["generation"]
        status = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), replicas)
        if child.get("status", {}).get("observedGeneration") != generation:
            kube.patch(
                "Deployment", namespace, child["metadata"]["name"], {"status": status | {"observedGeneration": generation}}, "status"
            )


def at_rest(found: Manifest) -> bool:
    """It does what this generation asks, or says what a person must do."""
    conditions = {condition["type"]: condition for condition in found["status"].get("conditions", [])}
    current = found["status"]["observedGeneration"] == found["metadata"]["generation"]
    return current and any(conditions.get(kind, {}).get("status") == "True" for kind in ("Ready", "Stalled"))


def states(kube: Kube, namespace: str) -> States:
    found: States = defaultdict(dict)
    for manifest in kube.list("ModelDeployment", namespace):
        manifest["status"].pop("outcome", None)  # it counts
        found[manifest["metadata"]["name"]]["ModelDeployment"] = plain("ModelDeployment", manifest, namespace)
    for kind in CHILDREN:
        for child in kube.list(kind, namespace, labelSelector="slipway.dev/deployment"):
            owner = child["metadata"]["labels"]["slipway.dev/deployment"]
            found[owner][f"{kind}/{child['metadata']['name']}"] = plain(kind, child, namespace)
    return found


def await_equal(kube: Kube, namespace: str, pairs: Pairs, first: States) -> None:
    """Until all are as they were in the beginning."""
    wrong: list[str] = []

    def equal() -> bool:
        wrong[:] = differences(pairs, first, states(kube, namespace))
        return not wrong

    try:
        until(equal, 20, "all to be as they were")
    except AssertionError:
        raise AssertionError("\n".join(wrong)) from None


def differences(pairs: Pairs, first: States, last: States) -> list[str]:
    """What served in the beginning is to be as it was; what was refused then, to be refused for the same reason."""
    wrong = []
    for name, (before, after) in pairs.items():
        expected, found = first[name], last[name]
        if not serves(expected):  # a child was refused, and what serves instead may go on
            expected, found = ({"reason": reason(state)} for state in (expected, found))
        elif "autoscaling" in before:  # the number of pods is the autoscaler's, who is not here
            expected, found = without_numbers(expected), without_numbers(found)
        if expected != found:
            wrong.append(f"{name}: {difference(expected, found)}\n  {before}\n  {after}")
    return wrong


def judge_generator(first: States, second: States) -> None:
    recovered = [name for name in first if serves(first[name]) and not serves(second[name])]
    assert sum(map(serves, first.values())) >= len(first) / 2, "the generator is lopsided: hardly any serves"
    assert len(recovered) >= len(first) / 10, "the generator is lopsided: hardly any was invalid in between"


def serves(state: dict[str, Any]) -> bool:
    return bool(state["ModelDeployment"]["status"]["phase"] in ("Serving", "ScaledToZero"))


def reason(state: dict[str, Any]) -> str:
    return next(str(c["reason"]) for c in state["ModelDeployment"]["status"]["conditions"] if c["type"] == "Ready")


def without_numbers(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_numbers(child) for key, child in value.items() if key not in _NUMBERS_OF_PODS}
    return [without_numbers(child) for child in value] if isinstance(value, list) else value
