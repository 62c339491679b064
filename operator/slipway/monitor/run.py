"""One run: read, compare, write, tell."""

from __future__ import annotations

import asyncio
import html
import logging
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from obstore.store import ObjectStore

from slipway.api.v1alpha1.model_monitor import CheckKind, CheckStatus, ModelMonitorSpec
from slipway.cluster.http import ApiError, ApiServer, Transport
from slipway.collector.log.place import monitor_folder, open_store, trust
from slipway.monitor.assemble import Found, When, failed_run, point_of, result_of
from slipway.monitor.baseline.choose import Reference, Sources, choose
from slipway.monitor.checking import failed, multivariate_checks, one_line, scan_checks, staleness_checks
from slipway.monitor.features import columns_of
from slipway.monitor.log.reading import LogTable
from slipway.monitor.log.span import Span
from slipway.monitor.notify.tell import tell_owner
from slipway.monitor.objects import Another, Objects, monitor_of, objects_of, patient, tell
from slipway.monitor.performing import performed
from slipway.monitor.report.page import page
from slipway.monitor.result import BaselineUsed, Result
from slipway.monitor.settings import Settings
from slipway.monitor.stats.reports import column_reports
from slipway.monitor.store import reports
from slipway.monitor.window import scanned

log = logging.getLogger(__name__)


async def run(settings: Settings) -> int:
    """The process' exit code: 0 where the monitor's status tells what was found, or nobody waits for it."""
    for place in (settings.log, settings.store):
        if place:
            trust(place)
    apiserver = await ApiServer.connect()
    try:
        return await execute(patient(apiserver), settings, datetime.now(UTC))
    except Another as gone:
        log.info("%s", gone)
        return 0
    except ApiError as error:
        log.error("the apiserver: %s", one_line(error))
        return 1
    finally:
        await apiserver.close()


async def execute(send: Transport, settings: Settings, now: datetime) -> int:
    """The run over the window that ends `now`. Raises Another and ApiError where there is no monitor to tell."""
    monitor = await monitor_of(send, settings.who)
    name = run_id(settings, now)
    try:
        objects = await objects_of(send, monitor)
        result = await asyncio.to_thread(found_result, objects, settings, name, now)
    except Exception as error:
        log.exception("the run failed")
        when = When(Span.before(now, timedelta(hours=monitor["spec"].get("windowHours", 24))), now, datetime.now(UTC))
        await tell(send, monitor, failed_run(monitor, name, one_line(error), when))
        return 1
    await tell(send, monitor, result.run)
    await tell_about(send, objects, settings, result)
    if settings.report_days:
        await asyncio.to_thread(remove_old_reports, objects, settings, now - timedelta(days=settings.report_days))
    log.info("%s/%s: %s: %s", settings.who.namespace, settings.who.name, result.run.verdict, result.run.message)
    return 0


def run_id(settings: Settings, now: datetime) -> str:
    """The Job's name; for a run without one, its time."""
    return settings.who.run or f"{now:%Y%m%dt%H%M%S}"


async def tell_about(send: Transport, objects: Objects, settings: Settings, result: Result) -> None:
    """Tells the owner, and the monitor's status what the owner was told."""
    names = (objects.model["spec"].get("owner") or {}).get("notify") or []
    outcome = await tell_owner(objects.spec.actions, names, result, settings.notifiers, datetime.now(UTC))
    if outcome.notified == result.run.notified and not outcome.failed:
        return
    said = "; ".join([result.run.message, *(f"not told: {line}" for line in outcome.failed)])
    await tell(send, objects.monitor, result.run.model_copy(update={"notified": outcome.notified, "message": said[:1024]}))


def found_result(objects: Objects, settings: Settings, name: str, now: datetime) -> Result:
    """Everything but the apiserver and the owner: reads, checks, and keeps the report. Raises whatever the log's store does."""
    window = Span.before(now, timedelta(hours=objects.spec.window_hours))
    store, of = kept_in(objects, settings)
    found = look(objects, settings, store, window)
    result = result_of(objects, found, name, f"{settings.log.uri}/{of}/{name}/report.html", When(window, now, datetime.now(UTC)))
    result = reports.with_history(result, reports.history(store, of), point_of(result))
    reports.keep(store, of, result, _drawn(result))
    return result


def kept_in(objects: Objects, settings: Settings) -> tuple[ObjectStore, str]:
    """Where the monitor's reports are: a store, and the folder in it."""
    of = monitor_folder(objects.namespace, objects.spec.deployment, str(objects.monitor["metadata"]["name"]))
    return open_store(settings.log, settings.log.uri), of


def remove_old_reports(objects: Objects, settings: Settings, before: datetime) -> None:
    """The run has told its result by now: that old ones stay is no failure of it."""
    try:
        reports.remove_old(*kept_in(objects, settings), before)
    except Exception as error:
        log.warning("old reports cannot be removed: %s", one_line(error))


def _drawn(result: Result) -> str:
    """The page; where it cannot be drawn, one that says so: the JSON beside it holds everything."""
    try:
        return page(result)
    except Exception as error:
        log.exception("the page")
        return f"<!doctype html><meta charset=utf-8><title>report</title><p>{html.escape(one_line(error))}: see report.json"


def look(objects: Objects, settings: Settings, store: ObjectStore, window: Span) -> Found:
    """What the window holds, against its baseline and the truth."""
    predictions, actuals = (LogTable(settings.log, objects.namespace, objects.spec.deployment, kind) for kind in ("predictions", "actuals"))
    with tempfile.TemporaryDirectory(prefix="slipway-baseline-") as folder:
        based = baseline(objects, window, Sources(predictions, store, settings.store, Path(folder)))
        spec, reference = objects.spec, based.reference
        columns = columns_of(predictions, spec, objects.model, reference.profile)
        thresholds = spec.drift.multivariate if spec.drift else None
        counted = scanned(predictions, window, columns, reference.profile, sample=thresholds is not None)
        checks = [*based.checks, *scan_checks(objects, counted, reference, columns)]
        if spec.drift and thresholds:
            checks += multivariate_checks(spec.drift, thresholds, counted, reference, columns)
        answers = performed(objects, predictions, actuals, reference, window.end)
        checks += answers.checks
        if spec.staleness:
            checks += staleness_checks(objects, spec.staleness, window.end)
    drawn = column_reports(reference.profile, counted.profile, columns.shown)
    return Found(checks, reference.used, counted.profile.rows, counted.version, drawn, answers)


@dataclass(frozen=True)
class Based:
    """A baseline, or checks that say why there is none."""

    reference: Reference
    checks: tuple[CheckStatus, ...] = ()


def baseline(objects: Objects, window: Span, sources: Sources) -> Based:
    """The baseline. One that cannot be read is an Error of what would be compared with it, and the end of nothing else."""
    try:
        return Based(choose(objects, window, sources))
    except Exception as error:
        log.exception("the baseline")
        none = Reference(BaselineUsed(kind="None", note=one_line(error)))
        return Based(none, tuple(failed(kind, "baseline", error) for kind in _compared(objects.spec)))


def _compared(spec: ModelMonitorSpec) -> list[CheckKind]:
    kinds: list[CheckKind] = []
    if spec.drift:
        kinds.append("Drift")
    if spec.prediction_drift:
        kinds.append("PredictionDrift")
    return kinds
