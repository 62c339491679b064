"""What an operator process is told at its start, read from the environment once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from slipway.telemetry import logs


@dataclass(frozen=True)
class Runtime:
    """A model server image and what it serves."""

    format: str
    """Name of the format, as in `ModelVersion.spec.format.name`."""
    version: str
    """The framework's version it carries, such as `1.9`."""
    image: str


@dataclass(frozen=True)
class Serving:
    """What shapes a model's pods beside their spec."""

    runtimes: tuple[Runtime, ...] = ()
    """Choices in order of preference; the first of a format is its default, the first of all fetches for `custom`."""
    fetch_env: Mapping[str, str] = field(default_factory=dict)
    """Environment of every fetching container: proxies."""
    drain_seconds: int = 15
    """How long a pod that is asked to end goes on answering."""
    signed_by: tuple[str, ...] = ()
    """Public keys (PEM) of which one must have signed the bytes; none: unsigned ones do."""
    collector: str = ""
    """URL of the prediction log's collector; empty: the platform has no log."""


@dataclass(frozen=True)
class Monitoring:
    """What shapes the pods of monitors, beside their spec. All that is named here is in the operator's own namespace."""

    image: str
    pull_policy: str = "IfNotPresent"
    pull_secrets: tuple[str, ...] = ()
    service_account: str = "slipway-monitor"
    config: str = "slipway-monitor"
    """The ConfigMap with the pods' environment (`SLIPWAY_*`)."""
    notifiers: str = "slipway-notifiers"
    """The ConfigMap whose `notifiers.json` says whom the notifiers tell."""
    log_secret: str = ""
    """Secret of the prediction log's store."""
    log_ca: str = ""
    """ConfigMap whose `ca.crt` that store's certificates are trusted by."""
    store_secret: str = ""
    """Secret of the object store that baselines are in; empty when it needs none."""
    notifier_secrets: Mapping[str, str] = field(default_factory=dict)
    """By notifier: the Secret with its `url`, `password` or `token`."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """On every pod, for NetworkPolicies."""
    resources: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Requests and limits where the monitor names none."""
    placement: Mapping[str, Any] = field(default_factory=dict)
    """`nodeSelector`, `tolerations`, `priorityClassName` as a pod has them."""
    deadline_seconds: int = 3600
    """A run that takes longer is ended, and has failed."""


@dataclass(frozen=True)
class LedgerPlace:
    """Where the ledger is, and with what the operator opens it."""

    uri: str
    """`s3://BUCKET/PREFIX`."""
    secret: Path | None = None
    """The folder of the mounted Secret, for `objectstore.places.read_secret`."""
    key: Path | None = None
    """A file with the base64 of the 32 bytes of the Ed25519 key that signs checkpoints."""
    overrides: Mapping[str, str] = field(default_factory=dict)
    """`AWS_ENDPOINT_URL`, `AWS_REGION`, `AWS_CA_BUNDLE` (a path) where the chart's values name them: stronger than the Secret."""
    anchors: tuple[Mapping[str, str], ...] = ()
    """As `ledger.places.opened_anchors` reads them."""


@dataclass(frozen=True)
class Settings:
    """Everything an operator process is told."""

    namespace: str = "slipway-system"
    """Where the operator runs and its Lease is."""
    identity: str = "local"
    """The pod's name: the Lease's holder, and what the fence compares the token with."""
    watch_namespaces: tuple[str, ...] = ()
    """Namespaces to serve; empty for all."""
    governance: bool = False
    """Whether ApprovalPolicies govern: needs to read policies and namespaces of the whole cluster."""
    guards: tuple[str, ...] = ()
    """ValidatingAdmissionPolicies (and bindings of the same names) without which no approval is worth anything."""
    serving: Serving = Serving()
    guard_seconds: float = 60.0
    """How often those are looked at."""
    ledger: LedgerPlace | None = None
    """None: nothing is recorded."""
    monitoring: Monitoring | None = None
    """None: no monitor runs."""
    cron_job_seconds: float = 60.0
    """How often the CronJobs of monitors are looked at."""
    lease_seconds: float = 15.0
    """How long the Lease holds without renewal; fail-over takes at most 1.5 times this."""
    workers: int = 8
    """Objects reconciled at the same time."""
    full_pass_seconds: float = 600.0
    """How often the watched state is compared with the apiserver's, give or take a tenth."""
    watch_inactivity_seconds: float = 70.0
    """A watch that is silent for longer is stalled, and opened anew: the apiserver sends a bookmark every minute."""
    http_port: int = 8080
    log_level: str = "INFO"


def settings_from(env: Mapping[str, str] = os.environ) -> Settings:
    """Settings from `SLIPWAY_*` variables.

    Raises:
        ValueError: a variable holds what it must not; the message names it.

    """
    defaults = Settings()
    serving = Serving(
        runtimes=_runtimes(env),
        fetch_env=_json(env, "SLIPWAY_FETCH_ENV", {}),
        drain_seconds=int(_number(env, "SLIPWAY_DRAIN_SECONDS", defaults.serving.drain_seconds)),
        collector=env.get("SLIPWAY_COLLECTOR_URL", ""),
    )
    return Settings(
        namespace=env.get("SLIPWAY_NAMESPACE") or defaults.namespace,
        identity=env.get("SLIPWAY_POD_NAME") or defaults.identity,
        watch_namespaces=_names(env, "SLIPWAY_WATCH_NAMESPACES"),
        serving=serving,
        governance=env.get("SLIPWAY_GOVERNANCE") == "true",
        guards=_names(env, "SLIPWAY_GUARDS"),
        guard_seconds=_number(env, "SLIPWAY_GUARD_SECONDS", defaults.guard_seconds, at_least=0.1),
        ledger=_ledger(env),
        monitoring=_monitoring(env),
        cron_job_seconds=_number(env, "SLIPWAY_CRON_JOB_SECONDS", defaults.cron_job_seconds, at_least=0.1),
        lease_seconds=_number(env, "SLIPWAY_LEASE_SECONDS", defaults.lease_seconds, at_least=0.1),
        workers=int(_number(env, "SLIPWAY_WORKERS", defaults.workers, at_least=1)),
        full_pass_seconds=_number(env, "SLIPWAY_FULL_PASS_SECONDS", defaults.full_pass_seconds, at_least=0.1),
        watch_inactivity_seconds=_number(env, "SLIPWAY_WATCH_INACTIVITY_SECONDS", defaults.watch_inactivity_seconds),
        http_port=int(_number(env, "SLIPWAY_HTTP_PORT", defaults.http_port)),
        log_level=logs.level_from(env, defaults.log_level),
    )


def _ledger(env: Mapping[str, str]) -> LedgerPlace | None:
    if not (uri := env.get("SLIPWAY_LEDGER_URI")):
        return None
    named = {name: env.get(f"SLIPWAY_LEDGER_{name}") for name in ("SECRET", "KEY", "ENDPOINT", "REGION", "CA_BUNDLE")}
    overrides = {"AWS_ENDPOINT_URL": named["ENDPOINT"], "AWS_REGION": named["REGION"], "AWS_CA_BUNDLE": named["CA_BUNDLE"]}
    return LedgerPlace(
        uri=uri,
        secret=Path(named["SECRET"]) if named["SECRET"] else None,
        key=Path(named["KEY"]) if named["KEY"] else None,
        overrides={name: value for name, value in overrides.items() if value},
        anchors=tuple(_json(env, "SLIPWAY_LEDGER_ANCHORS", [])),
    )


def _monitoring(env: Mapping[str, str]) -> Monitoring | None:
    given = _json(env, "SLIPWAY_MONITORING", {})
    try:
        return Monitoring(**given | {"pull_secrets": tuple(given.get("pull_secrets", ()))}) if given else None
    except TypeError as error:
        raise ValueError(f"SLIPWAY_MONITORING must be what the chart writes: {error}") from None


def _runtimes(env: Mapping[str, str]) -> tuple[Runtime, ...]:
    entries = _json(env, "SLIPWAY_RUNTIME_IMAGES", [])
    try:
        return tuple(Runtime(**entry) for entry in entries)
    except TypeError as error:
        raise ValueError(f"SLIPWAY_RUNTIME_IMAGES must be a list of format, version and image each: {error}") from None


def _names(env: Mapping[str, str], name: str) -> tuple[str, ...]:
    return tuple(filter(None, map(str.strip, env.get(name, "").split(","))))


def _number(env: Mapping[str, str], name: str, default: float, at_least: float = 0) -> float:
    text = env.get(name)
    if not text:
        return default
    try:
        number = float(text)
    except ValueError:
        raise ValueError(f"{name} must be a number, not {text!r}") from None
    if not at_least <= number < float("inf"):
        raise ValueError(f"{name} must be {at_least:g} or more, but is {text!r}")
    return number


def _json(env: Mapping[str, str], name: str, default: Any) -> Any:
    try:
        value = orjson.loads(env.get(name) or orjson.dumps(default))
    except orjson.JSONDecodeError as error:
        raise ValueError(f"{name} must be JSON: {error}") from None
    if not isinstance(value, type(default)):
        raise ValueError(f"{name} must be a JSON {type(default).__name__}")
    return value
