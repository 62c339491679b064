"""The checks of one scan. Each kind for itself: what breaks is a check with verdict `Error`, and never the end of the others."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime

import pyarrow as pa

from slipway.api.v1alpha1.model_monitor import CheckKind, CheckStatus, Drift, Staleness, Thresholds
from slipway.monitor.baseline.choose import Reference
from slipway.monitor.features import Columns
from slipway.monitor.log.sample import sampled
from slipway.monitor.objects import Objects
from slipway.monitor.stats.drift import drift_checks
from slipway.monitor.stats.health import health_checks
from slipway.monitor.stats.quality import quality_checks
from slipway.monitor.stats.staleness import staleness_check
from slipway.monitor.window import SAMPLE_ROWS, SEED, Scanned

log = logging.getLogger(__name__)


def guarded(kind: CheckKind, measure: str, make: Callable[[], Sequence[CheckStatus]]) -> list[CheckStatus]:
    """The checks; or one that says why there are none."""
    try:
        return list(make())
    except Exception as error:
        log.exception("check %s", kind)
        return [failed(kind, measure, error)]


def failed(kind: CheckKind, measure: str, error: BaseException) -> CheckStatus:
    """A check that broke."""
    return CheckStatus(check=kind, measure=measure, verdict="Error", message=one_line(error)[:512])


def one_line(error: BaseException) -> str:
    """What an error says, for people."""
    said = " ".join(str(error).split())
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def scan_checks(objects: Objects, found: Scanned, reference: Reference, columns: Columns) -> list[CheckStatus]:
    """What the spec asks of the window's counts."""
    spec, window, profile = objects.spec, found.profile, reference.profile
    checks: list[CheckStatus] = []
    if (health := spec.service_health) is not None:
        checks += guarded("ServiceHealth", "errorRate", lambda: health_checks(window, health))
    if (drift := spec.drift) is not None:
        checks += guarded("Drift", "baseline", lambda: drift_checks(profile, window, drift, "Drift", columns.features))
    if (answers := spec.prediction_drift) is not None:
        checks += guarded("PredictionDrift", "baseline", lambda: drift_checks(profile, window, answers, "PredictionDrift", columns.outputs))
    if (quality := spec.data_quality) is not None:
        checks += guarded("DataQuality", "missing", lambda: quality_checks(window, quality, columns.features))
    return [*checks, *empty_kinds(objects, checks)]


def empty_kinds(objects: Objects, checks: Sequence[CheckStatus]) -> list[CheckStatus]:
    """A check without data for each kind that is asked for and has no column at all, so that nothing looks healthy for lack of columns."""
    spec, there = objects.spec, {check.check for check in checks}
    asked: list[tuple[CheckKind, object, str]] = [
        ("Drift", spec.drift, "baseline"),
        ("PredictionDrift", spec.prediction_drift, "baseline"),
        ("DataQuality", spec.data_quality, "missing"),
    ]
    why = "neither the log nor the baseline has such columns"
    return [
        CheckStatus(check=kind, measure=measure, verdict="NoData", message=why)
        for kind, stated, measure in asked
        if stated is not None and kind not in there
    ]


def multivariate_checks(drift: Drift, thresholds: Thresholds, found: Scanned, reference: Reference, columns: Columns) -> list[CheckStatus]:
    """Whether a classifier tells the window from the baseline."""

    def make() -> list[CheckStatus]:
        from slipway.monitor.performance.multivariate import domain_check  # with scikit-learn, which most runs do not need

        rows, window = reference.rows, found.sample if found.sample is not None else pa.table({})
        if found.profile.rows < drift.min_rows or rows is None:
            why = "there is no baseline" if rows is None else f"{found.profile.rows} rows in the window, {drift.min_rows} are needed"
            return [CheckStatus(check="MultivariateDrift", measure="auc", verdict="NoData", message=why)]
        baseline = sampled(rows(), SAMPLE_ROWS, SEED)
        shown = [name for name, feature in columns.features.items() if feature not in drift.exclude]
        both = [name for name in shown if name in baseline.column_names and name in window.column_names]
        return [domain_check(baseline.select(both), window.select(both), thresholds, SEED)]

    return guarded("MultivariateDrift", "auc", make)


def staleness_checks(objects: Objects, stated: Staleness, now: datetime) -> list[CheckStatus]:
    """How old the deployment's version is."""

    def make() -> list[CheckStatus]:
        version = objects.version
        trained = ((version.get("spec") or {}).get("lineage") or {}).get("trainedAt")
        created = (version.get("metadata") or {}).get("creationTimestamp")
        return [staleness_check(stated, _moment(trained), _moment(created), now)]

    return guarded("Staleness", "ageDays", make)


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
