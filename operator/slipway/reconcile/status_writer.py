"""One status write at the end of a reconcile, then Events: both within a budget for each object."""

from __future__ import annotations

from collections.abc import Callable

from slipway.api.conditions import EventReason
from slipway.cluster.client import Cluster
from slipway.cluster.resources import MODEL, MODEL_DEPLOYMENT, MODEL_MONITOR, Manifest, resource_of
from slipway.cluster.store import Store
from slipway.plan.contest import contested_message, last_writer
from slipway.plan.types import EventDraft, Plan
from slipway.reconcile.budget import Budget
from slipway.reconcile.contests import Contests
from slipway.reconcile.event_budget import Recorder
from slipway.reconcile.queue import ObjectKey
from slipway.telemetry import info, monitors

STATUS_BUDGET = (20, 2.0)
"""Status writes of one object at once, and in how many seconds there may be one more."""


class StatusWriter:
    """Writes the status of our kinds, and names whoever else does."""

    def __init__(self, store: Store, cluster: Cluster, contests: Contests, recorder: Recorder, clock: Callable[[], float]) -> None:
        self._store = store
        self._cluster = cluster
        self._contests = contests
        self._recorder = recorder
        self._clock = clock
        self._budget = Budget(*STATUS_BUDGET)

    async def finish(self, manifest: Manifest, plan: Plan, done: tuple[EventDraft, ...] = ()) -> float | None:
        """Shows the status in the metrics, writes it when it differs, then the Events of what was `done`, and of the status.

        Returns the delay after which a status may be written that must wait; what it would have told is told with it.
        """
        if manifest["kind"] == MODEL_DEPLOYMENT.kind:
            info.update(manifest, plan.status, self._store.get(MODEL, manifest["metadata"]["namespace"], manifest["spec"]["model"]))
        if manifest["kind"] == MODEL_MONITOR.kind:
            self._show_monitor(manifest, plan)
        if plan.status != manifest.get("status"):
            delay = self._budget.wait(manifest["metadata"]["uid"], self._clock())
            if delay:
                await self._ask_whose_status(manifest)
                await self._recorder.record(manifest, done)
                return delay
            self._store.put(resource_of(manifest), await self._cluster.apply_status(manifest, plan.status))
        await self._recorder.record(manifest, (*done, *(draft for draft in plan.events if draft.child is None)))
        return None

    def _show_monitor(self, manifest: Manifest, plan: Plan) -> None:
        namespace = manifest["metadata"]["namespace"]
        deployment = self._store.get(MODEL_DEPLOYMENT, namespace, manifest["spec"]["deployment"]) or {"spec": {}}
        monitors.update(manifest, plan.status, self._store.get(MODEL, namespace, deployment["spec"].get("model", "")))

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
