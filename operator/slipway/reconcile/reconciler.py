"""One reconcile of one object: observe, plan, apply, status, Events. Safe to repeat and to be cut off anywhere."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from datetime import UTC, datetime

from slipway.api.conditions import EventReason
from slipway.cluster.client import Cluster
from slipway.cluster.http import ApiError, Conflict, Refused
from slipway.cluster.resources import MODEL, MODEL_DEPLOYMENT, MODEL_VERSION, Manifest, Resource, resource_of
from slipway.cluster.store import Store
from slipway.plan.model_deployment import plan_deployment
from slipway.plan.registry import plan_model, plan_version
from slipway.plan.types import EventDraft, Observed, Plan, Refusal
from slipway.reconcile.observe import observe, owned_by, read_mount_warnings
from slipway.reconcile.queue import ObjectKey
from slipway.settings import Serving
from slipway.telemetry import info, metrics

log = logging.getLogger(__name__)

REFUSAL_RETRY_SECONDS = 30.0
"""How soon to ask again for a child that was refused: nothing tells when a quota or a policy changes."""


class Reconciler:
    """Brings single objects to what they ask for."""

    def __init__(self, store: Store, cluster: Cluster, serving: Serving, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._store = store
        self._cluster = cluster
        self._serving = serving
        self._now = now

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
        await self._finish(manifest, self._registry_plan(resource, manifest))
        return None

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
            return None
        warnings = await read_mount_warnings(manifest, self._store, self._cluster)
        observed = observe(manifest, self._store, warnings)
        plan = plan_deployment(manifest, observed, self._serving, self._now())
        drafts, applied = plan.events, list[tuple[str, str]]()
        try:
            refusal = await self._apply(manifest, plan, observed, applied)
            if plan.applies or plan.deletes:
                observed = observe(manifest, self._store, warnings, refusal)
                plan = plan_deployment(manifest, observed, self._serving, self._now())
            await self._finish(manifest, plan, _merged(_about(applied, drafts), plan.events))
        except ApiError:  # what was applied is not applied again, so nothing else will tell; a status does tell again
            await self._record_all(manifest, _about(applied, drafts))
            raise
        info.update(manifest, plan.status, observed.model)
        return REFUSAL_RETRY_SECONDS if refusal else plan.requeue_after

    async def _apply(self, manifest: Manifest, plan: Plan, observed: Observed, applied: list[tuple[str, str]]) -> Refusal | None:
        """Applies and deletes children in order; stops at the first that the apiserver will not have. Fills `applied`."""
        if any((child["kind"], child["metadata"]["name"]) not in observed.children for child in plan.applies):
            await self._confirm(manifest)
        for child in plan.applies:
            live = observed.children.get((child["kind"], child["metadata"]["name"]))
            try:
                self._store.put(resource_of(child), await self._cluster.apply(child, live))
                applied.append((child["kind"], child["metadata"]["name"]))
                log.info("applied %s %s", *applied[-1])
            except Refused as error:
                log.warning("refused: %s", error.message)
                foreign = live is None and await self._exists_for_others(child)
                return Refusal(child["kind"], child["metadata"]["name"], error.message, foreign)
        for live in plan.deletes:
            await self._cluster.delete(live)
            self._store.remove(resource_of(live), live)
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

    async def _finish(self, manifest: Manifest, plan: Plan, events: tuple[EventDraft, ...] | None = None) -> None:
        """One status write when it differs, then Events."""
        if plan.status != manifest.get("status"):
            self._store.put(resource_of(manifest), await self._cluster.apply_status(manifest, plan.status))
        await self._record_all(manifest, plan.events if events is None else events)

    async def _record_all(self, manifest: Manifest, events: tuple[EventDraft, ...]) -> None:
        for draft in events:
            if draft.reason is EventReason.STALLED:
                metrics.ERRORS.labels(draft.message.partition(":")[0]).inc()
            await self._record(manifest, draft)

    async def _record(self, manifest: Manifest, draft: EventDraft) -> None:
        """Records an Event; a lost Event is logged, never retried: the condition says the same."""
        try:
            await self._cluster.record(event_manifest(manifest, draft, self._now()))
        except ApiError as error:
            log.warning("Event %s could not be recorded: %s", draft.reason, error)


def event_manifest(manifest: Manifest, draft: EventDraft, now: datetime) -> Manifest:
    """The core/v1 Event; its name follows from what it says, so that saying it again counts it up."""
    meta = manifest["metadata"]
    said = f"{meta['uid']}/{draft.reason}/{draft.message}"
    time = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{meta['name']}.{hashlib.sha256(said.encode()).hexdigest()[:16]}", "namespace": meta["namespace"]},
        "involvedObject": {
            "apiVersion": manifest["apiVersion"],
            "kind": manifest["kind"],
            "name": meta["name"],
            "namespace": meta["namespace"],
            "uid": meta["uid"],
            "resourceVersion": meta["resourceVersion"],
        },
        "reason": str(draft.reason),
        "message": draft.message[:1024],
        "type": "Warning" if draft.warning else "Normal",
        "count": 1,
        "firstTimestamp": time,
        "lastTimestamp": time,
        "source": {"component": "slipway"},
        "reportingComponent": "slipway.dev/operator",
        "reportingInstance": "slipway-operator",
    }


def _about(children: list[tuple[str, str]], drafts: tuple[EventDraft, ...]) -> tuple[EventDraft, ...]:
    """Those that tell of one of the children."""
    return tuple(draft for draft in drafts if draft.child in children)


def _merged(first: tuple[EventDraft, ...], second: tuple[EventDraft, ...]) -> tuple[EventDraft, ...]:
    return tuple(dict.fromkeys((*first, *second)))
