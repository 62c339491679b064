"""A monitored deployment: the test acts as the run, with the rights that a run has."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from tests.integration.journal.team import Team
from tests.integration.operator import OperatorProcess
from tests.integration.samples import monitor
from tests.kube import Kube, Manifest
from tests.wait import until

PLATFORM = "slipway-system"
NEVER = "0 0 29 2 *"
"""A schedule that does not come up in a test."""


@dataclass(frozen=True)
class Lab:
    """`run` acts as service account slipway-monitor."""

    team: Team
    run: Kube
    settings: Mapping[str, str]

    def operator(self, pod: str = "slipway-operator-0", **env: str) -> AbstractContextManager[OperatorProcess]:
        return self.team.operator(pod, **{**self.settings, **env})

    def deploy(self) -> None:
        self.team.register("alice", "3")
        self.team.deploy("alice")

    def watch(self, name: str = "churn-quality", **spec: Any) -> Manifest:
        """A ModelMonitor, and its CronJob once it is there."""
        self.team.apply("alice", monitor(self.team.namespace, name, **{"schedule": NEVER, **spec}))
        return self.await_cron_job(name)

    def monitor(self, name: str = "churn-quality") -> Manifest:
        return self.team.kube.get("ModelMonitor", self.team.namespace, name) or {"metadata": {}}

    def cron_jobs(self, name: str = "churn-quality") -> list[Manifest]:
        selector = f"slipway.dev/monitor={name},slipway.dev/monitor-namespace={self.team.namespace}"
        return self.team.kube.list("CronJob", PLATFORM, labelSelector=selector)

    def await_cron_job(self, name: str = "churn-quality") -> Manifest:
        (found,) = until(lambda: self.cron_jobs(name), 30, f"a CronJob of {name}")
        return found

    def await_condition(self, kind: str, reason: str, of: str = "ModelMonitor", name: str = "churn-quality") -> Manifest:
        def there() -> Manifest | None:
            found = self.team.kube.condition(name, self.team.namespace, kind, of)
            return found if found and found["reason"] == reason else None

        return until(there, 30, f"{kind} of {of} {name} with reason {reason}")

    def report(self, verdict: str, identity: str, at: str = "2026-11-23T12:00:00.25Z", name: str = "churn-quality") -> None:
        """What a run writes at its end."""
        check = {"check": "Drift", "measure": "psi", "column": "age", "value": 0.31, "threshold": 0.2, "rows": 9000, "verdict": verdict}
        run = {
            "id": identity,
            "finishedAt": at,
            "windowFrom": "2026-11-22T12:00:00Z",
            "windowTo": "2026-11-23T12:00:00Z",
            "rows": 9000,
            "version": "3",
            "verdict": verdict,
            "message": f"psi of age is 0.31 ({verdict})",
            "checks": [check],
            "truths": {"matched": 800, "waiting": 7, "unmatched": 1, "late": 0},
        }
        self.write_status({"run": run}, name)

    def write_status(self, status: Manifest, name: str = "churn-quality") -> None:
        body = {"apiVersion": "slipway.dev/v1alpha1", "kind": "ModelMonitor", "metadata": {"name": name}, "status": status}
        path = f"/apis/slipway.dev/v1alpha1/namespaces/{self.team.namespace}/modelmonitors/{name}/status"
        self.run.call("PATCH", path, body, "application/apply-patch+yaml", fieldManager="slipway-monitor", force="true")

    def events(self, reason: str) -> list[str]:
        """What Events of that reason said about ModelMonitors."""
        found = self.team.kube.list("Event", self.team.namespace)
        return [e["message"] for e in found if e["reason"] == reason and e["involvedObject"]["kind"] == "ModelMonitor"]
