"""Listing: everything of one resource, told to the engine; what is not there any more is told as deleted.

Kopf asks for a list whenever it opens a watch (at the start, and after a watch could not be continued). It gets the list's
resourceVersion to watch from, and no objects: docs/adr/0009-kopf-watches-we-list.md.
"""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Callable
from contextlib import nullcontext
from http import HTTPStatus

from slipway.cluster.client import Cluster
from slipway.cluster.http import Refused
from slipway.cluster.resources import MODEL_DEPLOYMENT, Manifest, Resource
from slipway.cluster.store import Key, Store, key_of

log = logging.getLogger(__name__)

SLICE = 50
"""Objects taken in before others have their turn in the event loop."""

Observe = Callable[[Resource, str | None, Manifest], None]
"""Takes in an object, listed or read (None) or by a watch event of that type."""


class OtherHistory(Exception):
    """The apiserver's versions went back, and all that it tells would look old: the process ends, and starts with an empty memory."""


class Lister:
    """Lists resources; `listed` is set once each was listed."""

    def __init__(self, cluster: Cluster, store: Store, observe: Observe, selector: Callable[[Resource], str]) -> None:
        self._cluster = cluster
        self._store = store
        self._observe = observe
        self._selector = selector
        self._turn = asyncio.Lock()
        self._missing: set[tuple[str, str | None]] = set()
        self.listed = asyncio.Event()

    def expect(self, resources: tuple[Resource, ...], namespaces: tuple[str | None, ...]) -> None:
        """What must have been listed before the operator knows enough to act."""
        self._missing = {(resource.kind, namespace) for resource in resources for namespace in namespaces}

    @property
    def missing(self) -> str:
        """What has not been listed yet, for people: a namespace that is gone, or whose Role is, is found by it."""
        return ", ".join(f"{kind} in {namespace}" if namespace else kind for kind, namespace in sorted(self._missing, key=str))

    async def relist(self, resource: Resource, namespace: str | None) -> str:
        """Tells of all objects and of those that are gone; returns the resourceVersion to watch from.

        ModelDeployments are listed at once, all else one after the other, so that a change of what users ask for is seen early
        even while everything is listed anew.

        Raises:
            ApiError: the apiserver did not answer, or the list took so long that its snapshot is gone: list again.

        """
        try:
            async with nullcontext() if resource is MODEL_DEPLOYMENT else self._turn:
                version = await self._relist(resource, namespace)
        except Refused as error:
            if (
                namespace is not None and error.code == HTTPStatus.FORBIDDEN
            ):  # one that was deleted, and its Role with it: no reason to leave all others alone
                self._was_listed(resource, namespace)
            raise
        self._was_listed(resource, namespace)
        return version

    def _was_listed(self, resource: Resource, namespace: str | None) -> None:
        self._missing.discard((resource.kind, namespace))
        if not self._missing and not self.listed.is_set():
            gc.collect()
            gc.freeze()  # what was listed mostly stays: no collection needs to look through it again
            self.listed.set()

    async def _relist(self, resource: Resource, namespace: str | None) -> str:
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
        known = self._store.versions(resource, namespace)
        gone = [key for key, at in known.items() if key not in there and at <= int(version)]  # what is newer was made after the list
        for missed in filter(None, (self._store.get(resource, *key) for key in gone)):
            self._observe(resource, "DELETED", missed | {"metadata": missed["metadata"] | {"resourceVersion": version}})
        log.debug("listed %d %s, %d gone", len(there), resource.plural, len(gone))
        return version


def check_history(resource: Resource, seen: int, listed: int) -> None:
    """A list is never older than what was `seen` before it was asked for.

    Raises:
        OtherHistory: it is.

    """
    if listed < seen:
        raise OtherHistory(f"{resource.plural} are at version {listed}, and were at {seen}: the cluster's etcd was restored from a backup")
