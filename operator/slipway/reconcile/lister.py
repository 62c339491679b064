"""Listing: everything of one resource, told to the engine; what is not there any more is told as deleted.

Kopf asks for a list whenever it opens a watch (at the start, and after a watch could not be continued). It gets the present
resourceVersion to watch from at once, and no objects; these are listed meanwhile: docs/adr/0009-kopf-watches-we-list.md.
"""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Callable
from http import HTTPStatus

from slipway.cluster.client import Cluster
from slipway.cluster.http import ApiError, Refused
from slipway.cluster.resources import MODEL_DEPLOYMENT, Manifest, Resource
from slipway.cluster.store import Key, Store, key_of

log = logging.getLogger(__name__)

SLICE = 50
"""Objects taken in before others have their turn in the event loop."""

RETRY_SECONDS = 1.0

Wanted = tuple[Resource, str | None]
"""What is to be listed: a resource, of a namespace or of all."""
Observe = Callable[[Resource, str | None, Manifest], None]
"""Takes in an object, listed or read (None) or by a watch event of that type."""


class OtherHistory(Exception):
    """The apiserver's versions went back, and all that it tells would look old: the process ends, and starts with an empty memory."""


async def refresh(store: Store, cluster: Cluster, tell: Observe, resource: Resource, namespace: str, name: str) -> None:
    """Read one object anew, told as the watch would tell it, which may have missed it: others may count on this object."""
    known = store.get(resource, namespace, name)
    fresh = await cluster.get(resource, namespace, name)
    if fresh is not None:
        tell(resource, None, fresh)
    elif known is not None:
        tell(resource, "DELETED", known)


class Lister:
    """Lists resources; `listed` is set once each was listed."""

    def __init__(self, cluster: Cluster, store: Store, observe: Observe, selector: Callable[[Resource], str]) -> None:
        self._cluster = cluster
        self._store = store
        self._observe = observe
        self._selector = selector
        self._deployments, self._others = asyncio.Lock(), asyncio.Lock()
        """Held by the list that has its turn."""
        self._wanted: asyncio.Queue[Wanted] = asyncio.Queue()
        self._waiting: set[Wanted] = set()
        self._heard: dict[Resource, int] = {}
        """The newest resourceVersion that a watch told of."""
        self._begun: dict[Wanted, int] = {}
        """Where the last watch began."""
        self._missing: set[tuple[str, str | None]] = set()
        self.listed = asyncio.Event()

    def expect(self, resources: tuple[Resource, ...], namespaces: tuple[str | None, ...]) -> None:
        """What must have been listed before the operator knows enough to act."""
        self._missing |= {(resource.kind, namespace) for resource in resources for namespace in namespaces}

    @property
    def missing(self) -> str:
        """What has not been listed yet, for people: a namespace that is gone, or whose Role is, is found by it."""
        return ", ".join(f"{kind} in {namespace}" if namespace else kind for kind, namespace in sorted(self._missing, key=str))

    async def begin(self, resource: Resource, namespace: str | None) -> str:
        """The resourceVersion to watch from: what comes after it the watch will tell, and what was before it `run` lists.

        Raises:
            ApiError: the apiserver did not answer: ask again.

        """
        heard = self._heard.get(resource, 0)
        version = heard if heard > self._begun.get((resource, namespace), 0) else await self._present(resource, namespace)
        self._begun[resource, namespace] = version
        if (resource, namespace) not in self._waiting:
            self._waiting.add((resource, namespace))
            self._wanted.put_nowait((resource, namespace))
        return str(version)

    def heard(self, resource: Resource, version: int) -> None:
        """A watch told of this resourceVersion: the next one can go on from it, so that nothing between the two has to wait for its list.

        The apiserver may not have it any more: then kopf asks again, and `begin` does not try it twice.
        """
        self._heard[resource] = max(version, self._heard.get(resource, 0))

    async def _present(self, resource: Resource, namespace: str | None) -> int:
        seen = self._store.newest(resource)
        try:
            version = int(await self._cluster.version(resource, namespace))
        except Refused as error:
            self._may_not(resource, namespace, error)
            raise
        check_history(resource, seen, version)
        return version

    async def run(self) -> None:
        """Tells, for ever, of all objects of what was begun, and of those that are gone.

        ModelDeployments are listed at once, all else one after the other and only while these are not, so that a change of what users ask
        for is seen early even while everything is listed anew.

        Raises:
            OtherHistory: in an ExceptionGroup.

        """
        async with asyncio.TaskGroup() as lists:
            while True:
                lists.create_task(self._list_until_it_is(*await self._wanted.get()))

    async def _list_until_it_is(self, resource: Resource, namespace: str | None) -> None:
        """Tries until it was listed: the watch that was begun with it tells of nothing that was before."""
        while True:
            try:
                async with self._deployments if resource is MODEL_DEPLOYMENT else self._others:
                    self._waiting.discard((resource, namespace))
                    await self._list(resource, namespace)
                return self._was_listed(resource, namespace)
            except ApiError as error:
                log.warning("listing %s: %s; again in %g s", resource.plural, error, RETRY_SECONDS)
                if isinstance(error, Refused):
                    self._may_not(resource, namespace, error)
            await asyncio.sleep(RETRY_SECONDS)

    def _may_not(self, resource: Resource, namespace: str | None, error: Refused) -> None:
        """A namespace that was deleted, and its Role with it, is no reason to leave all others alone."""
        if namespace is not None and error.code == HTTPStatus.FORBIDDEN:
            self._was_listed(resource, namespace)

    def _was_listed(self, resource: Resource, namespace: str | None) -> None:
        self._missing.discard((resource.kind, namespace))
        if not self._missing and not self.listed.is_set():
            gc.collect()
            gc.freeze()  # what was listed mostly stays: no collection needs to look through it again
            self.listed.set()

    async def _list(self, resource: Resource, namespace: str | None) -> None:
        there: set[Key] = set()
        seen = self._store.newest(resource)
        version = "0"
        async for items, at in self._cluster.pages(resource, namespace, self._selector(resource)):
            version = at
            check_history(resource, seen, int(at))
            for number, item in enumerate(items, 1):
                there.add(key_of(item))
                self._observe(resource, None, item)
                if number % SLICE == 0:
                    await asyncio.sleep(0)
            if resource is not MODEL_DEPLOYMENT:
                async with self._deployments:
                    pass
        known = self._store.versions(resource, namespace)
        gone = [key for key, at in known.items() if key not in there and at <= int(version)]  # what is newer was made after the list
        for missed in filter(None, (self._store.get(resource, *key) for key in gone)):
            self._observe(resource, "DELETED", missed | {"metadata": missed["metadata"] | {"resourceVersion": version}})
        log.debug("listed %d %s, %d gone", len(there), resource.plural, len(gone))


def check_history(resource: Resource, seen: int, listed: int) -> None:
    """A list is never older than what was `seen` before it was asked for.

    Raises:
        OtherHistory: it is.

    """
    if listed < seen:
        raise OtherHistory(f"{resource.plural} are at version {listed}, and were at {seen}: the cluster's etcd was restored from a backup")
