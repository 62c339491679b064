"""Kill the operator at every write of a monitor's life: one CronJob, one Job for a request, each entry once, nothing left."""

from __future__ import annotations

import json
import logging
import re
from dataclasses import dataclass, replace
from typing import Any

import pytest

from tests.cluster.control_plane import ControlPlane
from tests.faults.cases import Case, chosen, every_way
from tests.faults.lab import Lab, behind_proxy
from tests.faults.proxy import Crash
from tests.faults.proxy.call import Call
from tests.faults.travel import all_of
from tests.integration.ledger_store import LedgerStore
from tests.integration.samples import apply_all, monitor
from tests.kube import Manifest
from tests.wait import until

log = logging.getLogger(__name__)

SECONDS = 90
"""As in the journey: an operator that was killed starts anew on a machine that runs others."""
SETTINGS = {
    "SLIPWAY_MONITORING": json.dumps({"image": "registry.example/slipway-monitor:test"}),
    "SLIPWAY_COLLECTOR_URL": "http://collector",
    "SLIPWAY_CRON_JOB_SECONDS": "0.5",
}
KINDS = ("cronjobs", "jobs", "modelmonitors")
SAMPLE = 8
NAME = "churn-quality"
_UID_HASH = re.compile(r"-[0-9a-f]{10}(-[0-9a-f]{8})?$")


@dataclass
class Plain(Crash):
    """Names a CronJob without the hash of its monitor's uid, which every run has another of."""

    def strikes(self, call: Call) -> bool:
        return super().strikes(replace(call, name=_UID_HASH.sub("", call.name)))


@pytest.fixture(scope="module")
def undisturbed(plane: ControlPlane, ledgers: LedgerStore) -> Plain:
    crash = Plain()
    live(plane, ledgers, crash)
    return crash


def live(plane: ControlPlane, ledgers: LedgerStore, crash: Plain) -> None:
    """A monitor's life: it is made, a run is judged, a run is asked for, it is deleted. AssertionError where something is amiss."""
    with behind_proxy(plane, ledgers, **SETTINGS) as lab:
        lab.proxy.crash = crash
        lab.proxy.crash.kill = lab.operator.kill
        with lab.operator:
            apply_all(lab.kube, lab.namespace)
            lab.kube.apply(monitor(lab.namespace, schedule="0 0 29 2 *"))
            await_condition(lab, "ModelMonitor", NAME, "Ready", "Scheduled")
            until(lambda: len(cron_jobs(lab)) == 1, SECONDS, "one CronJob")
            report(lab)
            await_condition(lab, "ModelDeployment", "churn", "Healthy", "CheckCritical")
            asked = {"metadata": {"annotations": {"slipway.dev/run-requested": "2026-11-23T12:00:00Z"}}}
            lab.kube.patch("ModelMonitor", lab.namespace, NAME, asked)
            until(lambda: (get(lab).get("status") or {}).get("onDemand"), SECONDS, "the Job to be told")
            assert len(lab.kube.list("Job", lab.namespace)) == 1
            lab.kube.delete("ModelMonitor", lab.namespace, NAME)
            until(lambda: not cron_jobs(lab), SECONDS, "the CronJob to go")
            until(lambda: told(ledgers, lab)[-1:] == ["Deleted"], SECONDS, "the last entry", every=0.5)
        assert told(ledgers, lab) == ["Registered", "Judged", "Deleted"]


def await_condition(lab: Lab, of: str, name: str, kind: str, reason: str) -> None:
    def there() -> bool:
        return (lab.kube.condition(name, lab.namespace, kind, of) or {}).get("reason") == reason

    until(there, SECONDS, f"{kind} of {of} {name} with reason {reason}")


def cron_jobs(lab: Lab) -> list[Manifest]:
    return lab.kube.list("CronJob", lab.namespace)


def get(lab: Lab) -> dict[str, Any]:
    return lab.kube.get("ModelMonitor", lab.namespace, NAME) or {}


def told(ledgers: LedgerStore, lab: Lab) -> list[str]:
    return [entry.transition for entry in ledgers.entries(lab.namespace) if entry.object.kind == "ModelMonitor"]


def report(lab: Lab) -> None:
    run = {
        "id": "run-1",
        "finishedAt": "2026-11-23T12:00:00Z",
        "windowFrom": "2026-11-22T12:00:00Z",
        "windowTo": "2026-11-23T12:00:00Z",
        "verdict": "Critical",
        "message": "psi of age is 0.31",
    }
    lab.kube.patch("ModelMonitor", lab.namespace, NAME, {"status": {"run": run}}, "status")


def check(plane: ControlPlane, ledgers: LedgerStore, cases: list[Case]) -> None:
    def run(case: Case) -> str | None:
        crash = Plain(*case)
        try:
            live(plane, ledgers, crash)
            assert crash.struck or case.point.resource == "modelmonitors", "never came by"  # how many statuses there are depends on timing
        except AssertionError as error:
            log.warning("%s: %s", case, error)
            return f"{case}: {error}"
        log.info("%s: %s", case, "as undisturbed" if crash.struck else "never came by")
        return None

    all_of(run, cases)


def of_monitors(crash: Plain) -> list[Case]:
    return every_way(point for point in crash.seen if point.resource in KINDS)


@pytest.mark.timeout(1200)
def test_a_sample_of_a_monitors_crashes(plane: ControlPlane, ledgers: LedgerStore, undisturbed: Plain) -> None:
    cases = of_monitors(undisturbed)
    assert {case.point.resource for case in cases} == set(KINDS)
    check(plane, ledgers, [cases[number * len(cases) // SAMPLE] for number in range(SAMPLE)])


@pytest.mark.full
@pytest.mark.timeout(3600)
def test_all_of_a_monitors_crashes(plane: ControlPlane, ledgers: LedgerStore, undisturbed: Plain) -> None:
    check(plane, ledgers, chosen(of_monitors(undisturbed)))
