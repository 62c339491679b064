"""Golden plans: YAML in, YAML out. With UPDATE_GOLDEN=1 in the environment the outputs are written anew: read the diff."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from slipway.cluster.resources import Manifest
from slipway.plan.model_deployment import plan_deployment
from slipway.plan.names import TEMPLATE_HASH_ANNOTATION
from slipway.plan.types import EntryDraft, Observed, Refusal
from slipway.settings import Runtime, Serving

GOLDEN = Path(__file__).parents[2] / "golden"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SERVING = Serving(runtimes=(Runtime("sklearn", "1.9", "registry.example/sklearn:1.9"),), fetch_env={"HTTPS_PROXY": "http://proxy:3128"})
CASES = sorted(path.name.removesuffix(".in.yaml") for path in GOLDEN.glob("*.in.yaml"))


@pytest.mark.parametrize("case", CASES)
def test_plan(case: str) -> None:
    given = yaml.safe_load((GOLDEN / f"{case}.in.yaml").read_text())
    live = _live(given)
    observed = Observed(
        model=given.get("model"),
        version=given.get("version"),
        children={(child["kind"], child["metadata"]["name"]): child for child in live},
        pods=tuple(_from_template(pod, live) for pod in given.get("pods", [])),
        mount_warnings=given.get("mountWarnings", {}),
        refusal=Refusal(**given["refusal"]) if "refusal" in given else None,
        contests={tuple(child.split()): writer for child, writer in given.get("contests", {}).items()},
    )
    plan = plan_deployment(given["deployment"], observed, _serving(given), NOW)
    got = {
        "entries": [_entry(draft) for draft in plan.entries],
        "applies": list(plan.applies),
        "deletes": [f"{live['kind']} {live['metadata']['name']}" for live in plan.deletes],
        "ended": [_entry(draft) for draft in plan.ended],
        "status": dict(plan.status),
        "events": [{"reason": str(e.reason), "warning": e.warning, "message": e.message} for e in plan.events],
        "requeueAfter": plan.requeue_after,
    }
    assert got == golden(GOLDEN / f"{case}.out.yaml", got)


def golden(target: Path, got: dict[str, Any]) -> Any:
    """What the file holds; with UPDATE_GOLDEN, what the plan gave just now."""
    if os.environ.get("UPDATE_GOLDEN"):
        target.write_text(yaml.safe_dump(got, sort_keys=False, width=140))
    return yaml.safe_load(target.read_text())


def _serving(given: dict[str, Any]) -> Serving:
    """Most cases are of a platform without a prediction log."""
    return replace(SERVING, collector=given.get("collector", ""))


def _entry(draft: EntryDraft) -> dict[str, Any]:
    return {
        "name": f"{draft.transition}:{draft.detail}",
        "reason": draft.reason,
        "message": draft.message,
        "details": dict(draft.details),
        "actors": None if draft.actors is None else list(draft.actors),
    }


def _live(given: dict[str, Any]) -> list[Manifest]:
    """Children that are there: `applied: true` stands for what the plan itself would apply, with `live` merged over it."""
    if not given.get("applied"):
        return list(given.get("children", []))
    fresh = plan_deployment(given["deployment"], Observed(model=given["model"], version=given["version"]), _serving(given), NOW)
    changes = {(change["kind"], change["metadata"]["name"]): change for change in given.get("children", [])}
    for child in fresh.applies:
        child["metadata"] |= {"generation": 1, "resourceVersion": "7", "uid": f"uid-{child['kind']}"}
    return [_merge(child, changes.pop((child["kind"], child["metadata"]["name"]), {})) for child in fresh.applies] + list(changes.values())


def _from_template(pod: Manifest, live: list[Manifest]) -> Manifest:
    """A pod of the Deployment's template, unless it says of which other one it is."""
    for child in live:
        if child["kind"] == "Deployment" and "template" in child["spec"]:
            template = child["spec"]["template"]["metadata"]["annotations"][TEMPLATE_HASH_ANNOTATION]
            pod["metadata"].setdefault("annotations", {}).setdefault(TEMPLATE_HASH_ANNOTATION, template)
    return pod


def _merge(base: Any, over: Any) -> Any:
    if isinstance(base, dict) and isinstance(over, dict):
        return {key: _merge(base.get(key), over[key]) if key in over else base[key] for key in (*base, *(k for k in over if k not in base))}
    return over


def test_there_are_cases() -> None:
    assert len(CASES) >= 10
