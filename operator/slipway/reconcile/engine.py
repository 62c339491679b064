"""The running operator without kopf: what watch events do, the workers, and the full pass that repairs what watches missed."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from datetime import UTC, datetime
from http import HTTPStatus

from slipway.cluster.client import Cluster
from slipway.cluster.http import ApiError, Conflict, NamespaceEnding, Refused
from slipway.cluster.resources import (
    APPROVAL_POLICY,
    CRON_JOB,
    GOVERNING,
    MODEL_APPROVAL,
    MODEL_DEPLOYMENT,
    NAMESPACE,
    OWN_KINDS,
    WATCHED,
    Manifest,
    Resource,
)
from slipway.cluster.store import Key, Store, key_of
from slipway.errors import NotLeader
from slipway.plan.model_monitor import Platform
from slipway.plan.names import MANAGED_BY, STAGE_LABEL
from slipway.reconcile.deletions import Deletions
from slipway.reconcile.guard import Guard
from slipway.reconcile.journal import Journal
from slipway.reconcile.lister import Lister, OtherHistory, check_history
from slipway.reconcile.queue import ObjectKey, WorkQueue
from slipway.reconcile.reconciler import Reconciler
from slipway.reconcile.routes import affected
from slipway.settings import Settings
from slipway.telemetry import metrics
from slipway.telemetry.logs import OBJECT

log = logging.getLogger(__name__)

CHILD_SELECTOR = f"{MANAGED_BY}=slipway"
CONFLICT_RETRY_SECONDS = 0.05
GRACE_SECONDS = 2.0
"""How long a watch event may be on its way before a full pass calls it missed."""


def label_selector(resource: Resource) -> str:
    """What the apiserver is asked for: all of our kinds, namespaces with a stage, of others only what we manage."""
    if resource is NAMESPACE:
        return STAGE_LABEL
    return "" if resource in (*OWN_KINDS, MODEL_APPROVAL, APPROVAL_POLICY) else CHILD_SELECTOR


def watched_by(settings: Settings) -> tuple[Resource, ...]:
    """What an operator with these settings watches."""
    return (*WATCHED, *GOVERNING) if settings.governance else WATCHED


class Engine:
    """Store, queue and workers of one process."""

    def __init__(self, cluster: Cluster, settings: Settings, journal: Journal | None = None) -> None:
        self.store = Store()
        self.queue = WorkQueue()
        self._cluster = cluster
        self._settings = settings
        self._working = False
        self._stopping = False
        self._journal = journal or Journal()
        self._watched = watched_by(settings)
        guard = Guard(cluster, self._journal, settings, lambda: datetime.now(UTC), self._policies_changed)
        self._guard = guard if settings.governance else None
        self._reconciler = Reconciler(
            self.store,
            self.observe,
            cluster,
            settings.serving,
            self._journal,
            guard=self._guard,
            serves_otherwise=self._enqueue_waiting,
            platform=Platform(settings.namespace, settings.monitoring, settings.serving.collector),
            served=settings.watch_namespaces,
            judged_otherwise=lambda namespace, name: self.queue.add(ObjectKey(MODEL_DEPLOYMENT.kind, namespace, name)),
        )
        self._deletions = Deletions(self.store, cluster, self._journal, self._namespaces, lambda: datetime.now(UTC))
        self.lister = Lister(cluster, self.store, self.observe, label_selector)
        self.lister.expect(self._watched, self._namespaces)
        self.lister.expect((CRON_JOB,), (settings.namespace,))

    @property
    def _namespaces(self) -> tuple[str | None, ...]:
        """What is listed and watched: the named namespaces, or None for all at once."""
        return self._settings.watch_namespaces or (None,)

    def _where(self, resource: Resource) -> tuple[str | None, ...]:
        """CronJobs are in the operator's own namespace, whatever it serves."""
        return (self._settings.namespace,) if resource is CRON_JOB else self._namespaces

    @property
    def synced(self) -> bool:
        """Everything was listed once: before that, children would look missing."""
        return self.lister.listed.is_set()

    def observe(self, resource: Resource, event_type: str | None, manifest: Manifest) -> None:
        """A watch event or a listed object: remember it, and put on the queue whose plan may change."""
        metrics.WATCH_EVENTS.labels(resource.kind).inc()
        if event_type:
            self.lister.heard(resource, int(manifest["metadata"]["resourceVersion"]))
        gone = event_type == "DELETED"
        if not gone and not self.store.is_news(resource, manifest):  # our own write, whose answer we had, or older than what is known
            return
        before = self.store.get(resource, *key_of(manifest))
        if not (self.store.remove(resource, manifest) if gone else self.store.put(resource, manifest)):
            return
        if resource in OWN_KINDS and self._working:
            self._notice(before, manifest, gone)
        asks_otherwise = gone or before is None or before["metadata"].get("generation") != manifest["metadata"].get("generation")
        self._enqueue(resource, manifest, asks_otherwise)
        if before is not None and (asks_otherwise or resource not in OWN_KINDS):
            self._enqueue(resource, before, asks_otherwise)  # what it referred to, or whose it was, counts anew

    def _notice(self, before: Manifest | None, manifest: Manifest, gone: bool) -> None:
        """An object is gone, also when the first that is heard of it is another one of its name."""
        if gone:
            self._deletions.noticed(manifest)
        elif before is not None and before["metadata"]["uid"] != manifest["metadata"]["uid"]:
            self._deletions.noticed(before)

    def _enqueue(self, resource: Resource, manifest: Manifest, asks_otherwise: bool) -> None:
        if not self._working:  # a standby only remembers: it queues everything when it takes over
            return
        for key, delay in affected(resource, manifest, self.store, asks_otherwise):
            if delay:
                self.queue.add_after(key, delay)
            else:
                self.queue.add(key)

    def stop(self) -> None:
        """No new reconcile begins; `work` returns when those under way have ended."""
        self._stopping = True
        self.queue.shut_down(self._settings.workers)

    async def work(self) -> None:
        """Runs the workers; called once leading and synced. Returns after `stop`."""
        self._working = True
        await self._catch_up()
        if self._guard:
            await self._guard.begin()
        self._enqueue_all()
        async with asyncio.TaskGroup() as tasks:  # whichever fails ends them all, and with them the process: better than half an operator
            running = [self.queue.run_delays(), self._full_passes(), self._look_at_cron_jobs(), self._deletions.run()]
            running += [self._guard.run()] if self._guard else []
            endless = [tasks.create_task(endlessly) for endlessly in running]
            await asyncio.wait([tasks.create_task(self._worker()) for _ in range(self._settings.workers)])
            for task in endless:
                task.cancel()

    def _enqueue_all(self) -> None:
        for resource in OWN_KINDS:
            for manifest in self.store.all(resource):
                self.queue.add(ObjectKey(resource.kind, *key_of(manifest)))
        for cron_job in self.store.all(CRON_JOB):  # also those whose monitor is gone
            self._enqueue(CRON_JOB, cron_job, asks_otherwise=True)
        for approval in self.store.all(MODEL_APPROVAL):  # also those whose deployment is gone
            self.queue.add(ObjectKey(MODEL_DEPLOYMENT.kind, key_of(approval)[0], approval["spec"]["deployment"]))

    def _enqueue_waiting(self) -> None:
        """Something serves other bytes: policies may ask that the same ones serve elsewhere first."""
        for manifest in self.store.waiting():
            self.queue.add(ObjectKey(MODEL_DEPLOYMENT.kind, *key_of(manifest)))

    def _policies_changed(self) -> None:
        """The admission policies hold, or do not any more: what has a stage is looked at."""
        for namespace in self.store.all(NAMESPACE):
            self._enqueue(NAMESPACE, namespace, asks_otherwise=True)

    def ledger_opened(self) -> None:
        """What had to wait for the ledger is looked at again, and what went while nobody could write is looked for."""
        self._deletions.compare()
        self._enqueue_all()

    async def _catch_up(self) -> None:
        """What is *now*: the watches of a replica that has just become the leader may lag behind what its predecessor did."""
        for resource in (*OWN_KINDS, *(GOVERNING if self._guard else ()), CRON_JOB):
            while True:
                try:
                    await self.full_pass(resource, grace=0)
                    break
                except ApiError as error:
                    log.warning("catching up on %s: %s; again in a second", resource.plural, error)
                    await asyncio.sleep(1)

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
        except NamespaceEnding:
            result = "namespace-ending"  # nothing to do, unless the deletion of the namespace is itself stuck
            self.queue.retry(key)
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
            for resource in self._watched:
                try:
                    await self.full_pass(resource)
                except ApiError as error:
                    log.warning("full pass over %s: %s", resource.plural, error)
                except OtherHistory:
                    raise
                except Exception as error:
                    metrics.ERRORS.labels(type(error).__name__).inc()
                    log.exception("full pass over %s failed; the next one tries again", resource.plural)

    async def list_cron_jobs(self) -> None:
        """Has them listed once, without a watch: docs/adr/0021-cron-jobs-are-listed-not-watched.md."""
        while True:
            try:
                await self.lister.begin(CRON_JOB, self._settings.namespace)
                return
            except ApiError as error:
                log.warning("listing cronjobs: %s; again in a second", error)
            await asyncio.sleep(1)

    async def _look_at_cron_jobs(self) -> None:
        """What a watch would tell of the monitors' CronJobs, a little later."""
        while True:
            await asyncio.sleep(self._settings.cron_job_seconds * random.uniform(0.9, 1.1))
            try:
                await self._compare(CRON_JOB, grace=0)
            except ApiError as error:
                log.warning("looking at cronjobs: %s", error)

    async def full_pass(self, resource: Resource, grace: float = GRACE_SECONDS) -> int:
        """Compares what is remembered with what the apiserver has, and repairs; returns the number of differences.

        What a watch tells within `grace` seconds was on its way, and is no difference.
        """
        repairs = await self._compare(resource, grace)
        if repairs and resource is not CRON_JOB:
            log.warning("full pass repaired %d %s that the watch had missed", repairs, resource.plural)
            metrics.REPAIRS.labels(resource.kind).inc(repairs)
        return repairs

    async def _compare(self, resource: Resource, grace: float) -> int:
        listed, version = await self._list(resource)
        known = self.store.versions(resource)
        gone = {key: at for key, at in known.items() if key not in listed and at <= version}
        newer = [key for key, there in listed.items() if known.get(key, -1) < there]
        if grace and (gone or newer):
            await asyncio.sleep(grace)
        repairs = [await self._repair_gone(resource, key, at) for key, at in gone.items()]
        repairs += [await self._repair_missed(resource, key, listed[key]) for key in newer]
        return sum(repairs)

    async def _list(self, resource: Resource) -> tuple[dict[Key, int], int]:
        """The resourceVersions of all that is there, and of the list. Raises OtherHistory.

        Of a namespace that the operator may not look at (it was deleted, and its Role with it) nothing is known to be otherwise.
        """
        listed: dict[Key, int] = {}
        seen, version = self.store.newest(resource), 0
        for namespace in self._where(resource):
            try:
                async for items, at in self._cluster.pages(resource, namespace, label_selector(resource), identities_only=True):
                    version = int(at)
                    check_history(resource, seen, version)
                    listed |= {key_of(item): _version(item) for item in items}
            except Refused as error:
                if namespace is None or error.code != HTTPStatus.FORBIDDEN:
                    raise
                log.warning("full pass over %s: %s", resource.plural, error)
                listed |= self.store.versions(resource, namespace)
        return listed, version

    async def _repair_gone(self, resource: Resource, key: Key, version: int) -> bool:
        """Forgets an object that was not listed; it is asked for once more, since it may be there again."""
        manifest = self.store.get(resource, *key)
        if manifest is None or _version(manifest) != version:
            return False
        fresh = await self._cluster.get(resource, *key)
        if fresh is not None and _version(fresh) == version:
            return False  # made while its namespace had been listed already, or a child that somebody took our label from
        self.observe(resource, "DELETED" if fresh is None else None, fresh or manifest)
        return True

    async def _repair_missed(self, resource: Resource, key: Key, listed: int) -> bool:
        known = self.store.get(resource, *key)
        if known is not None and _version(known) >= listed:
            return False
        fresh = await self._cluster.get(resource, *key)
        if fresh is not None:
            self.observe(resource, None, fresh)
        return fresh is not None


def _version(manifest: Manifest) -> int:
    return int(manifest["metadata"]["resourceVersion"])
