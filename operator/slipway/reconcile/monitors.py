"""ModelMonitors: their CronJobs in the operator's own namespace, runs on demand, and what is left of monitors that are gone."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from slipway.api.conditions import EventReason
from slipway.cluster.client import Cluster
from slipway.cluster.http import Conflict, Refused
from slipway.cluster.resources import CRON_JOB, JOB, MODEL_DEPLOYMENT, MODEL_MONITOR, Manifest, resource_of
from slipway.cluster.store import Store
from slipway.plan.model_monitor import Platform, Watched, awaited_job, plan_monitor
from slipway.plan.names import MONITOR_UID_LABEL, cron_job_name
from slipway.plan.types import EventDraft, Plan, Refusal
from slipway.reconcile.lister import Observe, refresh
from slipway.reconcile.queue import ObjectKey
from slipway.telemetry import monitors

log = logging.getLogger(__name__)

REFUSAL_RETRY_SECONDS = 30.0
"""How soon to ask again for what was refused: nothing tells when a quota or a policy changes."""


class Monitors:
    """Brings about what a ModelMonitor asks for, up to its status."""

    def __init__(
        self, store: Store, tell: Observe, cluster: Cluster, platform: Platform, served: tuple[str, ...], now: Callable[[], datetime]
    ) -> None:
        """`served`: the namespaces that the operator looks at; empty for all."""
        self._store = store
        self._tell = tell
        self._cluster = cluster
        self._platform = platform
        self._served = served
        self._now = now

    async def bring_about(self, manifest: Manifest) -> tuple[Plan, tuple[EventDraft, ...]]:
        """Applies, deletes and starts what is to be. Returns the plan whose status tells it, and the Events of what was done.

        Raises:
            Conflict: something has changed: plan again.

        """
        job = await self._awaited(manifest)
        plan, refusal, done = self._plan(manifest, job), None, tuple[EventDraft, ...]()
        if plan.applies or plan.deletes:
            await self._refresh(manifest, plan)  # CronJobs are listed now and then: what is decided on is read anew
            planned = self._plan(manifest, job)
            refusal = await self._apply(manifest, planned)
            done = () if refusal else _about(planned, EventReason.CHILD_REPAIRED)
            plan = self._plan(manifest, job, refusal)
        if plan.job:
            refusal = await self._create(plan.job)
            done = (*done, *(() if refusal else _about(plan, EventReason.RUN_STARTED)))
            plan = self._plan(manifest, job, refusal) if refusal else plan
        said = tuple(draft for draft in plan.events if draft.reason not in (EventReason.CHILD_REPAIRED, EventReason.RUN_STARTED))
        return replace(plan, events=said, requeue_after=REFUSAL_RETRY_SECONDS if refusal else plan.requeue_after), done

    async def clean(self, key: ObjectKey) -> None:
        """Deletes the CronJobs of a monitor that is gone; it has no owner reference across namespaces, so nobody else would."""
        left = self._store.of_monitor(key.namespace, key.name)
        if not left:
            monitors.forget(key.namespace, key.name)
            return
        if not self._served or key.namespace in self._served:
            present = await self._cluster.get(MODEL_MONITOR, key.namespace, key.name)
            if present is not None and "deletionTimestamp" not in present["metadata"]:
                self._tell(MODEL_MONITOR, None, present)  # the watch has not told yet
                return
        monitors.forget(key.namespace, key.name)
        for cron_job in left:
            await self._delete(cron_job)

    def _plan(self, manifest: Manifest, job: Manifest | None, refusal: Refusal | None = None) -> Plan:
        meta = manifest["metadata"]
        found = self._store.of_monitor(meta["namespace"], meta["name"])
        named = self._store.get(CRON_JOB, self._platform.namespace, cron_job_name(meta["name"], meta["uid"]))
        unlabelled = [named] if named and all(each["metadata"]["name"] != named["metadata"]["name"] for each in found) else []
        deployment = self._store.get(MODEL_DEPLOYMENT, meta["namespace"], manifest["spec"].get("deployment", ""))
        return plan_monitor(manifest, Watched(deployment, (*found, *unlabelled), job, refusal), self._platform, self._now())

    async def _awaited(self, manifest: Manifest) -> Manifest | None:
        """The last Job on demand, if something hangs on it. Kubernetes removes it a day after it has ended."""
        name = awaited_job(manifest)
        return await self._cluster.get(JOB, self._platform.namespace, name) if name else None

    async def _refresh(self, manifest: Manifest, plan: Plan) -> None:
        """Reads what is to be changed, and a deployment that looks missing: its watch may lag behind the monitor's."""
        for name in {child["metadata"]["name"] for child in (*plan.applies, *plan.deletes)}:
            await self._read(CRON_JOB.kind, self._platform.namespace, name)
        if plan.deletes and not plan.applies:
            await self._read(MODEL_DEPLOYMENT.kind, manifest["metadata"]["namespace"], manifest["spec"].get("deployment", ""))

    async def _read(self, kind: str, namespace: str, name: str) -> None:
        await refresh(self._store, self._cluster, self._tell, resource_of({"kind": kind}), namespace, name)

    async def _apply(self, manifest: Manifest, plan: Plan) -> Refusal | None:
        """The CronJob first, then what an earlier monitor of that name left."""
        for child in plan.applies:
            live = self._store.get(CRON_JOB, self._platform.namespace, child["metadata"]["name"])
            if live is None:
                await self._confirm(manifest)
            try:
                self._store.put(CRON_JOB, await self._cluster.apply(child, live))
            except Refused as error:
                return _refused(child, error)
            log.info("applied CronJob %s", child["metadata"]["name"])
        for live in plan.deletes:
            await self._delete(live)
        return None

    async def _confirm(self, manifest: Manifest) -> None:
        """What is not there carries no precondition: nothing but its owner's present state may call it into being (ADR 0014).

        Raises:
            Conflict: the monitor asks otherwise by now, or is gone.

        """
        meta = manifest["metadata"]
        present = (await self._cluster.get(MODEL_MONITOR, meta["namespace"], meta["name"]) or {"metadata": {}})["metadata"]
        if any(present.get(key) != meta[key] for key in ("uid", "generation")) or "deletionTimestamp" in present:
            raise Conflict(409, "Stale", "the ModelMonitor has changed or is gone; the watch has not told yet")

    async def _create(self, job: Manifest) -> Refusal | None:
        """One Job for one request: one of that name has been made for it."""
        try:
            await self._cluster.create(job)
        except Refused as error:
            if error.reason != "AlreadyExists":
                return _refused(job, error)
        return None

    async def _delete(self, cron_job: Manifest) -> None:
        """The CronJob as it is now, if it still is that one; its Jobs and pods go with it."""
        meta = cron_job["metadata"]
        fresh = await self._cluster.get(CRON_JOB, meta["namespace"], meta["name"])
        if fresh is not None and fresh["metadata"]["uid"] == meta["uid"]:
            await self._cluster.delete(fresh)
            log.info("deleted CronJob %s of ModelMonitor %s", meta["name"], (meta.get("labels") or {}).get(MONITOR_UID_LABEL, "?"))
        self._store.remove(CRON_JOB, cron_job)


def _about(plan: Plan, reason: EventReason) -> tuple[EventDraft, ...]:
    return tuple(draft for draft in plan.events if draft.reason is reason)


def _refused(child: Manifest, error: Refused) -> Refusal:
    log.warning("refused: %s", error.message)
    return Refusal(child["kind"], child["metadata"]["name"], error.message)
