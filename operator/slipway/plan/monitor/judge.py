"""What is to be thought of a monitored deployment: of the last run, or that there is none to go by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from slipway.api.conditions import ConditionType, EventReason, Reason
from slipway.api.v1alpha1.model_monitor import WORST_FIRST, Verdict
from slipway.cluster.resources import Manifest
from slipway.plan.monitor.schedule import longest_pause
from slipway.plan.status import find_condition

GRACE = timedelta(minutes=30)
"""Beside two pauses of the schedule: a run takes a while, and may wait for a node."""
_OF_VERDICT: dict[Verdict, tuple[bool | None, Reason]] = {
    "Healthy": (True, Reason.ALL_CHECKS_HEALTHY),
    "Warning": (False, Reason.CHECK_WARNING),
    "Critical": (False, Reason.CHECK_CRITICAL),
    "NoData": (None, Reason.NO_DATA),
    "Error": (None, Reason.CHECK_FAILED),
}
EVENTS: dict[Verdict, EventReason] = {
    "Healthy": EventReason.MONITOR_HEALTHY,
    "Warning": EventReason.MONITOR_WARNING,
    "Critical": EventReason.MONITOR_CRITICAL,
    "NoData": EventReason.MONITOR_NO_DATA,
    "Error": EventReason.MONITOR_ERROR,
}


@dataclass(frozen=True)
class Judgement:
    """The verdict, None before the first run, and the condition `Healthy` (None for Unknown)."""

    verdict: Verdict | None
    healthy: bool | None
    reason: Reason
    message: str


def judge(
    run: Mapping[str, Any] | None, cron_job: Manifest | None, since: str | None, now: datetime, on_demand: Manifest | None = None
) -> Judgement:
    """The verdict.

    Args:
        run: What the last run wrote.
        cron_job: The live one.
        since: From when on runs are due by the present schedule; None while they are not.
        now: The time.
        on_demand: The last Job that was asked for, as far as its result is not known.

    """
    if failed := _failed_on_demand(run, on_demand):
        return Judgement("Error", None, Reason.RUNS_FAILED, failed)
    if since is not None and cron_job is not None:
        if failed := _failed(run, cron_job):
            return Judgement("Error", None, Reason.RUNS_FAILED, failed)
        due = due_by(run, cron_job, since)
        if now >= due:
            said = f"there was no run since {_last(run, since)}, and there should have been one by {due:%Y-%m-%dT%H:%M:%SZ}"
            return Judgement("Error", None, Reason.RUNS_OVERDUE, said)
    if run is None:
        return Judgement(None, None, Reason.NOT_RUN_YET, "the first run is still to come")
    verdict: Verdict = run["verdict"]
    healthy, reason = _OF_VERDICT[verdict]
    return Judgement(verdict, healthy, reason, run.get("message") or f"{run.get('rows', 0)} rows: {verdict}")


def due_by(run: Mapping[str, Any] | None, cron_job: Manifest, since: str) -> datetime:
    """From when on a missing run is overdue."""
    last = max(_time(since), _time(run["finishedAt"]) if run else _time(since))
    return last + 2 * longest_pause(cron_job["spec"]["schedule"]) + GRACE


def worst(run: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """The check that tells most, or nothing."""
    checks = (run or {}).get("checks") or [{}]
    found: Mapping[str, Any] = checks[0]
    return found


def worst_health(monitors: Iterable[Manifest]) -> tuple[bool | None, Reason, str] | None:
    """The condition `Healthy` of what they all watch: that of the worst; None where none has one."""
    found = []
    for monitor in monitors:
        status = monitor.get("status", {})
        if condition := find_condition(status, ConditionType.HEALTHY):
            verdict = status.get("verdict")
            rank = WORST_FIRST.index(verdict) if verdict in WORST_FIRST else len(WORST_FIRST)
            found.append((rank, monitor["metadata"]["name"], condition))
    if not found:
        return None
    _, name, condition = min(found, key=lambda each: each[:2])
    healthy = {"True": True, "False": False}.get(condition["status"])
    return healthy, Reason(condition["reason"]), f"{name}: {condition['message']}"


def _failed(run: Mapping[str, Any] | None, cron_job: Manifest) -> str:
    """Why the newest scheduled run gave nothing: none is under way, and neither it nor a later one has ended well."""
    status = cron_job.get("status") or {}
    began, ended_well = status.get("lastScheduleTime"), status.get("lastSuccessfulTime")
    if not began or status.get("active"):
        return ""
    if ended_well and _time(ended_well) >= _time(began):
        return ""
    if run and _time(run["finishedAt"]) >= _time(began):
        return ""
    return f"the run of {began} ended without a result: its pod's log in namespace {cron_job['metadata']['namespace']} says why"


def _failed_on_demand(run: Mapping[str, Any] | None, job: Manifest | None) -> str:
    """Why the run that was asked for last gave nothing, unless a later one did."""
    failure = find_job_condition(job, "Failed")
    if job is None or failure is None:
        return ""
    meta = job["metadata"]
    if run and _time(run["finishedAt"]) >= _time(meta["creationTimestamp"]):
        return ""
    why = failure.get("reason") or "Failed"
    where = f"Job {meta['name']} in namespace {meta['namespace']}"
    return f"the run that was asked for ended without a result ({why}): the log of {where} says why"


def find_job_condition(job: Manifest | None, *kinds: str) -> Mapping[str, Any] | None:
    """The first of a Job's conditions that is of one of the kinds and holds."""
    conditions = ((job or {}).get("status") or {}).get("conditions") or []
    return next((c for c in conditions if c["type"] in kinds and c["status"] == "True"), None)


def _last(run: Mapping[str, Any] | None, since: str) -> str:
    return max(since, run["finishedAt"], key=_time) if run else since


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
