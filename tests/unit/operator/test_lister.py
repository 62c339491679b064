"""Listing anew: what is told, what counts as gone, and when the operator knows enough."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from slipway.cluster.client import IDENTITIES, Cluster
from slipway.cluster.http import Refused, Request, Unavailable
from slipway.cluster.resources import MODEL, MODEL_DEPLOYMENT, POD, Manifest, Resource
from slipway.cluster.store import Store
from slipway.reconcile.lister import Lister, OtherHistory


def model(name: str, version: int, namespace: str = "team") -> Manifest:
    meta = {"name": name, "namespace": namespace, "uid": name, "resourceVersion": str(version)}
    return {"kind": "Model", "metadata": meta, "spec": {}}


class Lists:
    """An apiserver that answers lists from pages made beforehand; `asked` are those of whole objects."""

    def __init__(self, *pages: list[Manifest], version: str = "100") -> None:
        self.pages = list(pages)
        self.version = version
        self.asked: list[Request] = []

    async def __call__(self, request: Request) -> Any:
        await asyncio.sleep(0)
        if request.accept == IDENTITIES:
            return {"items": [], "metadata": {"resourceVersion": self.version}}
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


@asynccontextmanager
async def running(listing: Lister) -> AsyncIterator[Lister]:
    task = asyncio.create_task(listing.run())
    try:
        yield listing
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def whole(server: Lists, told: Told, namespace: str | None = None) -> None:
    """Models were listed."""
    async with running(lister(server, told)) as listing:
        listing.expect((MODEL,), (namespace,))
        await listing.begin(MODEL, namespace)
        await listing.listed.wait()


async def test_pages_are_told_in_order() -> None:
    told, server = Told(), Lists([model("a", 1)], [model("b", 2)], [model("c", 3)])
    await whole(server, told)
    assert told.events == [(None, "a"), (None, "b"), (None, "c")]
    assert [request.query.get("continue") for request in server.asked] == [None, "1", "2"]


async def test_a_watch_begins_before_all_is_listed() -> None:
    told = Told()
    assert await lister(Lists([model("a", 1)]), told).begin(MODEL, None) == "100"
    assert told.events == []


async def test_a_watch_goes_on_where_the_last_one_ended_and_tries_that_once() -> None:
    listing = lister(Lists([], version="100"), Told())
    began = [await listing.begin(MODEL, None)]
    listing.heard(MODEL, 104)
    listing.heard(MODEL, 103)
    began += [
        await listing.begin(MODEL, "team"),
        await listing.begin(MODEL, None),
        await listing.begin(MODEL, None),
        await listing.begin(POD, None),
    ]
    assert began == ["100", "104", "104", "100", "100"], "104 was too old the second time"


async def test_what_is_not_listed_is_gone_unless_it_is_newer_than_the_list() -> None:
    told = Told()
    told.store.put(MODEL, model("gone", 50))
    told.store.put(MODEL, model("elsewhere", 50, "other"))

    class Meanwhile(Lists):
        async def __call__(self, request: Request) -> Any:
            if request.accept != IDENTITIES:
                told.store.put(MODEL, model("just-made", 101))
            return await super().__call__(request)

    await whole(Meanwhile([]), told, "team")
    assert told.events == [("DELETED", "gone")]
    assert told.store.get(MODEL, "team", "just-made")
    assert told.store.get(MODEL, "other", "elsewhere")


async def test_what_was_found_gone_does_not_come_back_by_an_old_event() -> None:
    told = Told()
    told.store.put(MODEL, model("gone", 50))
    await whole(Lists([]), told)
    assert not told.store.put(MODEL, model("gone", 99)), "an event from before the list"
    assert told.store.put(MODEL, model("gone", 101)), "made again afterwards"


async def test_listed_only_once_everything_expected_was() -> None:
    async with running(lister(Lists([]), Told())) as listing:
        listing.expect((MODEL, MODEL_DEPLOYMENT), (None,))
        await listing.begin(MODEL, None)
        while "Model, " in f"{listing.missing}, ":
            await asyncio.sleep(0)
        assert (listing.missing, listing.listed.is_set()) == ("ModelDeployment", False)
        await listing.begin(MODEL_DEPLOYMENT, None)
        await listing.listed.wait()


class Slow(Lists):
    """Whole lists of one kind take until the gate opens."""

    def __init__(self, kind: Resource, *pages: list[Manifest]) -> None:
        super().__init__(*pages)
        self.kind = kind
        self.gate = asyncio.Event()

    async def __call__(self, request: Request) -> Any:
        if request.accept != IDENTITIES and request.path == self.kind.path():
            await self.gate.wait()
        return await super().__call__(request)

    @property
    def kinds(self) -> list[str]:
        return [request.path.rpartition("/")[2] for request in self.asked]


async def begun(listing: Lister, *resources: Resource) -> None:
    listing.expect(resources, (None,))
    for resource in resources:
        await listing.begin(resource, None)
    for _ in range(50):
        await asyncio.sleep(0)


async def test_deployments_do_not_wait_for_the_list_of_pods() -> None:
    server = Slow(POD, [])
    async with running(lister(server, Told())) as listing:
        await begun(listing, POD, MODEL_DEPLOYMENT)
        assert listing.missing == "Pod"
        server.gate.set()
        await listing.listed.wait()


async def test_while_deployments_are_listed_all_else_waits() -> None:
    server = Slow(MODEL_DEPLOYMENT, [], [])
    async with running(lister(server, Told())) as listing:
        await begun(listing, MODEL_DEPLOYMENT, POD)
        assert server.kinds == ["pods"], "a page is soon there"
        server.gate.set()
        await listing.listed.wait()
    assert server.kinds == ["pods", "modeldeployments", "modeldeployments", "pods"]


async def test_watches_that_begin_again_and_again_are_listed_once_more() -> None:
    server = Slow(POD, [])
    async with running(lister(server, Told())) as listing:
        await begun(listing, POD, POD, POD, POD)
        server.gate.set()
        await listing.listed.wait()
        await begun(listing)
    assert len(server.asked) == 2


async def test_a_failed_list_says_nothing_is_gone_and_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    class Down(Lists):
        failures = 1

        async def __call__(self, request: Request) -> Any:
            if "continue" in request.query and self.failures:
                self.failures -= 1
                assert told.events == [(None, "a")]
                raise Unavailable(503, "", "down")
            return await super().__call__(request)

    monkeypatch.setattr("slipway.reconcile.lister.RETRY_SECONDS", 0)
    told = Told()
    told.store.put(MODEL, model("second-page", 50))
    await whole(Down([model("a", 1)], [model("second-page", 50)]), told)
    assert told.events == [(None, "a"), (None, "a"), (None, "second-page")]


async def test_what_is_missing_is_named() -> None:
    async with running(lister(Lists([]), Told())) as listing:
        listing.expect((MODEL, POD), ("team", "gone"))
        for resource in (MODEL, POD):
            await listing.begin(resource, "team")
        for _ in range(50):
            await asyncio.sleep(0)
        assert listing.missing == "Model in gone, Pod in gone"


async def test_another_history_ends_the_process() -> None:
    """After an etcd was restored, versions begin anew: what is told would be taken for old news."""
    told = Told()
    told.store.put(MODEL, model("a", 101))
    with pytest.raises(OtherHistory, match="models are at version 100, and were at 101"):
        await lister(Lists([model("a", 40)]), told).begin(MODEL, None)


async def test_a_list_of_another_history_ends_the_process() -> None:
    told, server = Told(), Lists([model("a", 40)])
    listing = lister(server, told)
    await listing.begin(MODEL, None)
    told.store.put(MODEL, model("a", 101))
    with pytest.RaisesGroup(OtherHistory):
        await listing.run()


@pytest.mark.parametrize(("namespace", "code", "enough"), [("gone", 403, True), (None, 403, False), ("slow", 410, False)])
@pytest.mark.parametrize("from_the_start", [True, False])
async def test_one_namespace_that_may_not_be_seen_does_not_hold_up_the_others(
    namespace: str | None, code: int, enough: bool, from_the_start: bool
) -> None:
    class Forbids(Lists):
        async def __call__(self, request: Request) -> Any:
            if from_the_start or request.accept != IDENTITIES:
                raise Refused(code, "", "models is forbidden, or the continue token has expired")
            return await super().__call__(request)

    async with running(lister(Forbids([]), Told())) as listing:
        listing.expect((MODEL,), (namespace,))
        try:
            await listing.begin(MODEL, namespace)
        except Refused:
            assert from_the_start
        for _ in range(50):
            await asyncio.sleep(0)
        assert listing.listed.is_set() is enough
