"""Settings from the environment, as the operator sets it."""

from __future__ import annotations

from pathlib import Path

import pytest

from slipway.collector.settings import LogPlace
from slipway.monitor.settings import Notifiers, Settings, Who, settings_from

ENV = {
    "SLIPWAY_MONITOR_NAMESPACE": "growth",
    "SLIPWAY_MONITOR_NAME": "daily",
    "SLIPWAY_MONITOR_UID": "u",
    "SLIPWAY_MONITOR_JOB": "daily-1",
    "SLIPWAY_LOG_URI": "s3://log/slipway/",
    "SLIPWAY_LOG_SECRET": "/secret/log",
    "SLIPWAY_LOG_REGION": "eu-west-1",
    "SLIPWAY_STORE_URI": "s3://models",
    "SLIPWAY_STORE_SECRET": "/secret/store",
    "SLIPWAY_NOTIFIERS": "/etc/slipway/notifiers.json",
    "SLIPWAY_NOTIFIER_SECRETS": "/etc/slipway/notifier-secrets",
    "SLIPWAY_NOTIFY_MIN_INTERVAL_SECONDS": "60",
    "SLIPWAY_REPORT_DAYS": "90",
    "SLIPWAY_LOG_LEVEL": "warning",
}


def test_everything() -> None:
    assert settings_from(ENV) == Settings(
        Who("growth", "daily", "u", "daily-1"),
        LogPlace("s3://log/slipway", Path("/secret/log"), {"AWS_REGION": "eu-west-1"}),
        LogPlace("s3://models", Path("/secret/store")),
        Notifiers(Path("/etc/slipway/notifiers.json"), Path("/etc/slipway/notifier-secrets"), 60.0),
        90,
        "WARNING",
    )


def test_the_least() -> None:
    needed = {name: ENV[name] for name in ("SLIPWAY_MONITOR_NAMESPACE", "SLIPWAY_MONITOR_NAME", "SLIPWAY_LOG_URI")}
    found = settings_from(needed)
    assert (found.store, found.notifiers, found.who.run, found.report_days) == (None, Notifiers(), "", 0)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("SLIPWAY_MONITOR_NAME", "", "must name a ModelMonitor"),
        ("SLIPWAY_LOG_URI", "", "SLIPWAY_LOG_URI must be"),
        ("SLIPWAY_NOTIFY_MIN_INTERVAL_SECONDS", "soon", "must be a whole number of seconds, not 'soon'"),
        ("SLIPWAY_REPORT_DAYS", "-1", "must be a whole number of days, not '-1'"),
    ],
)
def test_what_is_wrong(name: str, value: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        settings_from(ENV | {name: value})
