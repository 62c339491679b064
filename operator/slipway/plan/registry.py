"""The plans for Model and ModelVersion: they record, so their plan is a status."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from slipway.api.conditions import Reason
from slipway.api.parse import parse
from slipway.api.v1alpha1 import Model, ModelVersion
from slipway.cluster.resources import Manifest
from slipway.errors import Stalled
from slipway.plan.build.pod import find_runtime
from slipway.plan.entries import registry_entries
from slipway.plan.requested import edited_by
from slipway.plan.status import ConditionSet
from slipway.plan.types import Plan, Trouble
from slipway.settings import Serving


def plan_model(manifest: Manifest, versions: list[Manifest], deployments: list[Manifest], now: datetime) -> Plan:
    """Counts, and the newest version by creation."""
    conditions = _conditions(manifest, now)
    status: dict[str, Any] = {"versions": len(versions), "deployments": len(deployments), "editors": edited_by(manifest)}
    if versions:
        newest = max(versions, key=lambda v: (v["metadata"]["creationTimestamp"], natural(v["spec"]["version"])))
        status["latestVersion"] = newest["spec"]["version"]
    try:
        parse(Model, manifest)
        conditions.ready(Reason.REGISTERED, "registered")
    except Stalled as error:
        conditions.trouble(Trouble(error.reason, error.message))
    return _plan(manifest, status, conditions)


def plan_version(manifest: Manifest, model: Manifest | None, deployments: list[Manifest], serving: Serving, now: datetime) -> Plan:
    """Ready when its Model exists and the platform can serve its format."""
    conditions = _conditions(manifest, now)
    users = [d for d in deployments if d["spec"].get("version") == manifest["spec"].get("version")]
    try:
        version = parse(ModelVersion, manifest)
        if model is None:
            raise Stalled(
                Reason.MODEL_MISSING, f"Model {version.spec.model} does not exist in this namespace: create it (it needs only spec.task)."
            )
        if version.spec.container is None:
            find_runtime(version, serving)
        conditions.ready(Reason.REGISTERED, "registered")
    except Stalled as error:
        conditions.trouble(Trouble(error.reason, error.message))
    return _plan(manifest, {"deployments": len(users)}, conditions)


def natural(version: str) -> list[tuple[int, str]]:
    """Orders `10` after `9`: decides between versions made in the same second."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", version)]


def _conditions(manifest: Manifest, now: datetime) -> ConditionSet:
    return ConditionSet(manifest.get("status", {}), manifest["metadata"]["generation"], now)


def _plan(manifest: Manifest, status: dict[str, Any], conditions: ConditionSet) -> Plan:
    return Plan(
        ended=registry_entries(manifest, {"spec": manifest["spec"]}),
        status={"observedGeneration": manifest["metadata"]["generation"], **status, "conditions": conditions.as_list()},
    )
