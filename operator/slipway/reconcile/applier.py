"""Children: looked at closely before they are put back, applied and deleted in order, and contested ones counted."""

from __future__ import annotations

import logging
from collections.abc import Callable

from slipway.api.conditions import EventReason
from slipway.cluster.client import Cluster
from slipway.cluster.http import Conflict, Refused
from slipway.cluster.resources import MODEL, MODEL_DEPLOYMENT, MODEL_VERSION, Manifest, Resource, resource_of
from slipway.cluster.store import DEPLOYMENT_LABEL, Store
from slipway.plan.contest import last_writer
from slipway.plan.names import version_name
from slipway.plan.types import Child, Observed, Plan, Refusal
from slipway.reconcile.contests import Contests
from slipway.reconcile.lister import Observe, refresh
from slipway.reconcile.observe import owned_by
from slipway.reconcile.promises import Promises
from slipway.reconcile.queue import ObjectKey
from slipway.telemetry import metrics

log = logging.getLogger(__name__)


class Applier:
    """Writes the children of ModelDeployments."""

    def __init__(
        self, store: Store, tell: Observe, cluster: Cluster, contests: Contests, promises: Promises, clock: Callable[[], float]
    ) -> None:
        self._store = store
        self._tell = tell
        self._cluster = cluster
        self._contests = contests
        self._promises = promises
        self._clock = clock

    async def look_closely(self, key: ObjectKey, plan: Plan, observed: Observed) -> bool:
        """Reads anew what a decision hangs on that a lagging watch could make wrong; True when the plan must be made again.

        That is: who wrote last to children whose repair waits; children that look changed or deleted by somebody, with their owner; and
        a Model or version that looks missing, for a stall is told for ever.
        """
        found = await self._find_missing(key, observed)
        unknown = [child for child in plan.held if observed.contests[child] is None]
        for kind, name in unknown:
            live = await self._cluster.get(resource_of({"kind": kind}), key.namespace, name)
            self._contests.name(key, (kind, name), last_writer(live) or "")
        damaged = [child for child in map(about, plan.applies) if _repaired(child, plan)]
        for kind, name in damaged:
            await self._refresh(resource_of({"kind": kind}), key.namespace, name)
        if damaged:
            await self._refresh(MODEL_DEPLOYMENT, key.namespace, key.name)
        return bool(unknown or damaged or found)

    async def _find_missing(self, key: ObjectKey, observed: Observed) -> bool:
        """Whether what the ModelDeployment refers to is there after all: each kind has a watch of its own, and one may lag."""
        asked = (self._store.get(MODEL_DEPLOYMENT, key.namespace, key.name) or {"spec": {}})["spec"]
        model, version = asked.get("model", ""), asked.get("version", "")
        missing = [(MODEL, model)] if observed.model is None else []
        missing += [(MODEL_VERSION, version_name(model, version))] if observed.version is None else []
        for resource, name in missing:
            await self._refresh(resource, key.namespace, name)
        return any(self._store.get(resource, key.namespace, name) for resource, name in missing)

    async def _refresh(self, resource: Resource, namespace: str, name: str) -> None:
        await refresh(self._store, self._cluster, self._tell, resource, namespace, name)

    async def apply(self, key: ObjectKey, manifest: Manifest, plan: Plan, observed: Observed, applied: list[Child]) -> Refusal | None:
        """Applies and deletes children in order; stops at the first that the apiserver will not have. Fills `applied`."""
        if plan.snapshot or any(about(child) not in observed.children for child in plan.applies):
            await self._confirm(manifest)
        if plan.snapshot:
            refusal = await self._write_down(plan.snapshot)
            if refusal:
                return refusal
            applied.append(about(plan.snapshot))
        for child in plan.applies:
            refusal = await self._apply_one(key, child, plan, observed)
            if refusal:
                return refusal
            applied.append(about(child))
        for live in plan.deletes:
            await self._cluster.delete(live)
            self._store.remove(resource_of(live), live)
        return None

    async def _write_down(self, snapshot: Manifest) -> Refusal | None:
        """From here on the revision is approved, whatever happens.

        Raises:
            Conflict: there is one of that number, which the watch has not told of yet.

        """
        try:
            self._store.put(resource_of(snapshot), await self._cluster.create(snapshot))
            if snapshot["data"]["approved"]["how"] == "Overridden":
                metrics.OVERRIDES.labels(snapshot["metadata"]["namespace"], snapshot["metadata"]["labels"][DEPLOYMENT_LABEL]).inc()
        except Refused as error:
            if error.reason == "AlreadyExists":
                raise Conflict(409, "Stale", f"{about(snapshot)[1]} is there already; the watch has not told yet") from error
            return Refusal(*about(snapshot), error.message)
        return None

    async def _apply_one(self, key: ObjectKey, child: Manifest, plan: Plan, observed: Observed) -> Refusal | None:
        """Applies a child. Repairs are counted, also those for which somebody was faster: else who is always faster is never named."""
        live = observed.children.get(about(child))
        try:
            answer = await self._cluster.apply(child, live)
        except Refused as error:
            log.warning("refused: %s", error.message)
            foreign = live is None and await self._exists_for_others(child)
            return Refusal(*about(child), error.message, foreign)
        except Conflict:
            if _repaired(about(child), plan):
                self._contests.attempt(key, about(child), self._clock())
            raise
        except Exception:  # it may have landed
            self._promises.keep(key, about(child))
            raise
        self._promises.keep(key, about(child))
        self._store.put(resource_of(child), answer)
        if about(child) in plan.repairs:
            self._contests.attempt(key, about(child), self._clock())
        log.info("applied %s %s", *about(child))
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


def about(child: Manifest) -> Child:
    return child["kind"], child["metadata"]["name"]


def _repaired(child: Child, plan: Plan) -> bool:
    """Whether the apply puts back what somebody changed, as its Event would say."""
    return any(draft.reason is EventReason.CHILD_REPAIRED and draft.child == child for draft in plan.events)
