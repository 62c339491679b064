"""The plan for a ModelMonitor: one CronJob, a Job for a run that was asked for, and what is to be thought of the last run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from slipway.api.conditions import ConditionType, EventReason, Reason, Transition
from slipway.api.parse import parse
from slipway.api.v1alpha1 import ModelMonitor
from slipway.api.v1alpha1.model_monitor import RUN_REQUESTED
from slipway.cluster.resources import Manifest
from slipway.errors import Stalled
from slipway.plan.build.cron_job import build_cron_job, build_job
from slipway.plan.differ import Difference, compare
from slipway.plan.entries import registry_entries
from slipway.plan.monitor.judge import EVENTS, Judgement, due_by, find_job_condition, judge, worst
from slipway.plan.names import cron_job_name, job_name
from slipway.plan.status import ConditionSet, find_condition, rfc3339
from slipway.plan.trouble import refusal_trouble
from slipway.plan.types import EntryDraft, EventDraft, Plan, Refusal, Trouble
from slipway.settings import Monitoring

JOB_RECHECK_SECONDS = 15.0
"""How soon to look again whether the run that was asked for has ended."""

_OF_A_CHECK = ("check", "measure", "column", "segment", "value", "threshold", "verdict")
"""What an entry of the ledger says of the worst check."""


@dataclass(frozen=True)
class Watched:
    """One snapshot of what a ModelMonitor touches."""

    deployment: Manifest | None = None
    cron_jobs: tuple[Manifest, ...] = ()
    """Those that carry its name, also of an earlier monitor of that name."""
    job: Manifest | None = None
    """The last Job on demand, as far as something hangs on it (`awaited_job`)."""
    refusal: Refusal | None = None
    """The apiserver would not have the CronJob or the Job."""


@dataclass(frozen=True)
class Platform:
    """Where monitors run."""

    namespace: str = "slipway-system"
    monitoring: Monitoring | None = None
    collector: str = ""
    """Empty: there is no prediction log."""


def plan_monitor(manifest: Manifest, watched: Watched, platform: Platform, now: datetime) -> Plan:
    """What to do for one ModelMonitor as it is now. The ledger is told of each new spec: its thresholds decide what alarms."""
    plan = _plan_of(manifest, watched, platform, now)
    return replace(plan, ended=(*registry_entries(manifest, {"spec": manifest["spec"]}), *plan.ended))


def _plan_of(manifest: Manifest, watched: Watched, platform: Platform, now: datetime) -> Plan:
    try:
        owner = parse(ModelMonitor, manifest)
    except Stalled as error:  # what runs goes on running
        return _stalled(manifest, Trouble(error.reason, error.message), now)
    try:
        wanted = _wanted(owner, watched, platform)
    except Stalled as error:
        return replace(_stalled(manifest, Trouble(error.reason, error.message), now), deletes=watched.cron_jobs)
    return _plan(manifest, owner, watched, wanted, now)


def _wanted(owner: ModelMonitor, watched: Watched, platform: Platform) -> Manifest:
    """The CronJob. Raises Stalled: there is nothing to watch, or nothing to watch it with."""
    if platform.monitoring is None or not platform.collector:
        missing = "prediction log (predictionLog.enabled)" if not platform.collector else "monitoring (monitoring.enabled)"
        raise Stalled(Reason.MONITORING_UNAVAILABLE, f"this platform has no {missing}, so nothing is monitored: ask the platform team")
    if watched.deployment is None:
        name, namespace = owner.spec.deployment, owner.metadata.namespace
        message = f"ModelDeployment {name} does not exist in namespace {namespace}: create it, or correct spec.deployment"
        raise Stalled(Reason.DEPLOYMENT_MISSING, message)
    return build_cron_job(owner, platform.monitoring, platform.namespace)


def _plan(manifest: Manifest, owner: ModelMonitor, watched: Watched, wanted: Manifest, now: datetime) -> Plan:
    """With a CronJob that is wanted."""
    before, name = manifest.get("status", {}), wanted["metadata"]["name"]
    live = next((job for job in watched.cron_jobs if job["metadata"]["name"] == name), None)
    difference = compare(wanted, live) if live else Difference.OUTDATED
    since = _scheduled_since(manifest, owner, now)
    judgement = judge(before.get("run"), live, since, now, watched.job)
    job, on_demand = _on_demand(manifest, watched, live)
    conditions = ConditionSet(before, owner.metadata.generation, now)
    _readiness(conditions, owner, watched)
    conditions.set(ConditionType.HEALTHY, judgement.healthy, judgement.reason, judgement.message)
    status = {
        **_status(manifest),
        **_verdict(before, judgement, now),
        "cronJob": f"{wanted['metadata']['namespace']}/{name}",
        **({"onDemand": on_demand} if on_demand else {}),
        **({"scheduledSince": since} if since else {}),
        "conditions": conditions.as_list(),
    }
    ended, events = _changes(manifest, status, judgement)
    return Plan(
        applies=() if difference is Difference.NONE else (wanted,),
        deletes=tuple(job for job in watched.cron_jobs if job is not live),
        job=job,
        ended=ended,
        status=status,
        events=(*_repair(before, owner, live, difference), *_started(job), *events, *_stall_events(before, status)),
        requeue_after=_look_again(manifest, job or watched.job, live, since, on_demand, now),
    )


def _stalled(manifest: Manifest, trouble: Trouble, now: datetime) -> Plan:
    """A person must act; the last verdict stays."""
    before = manifest.get("status", {})
    conditions = ConditionSet(before, manifest["metadata"]["generation"], now)
    conditions.trouble(trouble)
    healthy = find_condition(before, ConditionType.HEALTHY)
    kept = {key: before[key] for key in ("verdict", "judged", "onDemand") if key in before}
    status = _status(manifest) | kept | {"conditions": [*conditions.as_list(), *([healthy] if healthy else [])]}
    return Plan(status=status, events=_stall_events(before, status))


def _status(manifest: Manifest) -> dict[str, Any]:
    """What the run wrote is handed back as it is: a status is replaced whole, and only if it is still the one that was planned on."""
    run = manifest.get("status", {}).get("run")
    return {"observedGeneration": manifest["metadata"]["generation"]} | ({"run": run, "lastRun": run["finishedAt"]} if run else {})


def _verdict(before: Mapping[str, Any], judgement: Judgement, now: datetime) -> dict[str, Any]:
    """The verdict, and since when it is that."""
    judged = before.get("judged")
    if judgement.verdict is None:
        return {"judged": judged} if judged else {}
    if judged is None or judged["verdict"] != judgement.verdict:
        judged = {"verdict": judgement.verdict, "since": rfc3339(now), "number": (judged or {"number": 0})["number"] + 1}
    return {"verdict": judgement.verdict, "judged": judged}


def _scheduled_since(manifest: Manifest, owner: ModelMonitor, now: datetime) -> str | None:
    """From when on runs are due: while nobody changes the spec it stays; suspended, none are."""
    if owner.spec.suspend:
        return None
    before = manifest.get("status", {})
    same = before.get("observedGeneration") == owner.metadata.generation
    return (before.get("scheduledSince") if same else None) or rfc3339(now)


def _on_demand(manifest: Manifest, watched: Watched, live: Manifest | None) -> tuple[Manifest | None, str]:
    """The Job to create, and the name of the last one that was. Another one waits until that has ended."""
    before = manifest.get("status", {}).get("onDemand", "")
    if live is None or watched.refusal or requested_job(manifest) in (None, before):
        return None, before
    if watched.job is not None and not is_finished(watched.job):
        return None, before
    job = build_job(live, manifest["metadata"]["annotations"][RUN_REQUESTED])
    return job, job["metadata"]["name"]


def requested_job(manifest: Manifest) -> str | None:
    """The name of the Job of the run that is asked for, if one is."""
    meta = manifest["metadata"]
    requested = (meta.get("annotations") or {}).get(RUN_REQUESTED)
    return job_name(cron_job_name(meta["name"], meta["uid"]), requested) if requested else None


def awaited_job(manifest: Manifest) -> str | None:
    """The name of the last Job on demand, if something hangs on it: its result is not the last, or another one is asked for."""
    status = manifest.get("status", {})
    before: str = status.get("onDemand", "")
    waits = requested_job(manifest) not in (None, before)
    return before if before and (waits or (status.get("run") or {}).get("id") != before) else None


def is_finished(job: Manifest) -> bool:
    return find_job_condition(job, "Complete", "Failed") is not None


def _readiness(conditions: ConditionSet, owner: ModelMonitor, watched: Watched) -> None:
    if watched.refusal:
        conditions.trouble(refusal_trouble(watched.refusal))
    elif owner.spec.suspend:
        conditions.ready(Reason.SUSPENDED, "suspended: it does not run by schedule, as asked; the last verdict stays")
    else:
        conditions.ready(Reason.SCHEDULED, f"watches ModelDeployment {owner.spec.deployment}")


def _changes(manifest: Manifest, status: Mapping[str, Any], judgement: Judgement) -> tuple[tuple[EntryDraft, ...], tuple[EventDraft, ...]]:
    """A ledger entry and an Event where the verdict is another one than the ledger was last told."""
    judged = status.get("judged")
    if judgement.verdict is None or judged is None or judged == manifest.get("status", {}).get("judged"):
        return (), ()
    details: dict[str, Any] = {"verdict": judgement.verdict, "deployment": manifest["spec"].get("deployment", "")}
    run = status.get("run")
    if run and judgement.reason not in (Reason.RUNS_FAILED, Reason.RUNS_OVERDUE):
        details |= {key: run[key] for key in ("id", "version", "rows", "report") if run.get(key)}
        details["worst"] = {key: value for key, value in worst(run).items() if key in _OF_A_CHECK}
    detail = f"{judgement.verdict}#{judged['number']}"
    entry = EntryDraft(Transition.JUDGED, judgement.message, str(judgement.reason), detail, details, actors=())
    warning = judgement.verdict in ("Warning", "Critical", "Error")
    return (entry,), (EventDraft(EVENTS[judgement.verdict], judgement.message, warning),)


def _repair(before: Mapping[str, Any], owner: ModelMonitor, live: Manifest | None, difference: Difference) -> tuple[EventDraft, ...]:
    """Said when somebody else changed or deleted the CronJob."""
    was_complete = before.get("observedGeneration") == owner.metadata.generation and before.get("cronJob")
    if difference is Difference.EDITED:
        done = "was changed by somebody else"
    elif live is None and was_complete:
        done = "was deleted by somebody else"
    else:
        return ()
    text = f"CronJob {cron_job_name(owner.metadata.name, owner.metadata.uid)} {done} and put back: edit the ModelMonitor instead."
    return (EventDraft(EventReason.CHILD_REPAIRED, text, warning=True),)


def _started(job: Manifest | None) -> tuple[EventDraft, ...]:
    if job is None:
        return ()
    return (EventDraft(EventReason.RUN_STARTED, f"Job {job['metadata']['name']} runs as asked"),)


def _stall_events(before: Mapping[str, Any], status: Mapping[str, Any]) -> tuple[EventDraft, ...]:
    stalled, was = find_condition(status, ConditionType.STALLED), find_condition(before, ConditionType.STALLED)
    if stalled is None or (was and was["reason"] == stalled["reason"]):
        return ()
    return (EventDraft(EventReason.STALLED, f"{stalled['reason']}: {stalled['message']}", warning=True),)


def _look_again(
    manifest: Manifest, awaited: Manifest | None, live: Manifest | None, since: str | None, on_demand: str, now: datetime
) -> float | None:
    """When time alone may change the plan: a run becomes overdue, or the one that was asked for has ended. Jobs are not watched."""
    delays = []
    if since and live:
        due = (due_by(manifest.get("status", {}).get("run"), live, since) - now).total_seconds()
        delays += [due + 1] if due > 0 else []
    waits = live and requested_job(manifest) not in (None, on_demand)
    if waits or (awaited and not is_finished(awaited)):
        delays.append(JOB_RECHECK_SECONDS)
    return min(delays, default=None)
