"""`slipway_deployment_info` and `slipway_deployment_condition`: what serves where, for dashboards and alerts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slipway.telemetry.metrics import DEPLOYMENT_CONDITION, DEPLOYMENT_INFO

_INFO: dict[tuple[str, str], tuple[str, ...]] = {}
_CONDITIONS: dict[tuple[str, str], set[tuple[str, str]]] = {}


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


def forget(namespace: str, name: str) -> None:
    """Removes the series of a ModelDeployment that is gone."""
    key = (namespace, name)
    if key in _INFO:
        DEPLOYMENT_INFO.remove(*_INFO.pop(key))
    for condition in _CONDITIONS.pop(key, set()):
        DEPLOYMENT_CONDITION.remove(*key, *condition)
