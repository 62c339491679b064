"""The running operator without kopf: what watch events do, the workers, and the full pass that repairs what watches missed."""

from __future__ import annotations

import asyncio
import logging
import random
import time

from slipway.cluster.client import Cluster
from slipway.cluster.http import ApiError, Conflict
from slipway.cluster.resources import OWN_KINDS, WATCHED, Manifest, Resource
from slipway.cluster.store import Key, Store, key_of
from slipway.errors import NotLeader
from slipway.plan.names import MANAGED_BY
from slipway.reconcile.queue import ObjectKey, WorkQueue
from slipway.reconcile.reconciler import Reconciler
from slipway.reconcile.routes import affected
from slipway.settings import Settings
from slipway.telemetry import metrics
from slipway.telemetry.logs import OBJECT

log = logging.getLogger(__name__)

CHILD_SELECTOR = f"{MANAGED_BY}=slipway"
CONFLICT_RETRY_SECONDS = 0.05
SYNC_RECHECK_SECONDS = 0.1


def label_selector(resource: Resource) -> str:
    """What the apiserver is asked for: all of our kinds, of others only what we manage."""
    return "" if resource in OWN_KINDS else CHILD_SELECTOR


class Engine:
    """Store, queue and workers of one process."""

    def __init__(self, cluster: Cluster, settings: Settings) -> None:
        self.store = Store()
        self.queue = WorkQueue()
        self._cluster = cluster
        self._settings = settings
        self.synced = False
        self._working = False
        self._stopping = False
        self._reconciler = Reconciler(self.store, cluster, settings.serving)

    def observe(self, resource: Resource, event_type: str | None, manifest: Manifest) -> None:
        """A watch event: remember the object, and put on the queue whose plan may change."""
        metrics.WATCH_EVENTS.labels(resource.kind).inc()
        before = self.store.get(resource, *key_of(manifest))
        if event_type == "DELETED":
            self.store.remove(resource, manifest)
        else:
            self.store.put(resource, manifest)
        gone = event_type == "DELETED"
        asks_otherwise = gone or before is None or before["metadata"].get("generation") != manifest["metadata"].get("generation")
        self._enqueue(resource, manifest, asks_otherwise)
        if before is not None and asks_otherwise:
            self._enqueue(resource, before, asks_otherwise)  # what it referred to before counts anew

    def _enqueue(self, resource: Resource, manifest: Manifest, asks_otherwise: bool) -> None:
        if not self._working:  # a standby only remembers: it queues everything when it takes over
            return
        for key, delay in affected(resource, manifest, self.store, asks_otherwise):
            if delay:
                self.queue.add_after(key, delay)
            else:
                self.queue.add(key)

    async def sync(self) -> None:
        """Returns once the watches have told of every object: before that, children would look missing."""
        for resource in WATCHED:
            while self.store.count(resource) < await self._count(resource):
                await asyncio.sleep(SYNC_RECHECK_SECONDS)
        self.synced = True

    async def _count(self, resource: Resource) -> int:
        """What the apiserver counts; nothing is known to be there while it does not answer."""
        while True:
            try:
                namespaces = self._settings.watch_namespaces or (None,)
                return sum([await self._cluster.count(resource, namespace, label_selector(resource)) for namespace in namespaces])
            except ApiError as error:
                log.warning("counting %s: %s", resource.plural, error)
                await asyncio.sleep(1)

    def stop(self) -> None:
        """No new reconcile begins; `work` returns when those under way have ended."""
        self._stopping = True
        self.queue.shut_down(self._settings.workers)

    async def work(self) -> None:
        """Runs the workers; called once leading and synced. Returns after `stop`."""
        self._working = True
        for resource in OWN_KINDS:
            for manifest in self.store.all(resource):
                self.queue.add(ObjectKey(resource.kind, *key_of(manifest)))
        background = [asyncio.create_task(self.queue.run_delays()), asyncio.create_task(self._full_passes())]
        try:
            async with asyncio.TaskGroup() as tasks:
                for _ in range(self._settings.workers):
                    tasks.create_task(self._worker())
        finally:
            for task in background:
                task.cancel()

    async def _worker(self) -> None:
        while not self._stopping:
            key = await self.queue.get()
            if key is None:
                return
            OBJECT.set({"kind": key.kind, "namespace": key.namespace, "name": key.name})
            try:
                await self._one(key)
            finally:
                OBJECT.set(None)
                self.queue.done(key)

    async def _one(self, key: ObjectKey) -> None:
        began = time.perf_counter()
        result = "ok"
        try:
            requeue_after = await self._reconciler.reconcile(key)
            self.queue.forget(key)
            if requeue_after is not None:
                self.queue.add_after(key, requeue_after)
        except Conflict:
            result = "conflict"  # planned on an old state: the newer one is on its way through the watch
            self.queue.add_after(key, max(CONFLICT_RETRY_SECONDS, self.queue.retry(key) / 10))
        except NotLeader as error:
            result = "not-leader"  # retried: the fence may only not have heard yet that this replica leads
            log.warning("%s; again in %.1f s", error, self.queue.retry(key))
        except ApiError as error:
            result = "unavailable"
            metrics.ERRORS.labels(error.reason or type(error).__name__).inc()
            log.warning("the apiserver answered %s; again in %.1f s", error, self.queue.retry(key, error.retry_after or 0))
        except Exception as error:
            result = "bug"
            metrics.ERRORS.labels(type(error).__name__).inc()
            log.exception("reconcile failed; again in %.1f s", self.queue.retry(key))
        finally:
            metrics.RECONCILES.labels(key.kind, result).inc()
            metrics.DURATION.labels(key.kind).observe(time.perf_counter() - began)

    async def _full_passes(self) -> None:
        while True:
            await asyncio.sleep(self._settings.full_pass_seconds * random.uniform(0.9, 1.1))
            for resource in WATCHED:
                try:
                    await self.full_pass(resource)
                except ApiError as error:
                    log.warning("full pass over %s: %s", resource.plural, error)

    async def full_pass(self, resource: Resource) -> int:
        """Compares what is remembered with what the apiserver has, and repairs; returns the number of differences.

        Only differences that were there before the listing began count: what changes meanwhile comes through the watch.
        """
        before = {key_of(manifest): manifest for manifest in self.store.all(resource)}
        listed: dict[Key, Manifest] = {}
        for namespace in self._settings.watch_namespaces or (None,):
            for item in await self._cluster.list_identities(resource, namespace, label_selector(resource)):
                listed[key_of(item)] = item
        repairs = 0
        for key, manifest in before.items():
            if key not in listed and self.store.get(resource, *key) is manifest:
                self.store.remove(resource, manifest)
                self._enqueue(resource, manifest, asks_otherwise=True)
                repairs += 1
        for key, item in listed.items():
            known = self.store.get(resource, *key)
            if known is None or int(known["metadata"]["resourceVersion"]) < int(item["metadata"]["resourceVersion"]):
                fresh = await self._cluster.get(resource, *key)
                if fresh is not None:
                    self.observe(resource, None, fresh)
                    repairs += key in before or known is None
        if repairs:
            log.warning("full pass repaired %d %s that the watch had missed", repairs, resource.plural)
            metrics.REPAIRS.labels(resource.kind).inc(repairs)
        return repairs
