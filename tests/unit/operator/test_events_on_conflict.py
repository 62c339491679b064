"""A write that fails in the middle of a pass loses no Event. The apiserver is a function that answers as one does."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest

from slipway.cluster.client import Cluster
from slipway.cluster.http import Conflict, NotFound, Refused, Request
from slipway.cluster.resources import DEPLOYMENT, MODEL, MODEL_DEPLOYMENT, MODEL_VERSION
from slipway.cluster.store import Store
from slipway.reconcile.queue import ObjectKey
from slipway.reconcile.reconciler import Reconciler
from slipway.settings import Runtime, Serving
from tests.integration.samples import deployment, model, version

KEY = ObjectKey("ModelDeployment", "n", "churn")
SERVING = Serving(runtimes=(Runtime("sklearn", "1.9", "registry.example/sklearn:1.9"),))


class Apiserver:
    """Keeps what is written; refuses the next status writes with 409 as often as it is told."""

    def __init__(self) -> None:
        self.version = 100
        self.conflicts = 0
        self.refused: Exception | None = None
        self.events: list[str] = []

    async def __call__(self, request: Request) -> Any:
        if request.path.endswith("/events"):
            self.events.append(f"{request.body['reason']}: {request.body['message']}")
            return request.body
        if request.path.endswith("/status") and self.conflicts:
            self.conflicts -= 1
            raise Conflict(409, "Conflict", "the object has been modified")
        if request.method == "GET":
            raise NotFound(404, "NotFound", "none")
        if self.refused and request.path.endswith("/deployments/churn"):
            raise self.refused
        self.version += 1
        stored = {"spec": deployment("n")["spec"]} | deepcopy(request.body)  # a status is answered with the whole object
        stored["metadata"] |= {"uid": stored["metadata"].get("uid", f"uid-{request.path}"), "resourceVersion": str(self.version)}
        return stored | {"metadata": stored["metadata"] | {"generation": 1, "creationTimestamp": "2026-11-23T12:00:00Z"}}


def seen(manifest: dict[str, Any], uid: str) -> dict[str, Any]:
    """As the watch tells of it."""
    made = {"uid": uid, "resourceVersion": "1", "generation": 1, "creationTimestamp": "2026-11-23T11:00:00Z"}
    return manifest | {"metadata": manifest["metadata"] | made}


@pytest.fixture
def apiserver() -> Apiserver:
    return Apiserver()


@pytest.fixture
def store() -> Store:
    store = Store()
    store.put(MODEL, seen(model("n"), "m"))
    store.put(MODEL_VERSION, seen(version("n"), "v"))
    store.put(MODEL_DEPLOYMENT, seen(deployment("n"), "d"))
    return store


@pytest.fixture
def reconciler(apiserver: Apiserver, store: Store) -> Reconciler:
    return Reconciler(store, Cluster(apiserver), SERVING, now=lambda: datetime(2026, 11, 23, 12, tzinfo=UTC))


def refresh(store: Store, version: str) -> None:
    """The newer state that the conflict was about arrives through the watch."""
    owner = deepcopy(store.get(MODEL_DEPLOYMENT, "n", "churn"))
    assert owner is not None
    owner["metadata"]["resourceVersion"] = version
    store.put(MODEL_DEPLOYMENT, owner)


async def test_what_was_applied_is_told_though_the_status_conflicts(apiserver: Apiserver, store: Store, reconciler: Reconciler) -> None:
    apiserver.conflicts = 1
    with pytest.raises(Conflict):
        await reconciler.reconcile(KEY)
    assert apiserver.events == ["Deployed: Rolling out version 3 of model churn"]
    refresh(store, "2")
    await reconciler.reconcile(KEY)
    assert apiserver.events == ["Deployed: Rolling out version 3 of model churn"], "and once"


async def test_a_repair_is_told_though_the_status_conflicts(apiserver: Apiserver, store: Store, reconciler: Reconciler) -> None:
    await reconciler.reconcile(KEY)
    apiserver.events.clear()
    child = deepcopy(store.get(DEPLOYMENT, "n", "churn"))
    assert child is not None
    child["metadata"]["resourceVersion"] = "9000"
    child["spec"]["replicas"] = 7
    apiserver.version = 9000
    store.put(DEPLOYMENT, child)
    refresh(store, "9001")
    owner = store.get(MODEL_DEPLOYMENT, "n", "churn")
    assert owner is not None
    owner["status"]["phase"] = "Serving"  # so that there is a status to write
    apiserver.conflicts = 1
    with pytest.raises(Conflict):
        await reconciler.reconcile(KEY)
    assert [event.partition(":")[0] for event in apiserver.events] == ["ChildRepaired"]


async def test_what_a_status_tells_comes_with_the_retry(apiserver: Apiserver, store: Store, reconciler: Reconciler) -> None:
    apiserver.refused = Refused(403, "Forbidden", "exceeded quota: q")
    apiserver.conflicts = 2
    for attempt in range(2):
        with pytest.raises(Conflict):
            await reconciler.reconcile(KEY)
        assert apiserver.events == []
        refresh(store, str(2 + attempt))
    await reconciler.reconcile(KEY)
    assert apiserver.events == ["Stalled: QuotaExceeded: exceeded quota: q"]
    await reconciler.reconcile(KEY)
    assert len(apiserver.events) == 1, "it is told by difference to the status that is stored"
