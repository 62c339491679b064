"""Listing anew: what is told, what counts as gone, and when the operator knows enough."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from slipway.cluster.client import Cluster
from slipway.cluster.http import Refused, Request, Unavailable
from slipway.cluster.resources import MODEL, MODEL_DEPLOYMENT, POD, Manifest, Resource
from slipway.cluster.store import Store
from slipway.reconcile.lister import Lister, OtherHistory


def model(name: str, version: int, namespace: str = "team") -> Manifest:
    meta = {"name": name, "namespace": namespace, "uid": name, "resourceVersion": str(version)}
    return {"kind": "Model", "metadata": meta, "spec": {}}


class Lists:
    """An apiserver that answers lists from pages made beforehand."""

    def __init__(self, *pages: list[Manifest], version: str = "100") -> None:
        self.pages = list(pages)
        self.version = version
        self.asked: list[Request] = []

    async def __call__(self, request: Request) -> Any:
        self.asked.append(request)
        at = int(request.query.get("continue", "0"))
        more = {"continue": str(at + 1)} if at + 1 < len(self.pages) else {}
        return {"items": self.pages[at] or None, "metadata": {"resourceVersion": self.version} | more}


class Told:
    """What the engine would hear."""

    def __init__(self) -> None:
        self.store = Store()
        self.events: list[tuple[str | None, str]] = []

    def observe(self, resource: Resource, event_type: str | None, manifest: Manifest) -> None:
        self.events.append((event_type, manifest["metadata"]["name"]))
        (self.store.remove if event_type == "DELETED" else self.store.put)(resource, manifest)


def lister(server: Lists, told: Told) -> Lister:
    return Lister(Cluster(server), told.store, told.observe, lambda _: "")


async def test_pages_are_told_in_order_and_the_version_returned() -> None:
    told, server = Told(), Lists([model("a", 1)], [model("b", 2)], [model("c", 3)])
    assert await lister(server, told).relist(MODEL, None) == "100"
    assert told.events == [(None, "a"), (None, "b"), (None, "c")]
    assert [request.query.get("continue") for request in server.asked] == [None, "1", "2"]


async def test_what_is_not_listed_is_gone_unless_it_is_newer_than_the_list() -> None:
    told = Told()
    told.store.put(MODEL, model("gone", 50))
    told.store.put(MODEL, model("elsewhere", 50, "other"))

    class Meanwhile(Lists):
        async def __call__(self, request: Request) -> Any:
            told.store.put(MODEL, model("just-made", 101))
            return await super().__call__(request)

    await lister(Meanwhile([]), told).relist(MODEL, "team")
    assert told.events == [("DELETED", "gone")]
    assert told.store.get(MODEL, "team", "just-made")
    assert told.store.get(MODEL, "other", "elsewhere")


async def test_what_was_found_gone_does_not_come_back_by_an_old_event() -> None:
    told = Told()
    told.store.put(MODEL, model("gone", 50))
    await lister(Lists([]), told).relist(MODEL, None)
    assert not told.store.put(MODEL, model("gone", 99)), "an event from before the list"
    assert told.store.put(MODEL, model("gone", 101)), "made again afterwards"


async def test_listed_only_once_everything_expected_was() -> None:
    listing = lister(Lists([]), Told())
    listing.expect((MODEL, MODEL_DEPLOYMENT), (None,))
    await listing.relist(MODEL, None)
    assert not listing.listed.is_set()
    await listing.relist(MODEL_DEPLOYMENT, None)
    assert listing.listed.is_set()


async def test_deployments_do_not_wait_for_the_list_of_pods() -> None:
    told, gate = Told(), asyncio.Event()

    class SlowPods(Lists):
        async def __call__(self, request: Request) -> Any:
            if request.path.endswith("/pods"):
                await gate.wait()
            return await super().__call__(request)

    listing = lister(SlowPods([]), told)
    pods = asyncio.create_task(listing.relist(POD, None))
    await asyncio.sleep(0)
    assert await listing.relist(MODEL_DEPLOYMENT, None) == "100"
    assert not pods.done()
    gate.set()
    assert await pods == "100"


async def test_a_failed_list_says_nothing_is_gone() -> None:
    class Down(Lists):
        async def __call__(self, request: Request) -> Any:
            if "continue" in request.query:
                raise Unavailable(503, "", "down")
            return await super().__call__(request)

    told = Told()
    told.store.put(MODEL, model("second-page", 50))
    listing = lister(Down([model("a", 1)], [model("second-page", 50)]), told)
    listing.expect((MODEL,), (None,))
    with pytest.raises(Unavailable):
        await listing.relist(MODEL, None)
    assert told.events == [(None, "a")]
    assert not listing.listed.is_set()


async def test_what_is_missing_is_named() -> None:
    listing = lister(Lists([]), Told())
    listing.expect((MODEL, POD), ("team", "gone"))
    await listing.relist(MODEL, "team")
    await listing.relist(POD, "team")
    assert listing.missing == "Model in gone, Pod in gone"


async def test_a_list_of_another_history_ends_the_process() -> None:
    """After an etcd was restored, versions begin anew: what is told would be taken for old news."""
    told = Told()
    told.store.put(MODEL, model("a", 101))
    with pytest.raises(OtherHistory, match="models are at version 100, and were at 101"):
        await lister(Lists([model("a", 40)]), told).relist(MODEL, None)


@pytest.mark.parametrize(("namespace", "code", "enough"), [("gone", 403, True), (None, 403, False), ("slow", 410, False)])
async def test_one_namespace_that_may_not_be_seen_does_not_hold_up_the_others(namespace: str | None, code: int, enough: bool) -> None:
    class Forbids(Lists):
        async def __call__(self, request: Request) -> Any:
            raise Refused(code, "", "models is forbidden, or the continue token has expired")

    listing = lister(Forbids(), Told())
    listing.expect((MODEL,), (namespace,))
    with pytest.raises(Refused):
        await listing.relist(MODEL, namespace)
    assert listing.listed.is_set() is enough
