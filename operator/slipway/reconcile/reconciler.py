"""One reconcile of one object: observe, plan, apply, status, Events. Safe to repeat and to be cut off anywhere."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime

from slipway.api.conditions import EventReason
from slipway.cluster.client import Cluster
from slipway.cluster.http import ApiError, Conflict, Refused
from slipway.cluster.resources import MODEL, MODEL_DEPLOYMENT, MODEL_VERSION, Manifest, Resource, resource_of
from slipway.cluster.store import Store
from slipway.plan.contest import contested_message, last_writer
from slipway.plan.model_deployment import plan_deployment
from slipway.plan.registry import plan_model, plan_version
from slipway.plan.types import Child, EventDraft, Observed, Plan, Refusal
from slipway.reconcile.budget import Budget
from slipway.reconcile.contests import Contests
from slipway.reconcile.event_budget import Recorder
from slipway.reconcile.observe import observe, owned_by, read_mount_warnings
from slipway.reconcile.queue import ObjectKey
from slipway.settings import Serving
from slipway.telemetry import info

log = logging.getLogger(__name__)

REFUSAL_RETRY_SECONDS = 30.0
"""How soon to ask again for a child that was refused: nothing tells when a quota or a policy changes."""
STATUS_BUDGET = (20, 2.0)
"""Status writes of one object at once, and in how many seconds there may be one more."""


class Reconciler:
    """Brings single objects to what they ask for."""

    def __init__(
        self,
        store: Store,
        cluster: Cluster,
        serving: Serving,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._cluster = cluster
        self._serving = serving
        self._now = now
        self._clock = clock
        self._contests = Contests()
        self._status_budget = Budget(*STATUS_BUDGET)
        self._recorder = Recorder(cluster, now, clock)

    async def reconcile(self, key: ObjectKey) -> float | None:
        """Reconciles the object; returns after how many seconds it wants to be looked at again, if at all.

        Raises:
            ApiError: the apiserver could not answer, or the object had changed: retry.
            NotLeader: another replica writes now.

        """
        if key.kind == "ModelDeployment":
            return await self._deployment(key)
        resource = {"Model": MODEL, "ModelVersion": MODEL_VERSION}[key.kind]
        manifest = self._store.get(resource, key.namespace, key.name)
        if manifest is None or "deletionTimestamp" in manifest["metadata"]:
            return None
        plan = self._registry_plan(resource, manifest)
        return await self._finish(manifest, plan)

    def _registry_plan(self, resource: Resource, manifest: Manifest) -> Plan:
        namespace = manifest["metadata"]["namespace"]
        if resource is MODEL:
            name = manifest["metadata"]["name"]
            versions = self._store.of_model(MODEL_VERSION, namespace, name)
            return plan_model(manifest, versions, self._store.of_model(MODEL_DEPLOYMENT, namespace, name), self._now())
        model = manifest["spec"].get("model", "")
        deployments = self._store.of_model(MODEL_DEPLOYMENT, namespace, model)
        return plan_version(manifest, self._store.get(MODEL, namespace, model), deployments, self._serving, self._now())

    async def _deployment(self, key: ObjectKey) -> float | None:
        manifest = self._store.get(MODEL_DEPLOYMENT, key.namespace, key.name)
        if manifest is None or "deletionTimestamp" in manifest["metadata"]:
            info.forget(key.namespace, key.name)
            self._contests.forget(key)
            return None
        warnings = await read_mount_warnings(manifest, self._store, self._cluster)

        def look(refusal: Refusal | None = None) -> tuple[Observed, Plan]:
            observed = observe(manifest, self._store, warnings, refusal, self._contests.held(key, self._clock()))
            return observed, plan_deployment(manifest, observed, self._serving, self._now())

        observed, plan = look()
        if await self._ask_who(key, plan, observed):
            observed, plan = look()
        drafts, applied = plan.events, list[Child]()
        try:
            refusal = await self._apply(key, manifest, plan, observed, applied)
            if plan.applies or plan.deletes:
                observed, plan = look(refusal)
            delay = await self._finish(manifest, plan, _about(applied, drafts))
        except ApiError:  # what was applied is not applied again, so nothing else will tell; a status does tell again
            await self._recorder.record(manifest, _about(applied, drafts))
            raise
        info.update(manifest, plan.status, observed.model)
        return self._look_again(key, REFUSAL_RETRY_SECONDS if refusal else plan.requeue_after, delay)

    def _look_again(self, key: ObjectKey, *delays: float | None) -> float | None:
        """The soonest of the delays and of the ends of contests."""
        now = self._clock()
        self._contests.tidy(key, now)
        return min((delay for delay in (*delays, self._contests.next_look(key, now)) if delay is not None), default=None)

    async def _ask_who(self, key: ObjectKey, plan: Plan, observed: Observed) -> bool:
        """Names who wrote last to children whose repair waits; returns whether there was one to ask for."""
        unknown = [child for child in plan.held if observed.contests[child] is None]
        for kind, name in unknown:
            live = await self._cluster.get(resource_of({"kind": kind}), key.namespace, name)
            self._contests.name(key, (kind, name), last_writer(live) or "")
        return bool(unknown)

    async def _apply(self, key: ObjectKey, manifest: Manifest, plan: Plan, observed: Observed, applied: list[Child]) -> Refusal | None:
        """Applies and deletes children in order; stops at the first that the apiserver will not have. Fills `applied`."""
        if any(_about_whom(child) not in observed.children for child in plan.applies):
            await self._confirm(manifest)
        for child in plan.applies:
            refusal = await self._apply_one(key, child, plan, observed)
            if refusal:
                return refusal
            applied.append(_about_whom(child))
        for live in plan.deletes:
            await self._cluster.delete(live)
            self._store.remove(resource_of(live), live)
        return None

    async def _apply_one(self, key: ObjectKey, child: Manifest, plan: Plan, observed: Observed) -> Refusal | None:
        """Applies a child. Repairs are counted, also those for which somebody was faster: else who is always faster is never named."""
        about = _about_whom(child)
        live = observed.children.get(about)
        try:
            answer = await self._cluster.apply(child, live)
        except Refused as error:
            log.warning("refused: %s", error.message)
            foreign = live is None and await self._exists_for_others(child)
            return Refusal(*about, error.message, foreign)
        except Conflict:
            if _repaired(about, plan):
                self._contests.attempt(key, about, self._clock())
            raise
        self._store.put(resource_of(child), answer)
        if about in plan.repairs:
            self._contests.attempt(key, about, self._clock())
        log.info("applied %s %s", *about)
        return None

    async def _confirm(self, manifest: Manifest) -> None:
        """Children that are not there carry no precondition: nothing but their owner's present state may call them into being.

        Raises:
            Conflict: the owner asks otherwise by now, or is gone: the watch lags, and garbage collection would be fought.

        """
        meta = manifest["metadata"]
        present = (await self._cluster.get(MODEL_DEPLOYMENT, meta["namespace"], meta["name"]) or {"metadata": {}})["metadata"]
        if any(present.get(key) != meta[key] for key in ("uid", "generation")) or "deletionTimestamp" in present:
            raise Conflict(409, "Stale", "the ModelDeployment has changed or is gone; the watch has not told yet")

    async def _exists_for_others(self, child: Manifest) -> bool:
        """Whether the refused child's name is taken by an object that is not its owner's."""
        meta = child["metadata"]
        found = await self._cluster.get(resource_of(child), meta["namespace"], meta["name"])
        return found is not None and not owned_by(found, meta["ownerReferences"][0]["uid"])

    async def _finish(self, manifest: Manifest, plan: Plan, done: tuple[EventDraft, ...] = ()) -> float | None:
        """One status write when it differs, then Events: of what was `done`, and of the status.

        Returns the delay after which a status may be written that must wait; what it would have told is told with it.
        """
        if plan.status != manifest.get("status"):
            delay = self._status_budget.wait(manifest["metadata"]["uid"], self._clock())
            if delay:
                await self._ask_whose_status(manifest)
                await self._recorder.record(manifest, done)
                return delay
            self._store.put(resource_of(manifest), await self._cluster.apply_status(manifest, plan.status))
        await self._recorder.record(manifest, (*done, *(draft for draft in plan.events if draft.child is None)))
        return None

    async def _ask_whose_status(self, manifest: Manifest) -> None:
        """Names somebody else who writes a ModelDeployment's status, which is why it changes so often.

        It is told at once: whoever is always faster lets no status through that would tell it.
        """
        kind, meta = manifest["kind"], manifest["metadata"]
        key, about = ObjectKey(kind, meta["namespace"], meta["name"]), (kind, meta["name"])
        if kind != MODEL_DEPLOYMENT.kind or about in self._contests.held(key, self._clock()):
            return
        writer = last_writer(await self._cluster.get(MODEL_DEPLOYMENT, key.namespace, key.name), "status")
        if writer:
            self._contests.found(key, about, writer, self._clock())
            said = contested_message({about: writer}, key.name)
            await self._recorder.record(manifest, (EventDraft(EventReason.CONTESTED, said, warning=True),))


def _about_whom(child: Manifest) -> Child:
    return child["kind"], child["metadata"]["name"]


def _repaired(child: Child, plan: Plan) -> bool:
    """Whether the apply puts back what somebody changed, as its Event would say."""
    return any(draft.reason is EventReason.CHILD_REPAIRED and draft.child == child for draft in plan.events)


def _about(children: list[Child], drafts: tuple[EventDraft, ...]) -> tuple[EventDraft, ...]:
    """Those that tell of one of the children."""
    return tuple(draft for draft in drafts if draft.child in children)
