"""The engine's own bookkeeping: what is read beside the watch counts as heard, and nothing that runs for ever ends unnoticed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import pytest

from slipway.cluster.client import Cluster
from slipway.cluster.http import NotFound, Refused, Request
from slipway.cluster.resources import CRON_JOB, GOVERNING, MODEL, MODEL_DEPLOYMENT, MODEL_VERSION, OWN_KINDS, SERVICE, WATCHED, Manifest
from slipway.cluster.store import Store
from slipway.ledger.entry import Entry
from slipway.ledger.errors import LedgerUnavailable
from slipway.reconcile.deletions import Deletions
from slipway.reconcile.engine import Engine
from slipway.reconcile.journal import Journal
from slipway.reconcile.lister import OtherHistory
from slipway.settings import Runtime, Serving, Settings
from tests.integration.samples import deployment, model, version
from tests.unit.operator.test_writes_that_fail import seen

SERVING = Serving(runtimes=(Runtime("sklearn", "1.9", "registry.example/sklearn:1.9"),))


class Apiserver:
    """Holds objects by path, lists them, and takes every write."""

    def __init__(self, *objects: Manifest) -> None:
        self.version = 100
        self.objects = {self._path(found): found for found in objects}
        self.written: list[str] = []
        self.hidden: dict[str, Manifest] = {}
        """What is there, but in no list."""
        self.lists_fail: Exception | None = None
        self.lists_failed = 0

    def _path(self, found: Manifest) -> str:
        resource = next(resource for resource in WATCHED if resource.kind == found["kind"])
        return resource.path(found["metadata"]["namespace"], found["metadata"]["name"])

    async def __call__(self, request: Request) -> Any:
        if request.method == "GET":
            return self._read(request.path)
        self.version += 1
        path = request.path.removesuffix("/status")
        self.written.append(request.path)
        before = self.objects.get(path, {})
        meta = {"uid": path, "generation": 1, "creationTimestamp": "2026-11-23T12:00:00Z"} | before.get("metadata", {})
        body = request.body if "metadata" in request.body else {"metadata": {}}
        stored = before | body | {"metadata": meta | body["metadata"] | {"resourceVersion": str(self.version)}}
        if not path.endswith("/events"):
            self.objects[path] = stored
        return stored

    def _read(self, path: str) -> Any:
        for resource in (*WATCHED, CRON_JOB):
            if path == resource.path("slipway-system" if resource is CRON_JOB else None):
                if self.lists_fail:
                    self.lists_failed += 1
                    raise self.lists_fail
                items = [item for key, item in self.objects.items() if f"/{resource.plural}/" in key]
                return {"items": items, "metadata": {"resourceVersion": str(self.version)}}
        found = self.objects.get(path) or self.hidden.get(path)
        if found is None:
            raise NotFound(404, "NotFound", "none")
        return found


class Ended(Journal):
    """A ledger that takes everything, and keeps the uids of what has ended."""

    kept = True
    known: set[str] = set()

    def __init__(self) -> None:
        super().__init__()
        self.uids: list[str] = []
        self.fails: list[Exception] = []

    async def end(self, entry: Entry) -> None:
        if self.fails:
            raise self.fails.pop(0)
        self.uids.append(entry.object.uid)


def objects() -> Iterable[Manifest]:
    return seen(model("n"), "m"), seen(version("n"), "v"), seen(deployment("n"), "d")


def told(engine: Engine, *manifests: Manifest) -> None:
    for resource, manifest in zip((MODEL, MODEL_VERSION, MODEL_DEPLOYMENT), manifests, strict=True):
        engine.observe(resource, "ADDED", manifest)


async def until(true: Callable[[], Any]) -> None:
    async with asyncio.timeout(30):
        while not true():
            await asyncio.sleep(0.01)


async def test_a_deletion_that_was_read_before_the_watch_told_it_is_recorded() -> None:
    """A child is gone, and with it its owner, of which the watch has not told: the look at the apiserver is all there is."""
    apiserver, journal = Apiserver(*objects()), Ended()
    engine = Engine(Cluster(apiserver), Settings(serving=SERVING), journal)
    told(engine, *objects())
    work = asyncio.create_task(engine.work())
    path = MODEL_DEPLOYMENT.path("n", "churn")
    await until(lambda: apiserver.objects[path].get("status") and not len(engine.queue))
    gone = apiserver.objects.pop(path)
    engine.observe(SERVICE, "DELETED", apiserver.objects.pop(SERVICE.path("n", "churn")))
    await until(lambda: journal.uids == ["d"])
    engine.observe(MODEL_DEPLOYMENT, "DELETED", gone)
    await until(lambda: apiserver.objects[MODEL.path("n", "churn")]["status"]["deployments"] == 0)
    engine.stop()
    await work
    assert journal.uids == ["d"], "once"


async def test_a_background_task_that_fails_ends_the_work() -> None:
    """Without delays nothing is ever tried again: a process that starts anew is better."""
    engine = Engine(Cluster(Apiserver()), Settings())

    async def broken() -> None:
        raise ZeroDivisionError

    engine.queue.run_delays = broken  # type: ignore[method-assign]
    with pytest.raises(ExceptionGroup) as caught:
        await asyncio.wait_for(engine.work(), 30)
    assert caught.group_contains(ZeroDivisionError)


async def test_a_full_pass_that_fails_is_not_the_last_one() -> None:
    apiserver = Apiserver(*objects())
    engine = Engine(Cluster(apiserver), Settings(serving=SERVING, full_pass_seconds=0.01))
    told(engine, *objects())
    work = asyncio.create_task(engine.work())
    await until(lambda: apiserver.written)
    apiserver.lists_fail = KeyError("something unforeseen")
    await until(lambda: apiserver.lists_failed > len(WATCHED))
    apiserver.lists_fail = None
    apiserver.objects[MODEL.path("n", "new")] = seen(model("n") | {"metadata": {"name": "new", "namespace": "n"}}, "new")
    await until(lambda: engine.store.get(MODEL, "n", "new"))
    engine.stop()
    await work


async def test_what_is_there_as_it_is_known_is_no_difference() -> None:
    """A child whose label somebody took away is not listed, and a namespace that was listed first knows nothing of later."""
    apiserver = Apiserver(*objects())
    engine = Engine(Cluster(apiserver), Settings())
    told(engine, *objects())
    shown = apiserver.objects.pop(MODEL.path("n", "churn"))
    apiserver.hidden[MODEL.path("n", "churn")] = shown
    assert await engine.full_pass(MODEL, grace=0) == 0
    assert engine.store.get(MODEL, "n", "churn")
    apiserver.hidden.clear()
    assert await engine.full_pass(MODEL, grace=0) == 1
    assert not engine.store.get(MODEL, "n", "churn")


async def test_a_deletion_that_cannot_be_recorded_holds_up_none_for_ever() -> None:
    journal = Ended()
    journal.fails = [RuntimeError("something unforeseen"), LedgerUnavailable("s3://b", "away")]
    deletions = Deletions(Store(), Cluster(Apiserver()), journal, (None,), lambda: datetime(2026, 11, 23, tzinfo=UTC), again_seconds=0.01)
    running = asyncio.create_task(deletions.run())
    deletions.noticed(seen(model("n"), "m"))
    await until(lambda: journal.uids == ["m"])
    running.cancel()


async def test_a_full_pass_that_meets_another_history_ends_the_work() -> None:
    apiserver = Apiserver(*objects())
    engine = Engine(Cluster(apiserver), Settings(serving=SERVING, full_pass_seconds=0.01))
    told(engine, *objects())
    work = asyncio.create_task(engine.work())
    await until(lambda: apiserver.written)
    apiserver.version = 0
    with pytest.raises(ExceptionGroup) as caught:
        await asyncio.wait_for(work, 30)
    assert caught.group_contains(OtherHistory)


async def test_a_namespace_that_may_not_be_seen_is_left_as_it_is() -> None:
    class Forbids(Apiserver):
        async def __call__(self, request: Request) -> Any:
            if "/namespaces/gone/" in request.path:
                raise Refused(403, "Forbidden", "models is forbidden")
            return (
                {"items": [], "metadata": {"resourceVersion": "100"}}
                if request.path == MODEL.path("n")
                else await super().__call__(request)
            )

    engine = Engine(Cluster(Forbids()), Settings(watch_namespaces=("gone", "n")))
    for namespace in ("gone", "n"):
        engine.observe(MODEL, "ADDED", seen(model(namespace), namespace))
    assert await engine.full_pass(MODEL, grace=0) == 1
    assert engine.store.get(MODEL, "gone", "churn")
    assert not engine.store.get(MODEL, "n", "churn")


async def test_a_new_leader_knows_what_its_predecessor_approved_before_it_acts() -> None:
    """The watch of ControllerRevisions may lag: without the newest one, what was approved before would be put back."""
    listed: list[str] = []

    async def apiserver(request: Request) -> Any:
        if request.path.startswith("/apis/admissionregistration"):
            engine.stop()  # the guard begins, and the workers after it
            return {"items": []}
        listed.append(request.path)
        return {"items": [], "metadata": {"resourceVersion": "1"}}

    engine = Engine(Cluster(apiserver), Settings(governance=True))
    with contextlib.suppress(Exception):
        await asyncio.wait_for(engine.work(), 10)
    assert {resource.path() for resource in (*OWN_KINDS, *GOVERNING)} <= set(listed)
