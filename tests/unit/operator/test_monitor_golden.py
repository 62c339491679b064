"""Golden plans of ModelMonitors: YAML in, YAML out. With UPDATE_GOLDEN=1 the outputs are written anew: read the diff."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from slipway.plan.model_monitor import Platform, Watched, plan_monitor
from slipway.plan.types import Refusal
from slipway.settings import Monitoring
from tests.unit.operator.test_plan_golden import _entry, _merge, golden

GOLDEN = Path(__file__).parents[2] / "golden" / "monitors"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
MONITORING = Monitoring(
    image="registry.example/slipway-monitor:1",
    pull_secrets=("registry",),
    log_secret="slipway-predictions",
    log_ca="slipway-predictions",
    store_secret="slipway-object-store",
    notifier_secrets={"growth-chat": "growth-chat-url"},
    labels={"app.kubernetes.io/name": "slipway-monitor", "app.kubernetes.io/instance": "slipway"},
    resources={"requests": {"cpu": "500m", "memory": "1Gi"}, "limits": {"memory": "1Gi"}},
    placement={"priorityClassName": "low"},
)
PLATFORM = Platform("slipway-system", MONITORING, "http://slipway-collector")
CASES = sorted(path.name.removesuffix(".in.yaml") for path in GOLDEN.glob("*.in.yaml"))


@pytest.mark.parametrize("case", CASES)
def test_plan(case: str) -> None:
    given = yaml.safe_load((GOLDEN / f"{case}.in.yaml").read_text())
    watched = Watched(
        deployment={"kind": "ModelDeployment"} if given.get("deployment", True) else None,
        cron_jobs=tuple(_live(given)),
        job=given.get("job"),
        refusal=Refusal(**given["refusal"]) if "refusal" in given else None,
    )
    platform = Platform("slipway-system", None, "") if given.get("platform") == "bare" else PLATFORM
    plan = plan_monitor(given["monitor"], watched, platform, NOW)
    got = {
        "applies": list(plan.applies),
        "deletes": [live["metadata"]["name"] for live in plan.deletes],
        "job": plan.job,
        "ended": [_entry(draft) for draft in plan.ended],
        "status": dict(plan.status),
        "events": [{"reason": str(e.reason), "warning": e.warning, "message": e.message} for e in plan.events],
        "requeueAfter": plan.requeue_after,
    }
    assert got == golden(GOLDEN / f"{case}.out.yaml", got)


def _live(given: dict[str, Any]) -> list[dict[str, Any]]:
    """CronJobs that are there: `applied` stands for what the plan itself would apply, with `cronJob` merged over it."""
    if not given.get("applied"):
        return list(given.get("others", []))
    fresh = plan_monitor(given["monitor"], Watched({}), PLATFORM, NOW).applies
    (wanted,) = fresh
    wanted["metadata"] |= {"uid": "uid-cron", "resourceVersion": "9", "creationTimestamp": "2026-11-23T00:00:00Z"}
    return [_merge(wanted, given.get("cronJob", {})), *given.get("others", [])]


def test_a_plan_that_was_carried_out_asks_for_nothing_more() -> None:
    """The status that a plan writes is the one that the next plan finds right."""
    for case in CASES:
        given = yaml.safe_load((GOLDEN / f"{case}.in.yaml").read_text())
        if case in ("no-prediction-log", "deployment-missing", "refused", "cron-job-edited", "invalid"):
            continue
        cron_jobs = tuple(_live(given | {"applied": True, "others": []}))
        first = plan_monitor(given["monitor"], Watched({}, cron_jobs), PLATFORM, NOW)
        again = plan_monitor(given["monitor"] | {"status": dict(first.status)}, Watched({}, cron_jobs), PLATFORM, NOW)
        assert dict(again.status) == dict(first.status), case
        assert (again.applies, again.job, again.ended, again.events) == ((), None, (), ()), case
