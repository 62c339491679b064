"""`slipway_monitor_*`: what monitors found, for dashboards and alerts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, get_args

from prometheus_client import Gauge

from slipway.api.v1alpha1.model_monitor import MAX_CHECKS, WORST_FIRST, Verdict, worst_of
from slipway.telemetry import metrics

Series = tuple[Gauge, tuple[str, ...]]
_SHOWN: dict[tuple[str, str], dict[Series, float]] = {}
TRUTHS = {
    "matched": metrics.MONITOR_TRUTH_MATCHED,
    "waiting": metrics.MONITOR_TRUTH_WAITING,
    "unmatched": metrics.MONITOR_TRUTH_UNMATCHED,
}


def update(manifest: Mapping[str, Any], status: Mapping[str, Any], model: Mapping[str, Any] | None) -> None:
    """Sets the series of one ModelMonitor, removing those that no longer hold."""
    meta = manifest["metadata"]
    key = (meta["namespace"], meta["name"])
    _show(key, dict(_series(manifest, status, model or {})))


def forget(namespace: str, name: str) -> None:
    """Removes the series of a ModelMonitor that is gone."""
    _show((namespace, name), {})


def _show(key: tuple[str, str], wanted: dict[Series, float]) -> None:
    for gauge, labels in _SHOWN.get(key, {}).keys() - wanted.keys():
        gauge.remove(*labels)
    for (gauge, labels), value in wanted.items():
        gauge.labels(*labels).set(value)
    if wanted:
        _SHOWN[key] = wanted
    else:
        _SHOWN.pop(key, None)


def _series(manifest: Mapping[str, Any], status: Mapping[str, Any], model: Mapping[str, Any]) -> Iterator[tuple[Series, float]]:
    meta, about, run = manifest["metadata"], model.get("spec", {}), status.get("run")
    named = (meta["namespace"], meta["name"], manifest["spec"].get("deployment", ""))
    importance = about.get("importance", "")
    whose = (*named, model.get("metadata", {}).get("name", ""), about.get("owner", {}).get("team", ""), importance)
    if verdict := status.get("verdict"):
        for each in get_args(Verdict):
            yield (metrics.MONITOR_VERDICT, (*whose, each)), float(each == verdict)
    suspended = manifest["spec"].get("suspend", False)
    if run is None or suspended:
        return
    yield (metrics.MONITOR_LAST_RUN, (*named, importance)), datetime.fromisoformat(run["finishedAt"]).timestamp()
    yield from _of_kinds((*named, importance, about.get("owner", {}).get("team", "")), run)
    yield from _of_checks(named, run)
    for name, gauge in TRUTHS.items():
        if run.get("truths"):
            yield (gauge, named), float(run["truths"].get(name, 0))


def _of_kinds(whose: tuple[str, ...], run: Mapping[str, Any]) -> Iterator[tuple[Series, float]]:
    """A kind has no data only where none of its checks has."""
    kinds: dict[str, set[Verdict]] = {}
    for check in run.get("checks") or []:
        kinds.setdefault(check["check"], set()).add(check["verdict"])
    for kind, verdicts in kinds.items():
        worst = worst_of(verdicts)
        for each in WORST_FIRST:
            yield (metrics.MONITOR_KIND_VERDICT, (*whose, kind, each)), float(each == worst)


def _of_checks(named: tuple[str, ...], run: Mapping[str, Any]) -> Iterator[tuple[Series, float]]:
    """Of all rows together: groups would be too many. The worst come first, and of two with one name the first stays."""
    seen = set()
    for check in (run.get("checks") or [])[:MAX_CHECKS]:
        labels = (*named, check["check"], check["measure"], check.get("column", ""))
        if check.get("segment") or check.get("value") is None or labels in seen:
            continue
        seen.add(labels)
        yield (metrics.MONITOR_CHECK, labels), float(check["value"])
