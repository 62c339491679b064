"""What a collector process is told at its start, read from the environment once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from slipway.telemetry import logs

MIB = 2**20


@dataclass(frozen=True)
class Limits:
    """What one batch, and all of them together, may take. Bytes, rows, columns, seconds."""

    body: int = 16 * MIB
    """Of one request as it is sent."""
    decoded: int = 64 * MIB
    """Of one batch once its buffers are decompressed; also of what one commit takes together."""
    rows: int = 1_000_000
    columns: int = 4096
    """Of one batch."""
    table_columns: int = 2048
    """Of one table: what is beyond goes to the column `other`."""
    days: int = 64
    """Different days in one batch: each becomes a file."""
    pending: int = 128 * MIB
    """Bodies that wait for their commit; over it the answer is 429."""
    pending_batches: int = 4096
    upload_seconds: float = 30.0


@dataclass(frozen=True)
class LogPlace:
    """Where the log is, and with what it is opened."""

    uri: str
    """`s3://BUCKET/PREFIX`."""
    secret: Path | None = None
    """The folder of the mounted Secret, for `objectstore.places.read_secret`."""
    overrides: Mapping[str, str] = field(default_factory=dict)
    """`AWS_ENDPOINT_URL`, `AWS_REGION`, `AWS_CA_BUNDLE` (a path): stronger than the Secret."""


@dataclass(frozen=True)
class Settings:
    """Everything a collector process is told."""

    log: LogPlace
    limits: Limits = Limits()
    workers: int = 4
    """Commits under way at the same time; each may hold `limits.decoded` bytes several times over."""
    readers: int = 8
    """Files read at the same time, by all lookups together."""
    retention_days: int = 0
    """Days that rows are kept, by whole days; 0: for ever."""
    late_days: int = 30
    """Ground truth that comes later than this after its prediction counts as late."""
    maintenance_seconds: float = 60.0
    """How often the tables are looked at; 0: never."""
    vacuum_hours: int = 24
    """How long files that are no longer part of a table stay for those who read it."""
    http_port: int = 8080
    log_level: str = "INFO"


def settings_from(env: Mapping[str, str] = os.environ) -> Settings:
    """Settings from `SLIPWAY_*` variables.

    Raises:
        ValueError: a variable is missing or holds what it must not; the message names it.

    """
    return Settings(
        log=place_from(env),
        limits=_limits(env),
        workers=whole(env, "SLIPWAY_LOG_WORKERS", Settings.workers, at_least=1),
        readers=whole(env, "SLIPWAY_LOG_READERS", Settings.readers, at_least=1),
        retention_days=whole(env, "SLIPWAY_LOG_RETENTION_DAYS", Settings.retention_days),
        late_days=whole(env, "SLIPWAY_LOG_LATE_DAYS", Settings.late_days),
        maintenance_seconds=float(whole(env, "SLIPWAY_LOG_MAINTENANCE_SECONDS", int(Settings.maintenance_seconds))),
        vacuum_hours=whole(env, "SLIPWAY_LOG_VACUUM_HOURS", Settings.vacuum_hours, at_least=1),
        http_port=whole(env, "SLIPWAY_HTTP_PORT", Settings.http_port),
        log_level=logs.level_from(env, Settings.log_level),
    )


def place_from(env: Mapping[str, str]) -> LogPlace:
    """Where the log is, from `SLIPWAY_LOG_URI` and what belongs to it. Raises ValueError."""
    uri = env.get("SLIPWAY_LOG_URI", "")
    if not uri:
        raise ValueError("SLIPWAY_LOG_URI must be s3://BUCKET/PREFIX, but is not set")
    secret = env.get("SLIPWAY_LOG_SECRET")
    names = {"AWS_ENDPOINT_URL": "ENDPOINT", "AWS_REGION": "REGION", "AWS_CA_BUNDLE": "CA_BUNDLE"}
    overrides = {key: env.get(f"SLIPWAY_LOG_{name}", "") for key, name in names.items()}
    return LogPlace(uri.rstrip("/"), Path(secret) if secret else None, {key: value for key, value in overrides.items() if value})


def _limits(env: Mapping[str, str]) -> Limits:
    return Limits(
        body=whole(env, "SLIPWAY_LOG_BODY_BYTES", Limits.body, at_least=1024),
        decoded=whole(env, "SLIPWAY_LOG_DECODED_BYTES", Limits.decoded, at_least=1024),
        rows=whole(env, "SLIPWAY_LOG_BATCH_ROWS", Limits.rows, at_least=1),
        pending=whole(env, "SLIPWAY_LOG_PENDING_BYTES", Limits.pending, at_least=1024),
    )


def whole(env: Mapping[str, str], name: str, default: int, at_least: int = 0, of: str = "") -> int:
    """The variable's number, or the default. `of`: what it counts, for the message. Raises ValueError."""
    text = env.get(name)
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or int(text) < at_least:
        raise ValueError(f"{name} must be a whole number of {of or f'{at_least} or more'}, not {text!r}")
    return int(text)
