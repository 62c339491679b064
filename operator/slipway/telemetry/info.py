"""`slipway_deployment_info` and `slipway_deployment_condition`: what serves where, for dashboards and alerts."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from slipway.telemetry.metrics import APPROVAL_PENDING, DEPLOYMENT_CONDITION, DEPLOYMENT_INFO

_INFO: dict[tuple[str, str], tuple[str, ...]] = {}
_CONDITIONS: dict[tuple[str, str], set[tuple[str, str]]] = {}
_PENDING: dict[tuple[str, str], float] = {}


def update(manifest: Mapping[str, Any], status: Mapping[str, Any], model: Mapping[str, Any] | None) -> None:
    """Sets the series of one ModelDeployment, removing those that no longer hold."""
    meta, spec = manifest["metadata"], manifest["spec"]
    key = (meta["namespace"], meta["name"])
    about = (model or {}).get("spec", {})
    labels = (
        *key,
        spec.get("model", ""),
        spec.get("version", ""),
        status.get("version", ""),
        about.get("task", ""),
        about.get("owner", {}).get("team", ""),
        about.get("importance", ""),
    )
    if _INFO.get(key) not in (None, labels):
        DEPLOYMENT_INFO.remove(*_INFO[key])
    _INFO[key] = labels
    DEPLOYMENT_INFO.labels(*labels).set(1)
    true = {(c["type"], c["reason"]) for c in status.get("conditions", []) if c["status"] == "True"}
    for gone in _CONDITIONS.get(key, set()) - true:
        DEPLOYMENT_CONDITION.remove(*key, *gone)
    for condition in true:
        DEPLOYMENT_CONDITION.labels(*key, *condition).set(1)
    _CONDITIONS[key] = true
    _pending(key, status.get("approval") or {})


def _pending(key: tuple[str, str], approval: Mapping[str, Any]) -> None:
    since = datetime.fromisoformat(approval["since"]).timestamp() if approval.get("state") == "Waiting" else None
    if since == _PENDING.get(key):
        return
    if since is None:
        del _PENDING[key]
        APPROVAL_PENDING.remove(*key)
    else:
        _PENDING[key] = since
        APPROVAL_PENDING.labels(*key).set_function(lambda: time.time() - since)


def forget(namespace: str, name: str) -> None:
    """Removes the series of a ModelDeployment that is gone."""
    key = (namespace, name)
    if key in _INFO:
        DEPLOYMENT_INFO.remove(*_INFO.pop(key))
    for condition in _CONDITIONS.pop(key, set()):
        DEPLOYMENT_CONDITION.remove(*key, *condition)
    _pending(key, {})
