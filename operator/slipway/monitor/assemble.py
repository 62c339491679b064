"""Puts a run's pieces together into its result."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from slipway.api.v1alpha1.model_monitor import MAX_CHECKS, WORST_FIRST, CheckStatus, Run, Verdict
from slipway.cluster.resources import Manifest
from slipway.monitor.log.span import Span, precise, text
from slipway.monitor.objects import Objects
from slipway.monitor.performing import Performed
from slipway.monitor.result import BaselineUsed, ColumnReport, Monitored, Point, Result, overall

MAX_VALUES = 100
"""In a point of the history."""
FLOATS = ("value", "lower", "upper", "threshold", "p_value")


@dataclass(frozen=True)
class Found:
    """What a run found, before it is told."""

    checks: Sequence[CheckStatus]
    baseline: BaselineUsed
    rows: int = 0
    version: str = ""
    columns: Sequence[ColumnReport] = ()
    performed: Performed = field(default_factory=Performed)


@dataclass(frozen=True)
class When:
    """A run's times."""

    window: Span
    started: datetime
    finished: datetime


def result_of(objects: Objects, found: Found, run: str, report: str, when: When) -> Result:
    """The result, without its history."""
    checks = sorted((finite(check) for check in found.checks), key=_badness)
    made = _run(objects.monitor, checks, run, when).model_copy(
        update={
            "version": found.version,
            "rows": found.rows,
            "truths": found.performed.truths,
            "worst_segment": found.performed.worst_segment[:320],
            "report": report[:1024],
        }
    )
    return Result(
        monitored=monitored(objects),
        run=made,
        baseline=found.baseline,
        checks=checks,
        columns=list(found.columns),
        performance=found.performed.report,
        estimate=found.performed.estimate,
        segments=list(found.performed.segments),
    )


def failed_run(monitor: Manifest, run: str, message: str, when: When) -> Run:
    """The run that found nothing, because of what `message` says."""
    return _run(monitor, [], run, when).model_copy(update={"verdict": "Error", "message": message[:1024]})


def monitored(objects: Objects) -> Monitored:
    """Whom the result is about."""
    meta, model, version = objects.monitor["metadata"], objects.model["spec"], objects.version.get("spec") or {}
    return Monitored(
        namespace=meta["namespace"],
        name=meta["name"],
        uid=meta.get("uid", ""),
        deployment=objects.spec.deployment,
        model=objects.deployment["spec"]["model"],
        version=objects.deployment["spec"]["version"],
        digest=(version.get("artifact") or {}).get("digest", ""),
        team=(model.get("owner") or {}).get("team", ""),
        importance=model.get("importance") or "",
    )


def point_of(result: Result) -> Point:
    """The result as a later report draws it."""
    values = {
        "/".join((check.check, check.measure, check.column)): check.value
        for check in result.checks
        if check.value is not None and not check.segment
    }
    return Point(at=result.run.finished_at, verdict=result.run.verdict, values=dict(list(values.items())[:MAX_VALUES]))


def finite(check: CheckStatus) -> CheckStatus:
    """JSON knows neither NaN nor infinity."""
    odd = {name: None for name in FLOATS if (value := getattr(check, name)) is not None and not math.isfinite(value)}
    return check.model_copy(update=odd) if odd else check


def _run(monitor: Manifest, checks: Sequence[CheckStatus], run: str, when: When) -> Run:
    before: dict[str, Any] = (monitor.get("status") or {}).get("run") or {}
    return Run(
        id=run,
        finished_at=precise(when.finished),
        seconds=round((when.finished - when.started).total_seconds(), 3),
        window_from=text(when.window.start),
        window_to=text(when.window.end),
        generation=int(monitor["metadata"].get("generation", 0)),
        verdict=overall(checks),
        message=_message(checks),
        checks=list(checks[:MAX_CHECKS]),
        counts=dict(Counter(check.verdict for check in checks)),
        notified=str(before.get("notified") or ""),
    )


def _message(checks: Sequence[CheckStatus]) -> str:
    """The worst check in words, and how many there are."""
    verdict = overall(checks)
    if verdict in ("Healthy", "NoData"):
        healthy = sum(check.verdict == "Healthy" for check in checks)
        rest = ", the others have no data" if healthy < len(checks) else ""
        return f"{healthy} of {len(checks)} checks are healthy{rest}"
    count = sum(check.verdict == verdict for check in checks)
    worst = next(check for check in checks if check.verdict == verdict)
    about = " ".join(part for part in (worst.measure, worst.column, worst.segment) if part)
    return f"{verdict}: {worst.check} {about}: {worst.message} ({count} of {len(checks)} checks)"[:1024]


def _badness(check: CheckStatus) -> tuple[int, float]:
    """The worst verdict first, then how far beyond its threshold."""
    verdict: Verdict = check.verdict
    beyond = abs(check.value - check.threshold) / (abs(check.threshold) or 1.0) if None not in (check.value, check.threshold) else 0.0  # type: ignore[operator, arg-type]
    return WORST_FIRST.index(verdict), -beyond if verdict in ("Critical", "Warning") else 0.0
