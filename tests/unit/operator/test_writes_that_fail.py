"""Writes that fail in the middle of a pass: no Event is lost or untrue, and who is always faster is named. The apiserver is a function."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest

from slipway.cluster.client import Cluster
from slipway.cluster.http import Conflict, NotFound, Refused, Request, Unavailable
from slipway.cluster.resources import DEPLOYMENT, MODEL, MODEL_DEPLOYMENT, MODEL_VERSION, WATCHED, Manifest, Resource
from slipway.cluster.store import Store
from slipway.plan.types import EntryDraft
from slipway.reconcile.contests import FREE_REPAIRS, WAIT_BASE
from slipway.reconcile.journal import Journal
from slipway.reconcile.lister import Observe
from slipway.reconcile.queue import ObjectKey
from slipway.reconcile.reconciler import Reconciler
from slipway.settings import Runtime, Serving
from tests.integration.samples import deployment, model, version

KEY = ObjectKey("ModelDeployment", "n", "churn")
SERVING = Serving(runtimes=(Runtime("sklearn", "1.9", "registry.example/sklearn:1.9"),))


class Apiserver:
    """Keeps what is written; refuses the next status writes with 409 as often as it is told."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.version = 100
        self.conflicts = 0
        self.faster = False
        """Whether somebody else always writes the Deployment first."""
        self.attempts = 0
        """Applies of the Deployment."""
        self.refused: Exception | None = None
        self.untold: dict[str, Manifest] = {}
        """Objects by path that no watch has told of yet."""
        self.events: list[str] = []

    async def __call__(self, request: Request) -> Any:
        if request.path.endswith("/events"):
            self.events.append(f"{request.body['reason']}: {request.body['message']}")
            return request.body
        if request.path.endswith("/status") and self.conflicts:
            self.conflicts -= 1
            raise Conflict(409, "Conflict", "the object has been modified")
        if request.method == "GET":
            return self._get(request.path)
        self.attempts += request.path.endswith("/deployments/churn")
        if self.faster and request.path.endswith("/deployments/churn"):
            raise Conflict(409, "Conflict", "the object has been modified")
        if self.refused and request.path.endswith("/deployments/churn"):
            raise self.refused
        self.version += 1
        stored = {"spec": deployment("n")["spec"]} | deepcopy(request.body)  # a status is answered with the whole object
        stored["metadata"] |= {"uid": stored["metadata"].get("uid", f"uid-{request.path}"), "resourceVersion": str(self.version)}
        return stored | {"metadata": stored["metadata"] | {"generation": 1, "creationTimestamp": "2026-11-23T12:00:00Z"}}

    def _get(self, path: str) -> Any:
        """What the watch has told of, too, and what it has not; who wrote it last only where somebody is faster."""
        if path in self.untold:
            return self.untold[path]
        for resource in WATCHED:
            for found in self.store.all(resource):
                if path == resource.path("n", found["metadata"]["name"]):
                    written = [{"manager": "flipper", "time": "2026-11-23T12:00:00Z"}] if self.faster else []
                    return found | {"metadata": found["metadata"] | {"managedFields": written}}
        raise NotFound(404, "NotFound", "none")


def seen(manifest: dict[str, Any], uid: str) -> dict[str, Any]:
    """As the watch tells of it."""
    made = {"uid": uid, "resourceVersion": "1", "generation": 1, "creationTimestamp": "2026-11-23T11:00:00Z"}
    return manifest | {"metadata": manifest["metadata"] | made}


@pytest.fixture
def apiserver(store: Store) -> Apiserver:
    return Apiserver(store)


@pytest.fixture
def store() -> Store:
    store = Store()
    store.put(MODEL, seen(model("n"), "m"))
    store.put(MODEL_VERSION, seen(version("n"), "v"))
    store.put(MODEL_DEPLOYMENT, seen(deployment("n"), "d"))
    return store


class Told(Journal):
    """Keeps the names of entries."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    async def record(self, manifest: Manifest, drafts: Sequence[EntryDraft], now: datetime) -> None:
        self.names += [f"{draft.transition}:{draft.detail}" for draft in drafts]


@pytest.fixture
def journal() -> Told:
    return Told()


def telling(store: Store) -> Observe:
    """The engine's memory without its queue."""

    def tell(resource: Resource, event_type: str | None, manifest: Manifest) -> None:
        (store.remove if event_type == "DELETED" else store.put)(resource, manifest)

    return tell


@pytest.fixture
def reconciler(apiserver: Apiserver, store: Store, journal: Told) -> Reconciler:
    return Reconciler(store, telling(store), Cluster(apiserver), SERVING, journal, now=lambda: datetime(2026, 11, 23, 12, tzinfo=UTC))


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


def edit(apiserver: Apiserver, store: Store, replicas: int) -> None:
    """Somebody changes the Deployment, and the watch tells."""
    child = deepcopy(store.get(DEPLOYMENT, "n", "churn"))
    assert child is not None
    apiserver.version += 1000
    child["metadata"]["resourceVersion"] = str(apiserver.version)
    child["spec"]["replicas"] = replicas
    store.put(DEPLOYMENT, child)


async def test_a_repair_is_told_though_the_status_conflicts(apiserver: Apiserver, store: Store, reconciler: Reconciler) -> None:
    await reconciler.reconcile(KEY)
    apiserver.events.clear()
    edit(apiserver, store, 7)
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


async def test_a_repair_that_is_refused_is_not_told_as_done(apiserver: Apiserver, store: Store, reconciler: Reconciler) -> None:
    await reconciler.reconcile(KEY)
    apiserver.events.clear()
    edit(apiserver, store, 7)
    apiserver.refused = Refused(403, "Forbidden", "exceeded quota: q")
    await reconciler.reconcile(KEY)
    assert apiserver.events == ["Stalled: QuotaExceeded: exceeded quota: q"]


async def test_a_repair_that_conflicts_is_one_repair(apiserver: Apiserver, store: Store, reconciler: Reconciler, journal: Told) -> None:
    await reconciler.reconcile(KEY)
    journal.names.clear()
    apiserver.faster = True
    for replicas in (7, 8):  # the second time, it is written again before it was put back
        edit(apiserver, store, replicas)
        with pytest.raises(Conflict):
            await reconciler.reconcile(KEY)
    apiserver.faster = False
    await reconciler.reconcile(KEY)
    assert len(journal.names) == 3
    assert len(set(journal.names)) == 1, "the ledger has it once"
    edit(apiserver, store, 9)
    await reconciler.reconcile(KEY)
    assert len(set(journal.names)) == 2, "another edit is another repair"


async def test_a_repair_that_may_have_landed_keeps_no_promise(
    apiserver: Apiserver, store: Store, reconciler: Reconciler, journal: Told
) -> None:
    await reconciler.reconcile(KEY)
    journal.names.clear()
    edit(apiserver, store, 7)
    apiserver.refused = Unavailable(0, "Connection", "the answer was lost")
    with pytest.raises(Unavailable):
        await reconciler.reconcile(KEY)
    apiserver.refused = None
    edit(apiserver, store, 8)
    await reconciler.reconcile(KEY)
    assert len(set(journal.names)) == 2


async def test_who_is_always_faster_is_named_after_five_attempts(apiserver: Apiserver, store: Store, reconciler: Reconciler) -> None:
    await reconciler.reconcile(KEY)
    apiserver.events.clear()
    apiserver.faster, apiserver.attempts = True, 0
    edit(apiserver, store, 7)
    for _ in range(FREE_REPAIRS):
        with pytest.raises(Conflict):
            await reconciler.reconcile(KEY)
    for _ in range(3):
        delay = await reconciler.reconcile(KEY)
        assert delay is not None
        assert 0 < delay <= WAIT_BASE, "it is looked at again when the wait is over"
    assert apiserver.attempts == FREE_REPAIRS
    assert len(apiserver.events) == 1
    assert "Contested: Deployment churn is changed again and again by field manager flipper" in apiserver.events[0]


async def test_what_the_user_asks_for_is_applied_though_the_child_is_contested(
    apiserver: Apiserver, store: Store, reconciler: Reconciler
) -> None:
    await reconciler.reconcile(KEY)
    for number in range(FREE_REPAIRS + 3):
        edit(apiserver, store, 10 + number)
        await reconciler.reconcile(KEY)
    assert apiserver.attempts == 1 + FREE_REPAIRS
    owner = deepcopy(store.get(MODEL_DEPLOYMENT, "n", "churn"))
    assert owner is not None
    owner["metadata"] |= {"resourceVersion": str(apiserver.version + 1), "generation": 2}
    owner["spec"] |= {"replicas": 4}
    store.put(MODEL_DEPLOYMENT, owner)
    await reconciler.reconcile(KEY)
    assert apiserver.attempts == 2 + FREE_REPAIRS
    assert (store.get(DEPLOYMENT, "n", "churn") or {})["spec"]["replicas"] == 4


async def test_what_one_watch_has_not_told_yet_is_not_called_missing(
    apiserver: Apiserver, store: Store, reconciler: Reconciler, journal: Told
) -> None:
    """The deployment's change is known before its new version is: a stall would be in the ledger for ever."""
    for resource, manifest in ((MODEL, seen(model("n"), "m")), (MODEL_VERSION, seen(version("n"), "v"))):
        store.remove(resource, manifest)
        apiserver.untold[resource.path("n", manifest["metadata"]["name"])] = manifest | {
            "metadata": manifest["metadata"] | {"resourceVersion": "2"}
        }
    await reconciler.reconcile(KEY)

    assert not [name for name in journal.names if name.startswith("Stalled")]
    assert apiserver.attempts == 1


async def test_what_is_missing_is_told(store: Store, reconciler: Reconciler, journal: Told) -> None:
    store.remove(MODEL_VERSION, seen(version("n"), "v"))
    await reconciler.reconcile(KEY)
    assert journal.names == ["Stalled:#1"]
