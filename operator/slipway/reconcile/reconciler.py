"""One reconcile of one object: observe, plan, entries, apply, status, Events. Safe to repeat and to be cut off anywhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from slipway.cluster.client import Cluster
from slipway.cluster.http import ApiError
from slipway.cluster.resources import MODEL, MODEL_DEPLOYMENT, MODEL_MONITOR, MODEL_VERSION, Manifest, Resource
from slipway.cluster.store import Store
from slipway.errors import NotLeader
from slipway.ledger.errors import LedgerError
from slipway.plan.entries import held_back
from slipway.plan.model_deployment import plan_deployment, status_events
from slipway.plan.model_monitor import Platform
from slipway.plan.registry import plan_model, plan_version
from slipway.plan.types import Child, EventDraft, Observed, Plan, Refusal
from slipway.reconcile.applier import Applier
from slipway.reconcile.contests import Contests
from slipway.reconcile.event_budget import Recorder
from slipway.reconcile.governing import Governing
from slipway.reconcile.guard import Guard
from slipway.reconcile.journal import Journal, trouble_of
from slipway.reconcile.lister import Observe
from slipway.reconcile.monitors import Monitors
from slipway.reconcile.observe import observe, read_mount_warnings
from slipway.reconcile.promises import Promises
from slipway.reconcile.provenance import Provenance
from slipway.reconcile.queue import ObjectKey
from slipway.reconcile.status_writer import StatusWriter
from slipway.settings import Serving
from slipway.telemetry import info

REFUSAL_RETRY_SECONDS = 30.0
"""How soon to ask again for a child that was refused: nothing tells when a quota or a policy changes."""
LEDGER_RETRY_SECONDS = 15.0
"""How soon to try again what waits for the ledger; all of it is looked at anyway when the ledger is opened again."""


class Reconciler:
    """Brings single objects to what they ask for. What it reads anew on the way it tells, as a watch would."""

    def __init__(
        self,
        store: Store,
        tell: Observe,
        cluster: Cluster,
        serving: Serving,
        journal: Journal,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock: Callable[[], float] = time.monotonic,
        guard: Guard | None = None,
        serves_otherwise: Callable[[], None] = lambda: None,
        platform: Platform | None = None,
        served: tuple[str, ...] = (),
        judged_otherwise: Callable[[str, str], None] = lambda namespace, deployment: None,
    ) -> None:
        """`serves_otherwise` is called when a ModelDeployment has come to serve other bytes, `judged_otherwise` when a monitor thinks
        otherwise of one. `served`: namespaces; empty for all.
        """
        self._store = store
        self._cluster = cluster
        self._serving = serving
        self._journal = journal
        self._now = now
        self._clock = clock
        self._serves_otherwise = serves_otherwise
        self._judged_otherwise = judged_otherwise
        self._governing = Governing(store, cluster, Provenance(journal), guard)
        self._contests = Contests()
        self._recorder = Recorder(cluster, now, clock)
        self._promises = Promises()
        self._applier = Applier(store, tell, cluster, self._contests, self._promises, clock)
        self._status = StatusWriter(store, cluster, self._contests, self._recorder, clock)
        self._monitors = Monitors(store, tell, cluster, platform or Platform(), served, now)

    async def reconcile(self, key: ObjectKey) -> float | None:
        """Reconciles the object; returns after how many seconds it wants to be looked at again, if at all.

        Raises:
            ApiError: the apiserver could not answer, or the object had changed: retry.
            NotLeader: another replica writes now.

        """
        if key.kind == "ModelDeployment":
            return await self._deployment(key)
        if key.kind == "ModelMonitor":
            return await self._monitor(key)
        resource = {"Model": MODEL, "ModelVersion": MODEL_VERSION}[key.kind]
        manifest = self._living(resource, key)
        return await self._finish(manifest, self._registry_plan(resource, manifest)) if manifest else None

    def _living(self, resource: Resource, key: ObjectKey) -> Manifest | None:
        """The object, unless it is gone or on its way."""
        manifest = self._store.get(resource, key.namespace, key.name)
        return None if manifest is None or "deletionTimestamp" in manifest["metadata"] else manifest

    def _registry_plan(self, resource: Resource, manifest: Manifest) -> Plan:
        namespace = manifest["metadata"]["namespace"]
        if resource is MODEL:
            name = manifest["metadata"]["name"]
            versions = self._store.of_model(MODEL_VERSION, namespace, name)
            return plan_model(manifest, versions, self._store.of_model(MODEL_DEPLOYMENT, namespace, name), self._now())
        model = manifest["spec"].get("model", "")
        deployments = self._store.of_model(MODEL_DEPLOYMENT, namespace, model)
        return plan_version(manifest, self._store.get(MODEL, namespace, model), deployments, self._serving, self._now())

    async def _monitor(self, key: ObjectKey) -> float | None:
        manifest = self._living(MODEL_MONITOR, key)
        if manifest is None:
            await self._monitors.clean(key)
            return None
        plan, done = await self._monitors.bring_about(manifest)
        try:
            delay = await self._finish(manifest, plan, done)
        except (ApiError, NotLeader):  # what was done is not done again, so nothing else will tell
            await self._recorder.record(manifest, done)
            raise
        if plan.status.get("conditions") != manifest.get("status", {}).get("conditions"):  # the watch does not tell of our own write
            self._judged_otherwise(key.namespace, manifest["spec"]["deployment"])
        return min((wait for wait in (plan.requeue_after, delay) if wait is not None), default=None)

    async def _deployment(self, key: ObjectKey) -> float | None:
        manifest = self._living(MODEL_DEPLOYMENT, key)
        if manifest is None:
            await self._forget(key)
            return None
        warnings = await read_mount_warnings(manifest, self._store, self._cluster)
        observed, plan = await self._look(key, manifest, warnings)
        if await self._applier.look_closely(key, plan, observed):
            manifest = self._living(MODEL_DEPLOYMENT, key)
            if manifest is None:
                await self._forget(key)
                return None
            observed, plan = await self._look(key, manifest, warnings)
        if plan.applies and await self._governing.find_stage(manifest):
            observed, plan = await self._look(key, manifest, warnings)
        may: dict[str, bool] = {}
        while plan.ask:  # who cannot override any more leaves it to those who approved: they are asked next
            may |= await self._governing.ask(manifest, plan.ask)
            observed, plan = await self._look(key, manifest, warnings, may=may)
        self._promises.make(key, plan)
        drafts, applied = plan.events, list[Child]()
        refusal = None
        try:
            if plan.snapshot or plan.applies or plan.deletes:
                await self._journal.record(manifest, plan.entries, self._now())
                refusal = await self._applier.apply(key, manifest, plan, observed, applied)
                _, plan = await self._look(key, manifest, warnings, refusal, may)
            delay = await self._finish(manifest, plan, _about(applied, drafts))
        except LedgerError as error:
            delay = await self._hold_back(manifest, plan, error)
        except (ApiError, NotLeader):  # what was applied is not applied again, so nothing else will tell; a status does tell again
            await self._recorder.record(manifest, _about(applied, drafts))
            raise
        unstarted = refusal and plan.snapshot  # what was approved could not be written down: its approvals are not used up
        answered = None if unstarted else await self._governing.answer(manifest, plan)
        return self._look_again(key, REFUSAL_RETRY_SECONDS if refusal else plan.requeue_after, delay, answered)

    async def _look(
        self,
        key: ObjectKey,
        manifest: Manifest,
        warnings: dict[str, str],
        refusal: Refusal | None = None,
        may: Mapping[str, bool] | None = None,
    ) -> tuple[Observed, Plan]:
        governance = await self._governing.look(manifest, may)
        held, promises = self._contests.held(key, self._clock()), self._promises.of(key)
        observed = observe(manifest, self._store, warnings, refusal, held, promises, governance)
        return observed, plan_deployment(manifest, observed, self._serving, self._now())

    def _look_again(self, key: ObjectKey, *delays: float | None) -> float | None:
        """The soonest of the delays and of the ends of contests."""
        now = self._clock()
        self._contests.tidy(key, now)
        return min((delay for delay in (*delays, self._contests.next_look(key, now)) if delay is not None), default=None)

    async def _finish(self, manifest: Manifest, plan: Plan, done: tuple[EventDraft, ...] = ()) -> float | None:
        """How it ended: in the ledger, then in the status, then as Events. Returns a delay when something of that must wait."""
        try:
            await self._journal.record(manifest, plan.ended, self._now())
        except LedgerError as error:
            return await self._hold_back(manifest, plan, error, done)
        delay = await self._status.finish(manifest, plan, done)
        if plan.status.get("digest") != manifest.get("status", {}).get("digest"):
            self._serves_otherwise()
        return delay

    async def _hold_back(self, manifest: Manifest, plan: Plan, error: LedgerError, done: tuple[EventDraft, ...] = ()) -> float:
        """The ledger cannot be written: nothing that it must tell of happens, and the status says so."""
        status = held_back(manifest, plan.status, trouble_of(error), self._now())
        delay = await self._status.finish(manifest, replace(plan, status=status, events=status_events(manifest, status)), done)
        return min(LEDGER_RETRY_SECONDS, delay or LEDGER_RETRY_SECONDS)

    async def _forget(self, key: ObjectKey) -> None:
        info.forget(key.namespace, key.name)
        self._contests.forget(key)
        self._promises.forget(key)
        if self._store.get(MODEL_DEPLOYMENT, key.namespace, key.name) is None:
            await self._governing.forget(key.namespace, key.name)


def _about(children: list[Child], drafts: tuple[EventDraft, ...]) -> tuple[EventDraft, ...]:
    """Those that tell of one of the children."""
    return tuple(draft for draft in drafts if draft.child in children)
