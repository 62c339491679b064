"""What a run is told at its start, read from the environment once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from slipway.collector.settings import LogPlace, place_from, whole
from slipway.telemetry import logs


@dataclass(frozen=True)
class Who:
    """Which ModelMonitor runs."""

    namespace: str
    name: str
    uid: str = ""
    """Of the object that the run was made for; empty: whichever has the name."""
    run: str = ""
    """The run's id: its Job's name; a retry has the same."""


@dataclass(frozen=True)
class Notifiers:
    """How the models' owners are told."""

    config: Path | None = None
    """JSON: docs/monitors/notifiers.md."""
    secrets: Path | None = None
    """A folder for each notifier."""
    least_seconds: float = 300.0
    """Between two messages of a monitor."""


@dataclass(frozen=True)
class Settings:
    """Everything a run is told."""

    who: Who
    log: LogPlace
    store: LogPlace | None
    """What opens the platform's object store, where baselines are; None: there is none."""
    notifiers: Notifiers
    report_days: int = 0
    """How long reports are kept; 0: for ever."""
    log_level: str = "INFO"


def settings_from(env: Mapping[str, str] = os.environ) -> Settings:
    """Settings from `SLIPWAY_*` variables (docs/monitors/report.md).

    Raises:
        ValueError: a variable is missing or holds what it must not; the message names it.

    """
    names = [env.get(f"SLIPWAY_MONITOR_{part}", "") for part in ("NAMESPACE", "NAME", "UID", "JOB")]
    if not names[0] or not names[1]:
        raise ValueError("SLIPWAY_MONITOR_NAMESPACE and SLIPWAY_MONITOR_NAME must name a ModelMonitor")
    return Settings(
        who=Who(*names),
        log=place_from(env),
        store=_store(env),
        notifiers=_notifiers(env),
        report_days=whole(env, "SLIPWAY_REPORT_DAYS", Settings.report_days, of="days"),
        log_level=logs.level_from(env, Settings.log_level),
    )


def _store(env: Mapping[str, str]) -> LogPlace | None:
    secret = _path(env, "SLIPWAY_STORE_SECRET")
    return LogPlace(env.get("SLIPWAY_STORE_URI", ""), secret) if secret else None


def _notifiers(env: Mapping[str, str]) -> Notifiers:
    least = whole(env, "SLIPWAY_NOTIFY_MIN_INTERVAL_SECONDS", int(Notifiers.least_seconds), of="seconds")
    return Notifiers(_path(env, "SLIPWAY_NOTIFIERS"), _path(env, "SLIPWAY_NOTIFIER_SECRETS"), float(least))


def _path(env: Mapping[str, str], name: str) -> Path | None:
    return Path(env[name]) if env.get(name) else None
