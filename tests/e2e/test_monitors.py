"""The example's monitor: a summer that looks like the model's own, then a winter; what that makes of status, ledger and metrics."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.e2e.lab import PLATFORM, POD_SECONDS, ROOT, Lab
from tests.e2e.prometheus import made_by_its_operator, set_up_by_hand
from tests.prometheus import Prometheus, Target, start_alertmanager, start_prometheus, start_receiver
from tests.rules import RULES, rules
from tests.wait import until

EXAMPLE = ROOT / "examples/monitoring"
SUMMER, WINTER = 153, 423
"""Days."""
ROLES = ("slipway-data-scientist", "slipway-privacy-officer")


@dataclass(frozen=True)
class Watched:
    """The example, serving and watched."""

    lab: Lab
    folder: Path
    token: str

    def monitor(self) -> dict[str, Any]:
        return self.lab.kube.get("ModelMonitor", self.lab.namespace, "rain") or {}

    def stream(self, season: str) -> None:
        """Ask about its days, wait for their rows, and tell the truth."""
        truths = self.folder / f"{season}.csv"
        with self.lab.tools.forward("svc/rain", 80) as port:
            command: list[str | Path] = [sys.executable, EXAMPLE / "stream.py", f"http://127.0.0.1:{port}", season, "--truths", truths]
            subprocess.run(command, check=True)
        last = truths.read_text().splitlines()[-1].partition(",")[0]
        until(lambda: self._has(last), POD_SECONDS, f"a row of {last}", every=0.5)
        self.slipway("actuals", "push", str(truths), "-d", "rain", "--token", self.token)

    def _has(self, prediction: str) -> bool:
        found = json.loads(self.slipway("trace", prediction, "--deployment", "rain", "--token", self.token, "-o", "json"))
        return bool(found["prediction"]["rows"])

    def run(self) -> dict[str, Any]:
        """What a run that begins now finds."""
        self.slipway("monitor", "run", "rain")
        found: dict[str, Any] = self.monitor()["status"]["run"]
        return found

    def slipway(self, *arguments: str) -> str:
        return self.lab.tools.slipway(*arguments)


@pytest.fixture(scope="module")
def watched(module_lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Watched:
    lab, folder = module_lab, tmp_path_factory.mktemp("rain")
    subprocess.run([sys.executable, EXAMPLE / "train.py", folder], check=True)
    lab.tools.kubectl("apply", "-f", str(EXAMPLE / "model.yaml"))
    baseline = ("--baseline", str(folder / "baseline.csv"))
    lab.tools.slipway("push", str(folder / "model.joblib"), "--model", "rain", "--version", "1", *baseline)
    for file in ("deployment.yaml", "monitor.yaml"):
        lab.tools.kubectl("apply", "-f", str(EXAMPLE / file))
    lab.await_reason("Serving", "rain")
    lab.tools.kubectl("create", "serviceaccount", "analyst")
    for role in ROLES:
        lab.tools.kubectl("create", "rolebinding", role, f"--clusterrole={role}", f"--serviceaccount={lab.namespace}:analyst")
    return Watched(lab, folder, lab.tools.kubectl("create", "token", "analyst").strip())


def checks(run: dict[str, Any], kind: str, verdict: str) -> set[str]:
    return {check.get("column", "") for check in run["checks"] if (check["check"], check["verdict"]) == (kind, verdict)}


def test_a_monitor_without_a_row_has_no_data(watched: Watched) -> None:
    assert watched.run()["verdict"] == "NoData"
    assert watched.lab.condition("Healthy", "rain")["status"] == "Unknown"  # type: ignore[index]


def test_a_summer_then_a_winter(watched: Watched) -> None:
    watched.stream("summer")
    run = watched.run()
    assert (run["verdict"], run["rows"]) == ("Healthy", SUMMER), run
    assert run["truths"]["matched"] == SUMMER
    watched.lab.await_reason("AllChecksHealthy", "rain", kind="Healthy")

    watched.stream("winter")
    run = watched.run()
    assert (run["verdict"], run["rows"]) == ("Critical", SUMMER + WINTER), run
    assert {"temp_max", "temp_min"} <= checks(run, "Drift", "Critical")
    assert checks(run, "DataQuality", "Critical") == set()
    assert any(check["measure"] == "accuracy" and check["verdict"] == "Critical" for check in run["checks"])
    assert run["worstSegment"].startswith("weather=")
    found = until(lambda: _unhealthy(watched), POD_SECONDS, "the deployment to be unhealthy", every=0.5)
    assert "temp_m" in found["message"]
    assert watched.lab.condition("Ready", "rain")["status"] == "True"  # type: ignore[index]


def _unhealthy(watched: Watched) -> dict[str, Any] | None:
    found = watched.lab.condition("Healthy", "rain")
    return found if found and found["status"] == "False" else None


def test_it_is_told_everywhere(watched: Watched, tmp_path: Path) -> None:
    lab = watched.lab
    assert "Critical" in lab.tools.kubectl("get", "modelmonitors")
    assert "Critical" in watched.slipway("monitor", "list")
    shown = watched.slipway("monitor", "show", "rain")
    assert "temp_max" in shown
    assert "Critical" in lab.tools.kubectl("describe", "modelmonitor", "rain")
    page = tmp_path / "report.html"
    watched.slipway("monitor", "report", "rain", "--token", watched.token, "--to", str(page))
    assert "temp_max" in page.read_text()
    assert "<svg" in page.read_text()
    assert 'verdict="Critical"} 1.0' in metric(lab, "slipway_monitor_verdict")


def test_an_alert_reaches_whoever_is_on_call(watched: Watched, tmp_path: Path) -> None:
    """From shifted traffic to a pager: the platform's own metrics, the chart's rules, a real Prometheus and a real Alertmanager."""
    with ExitStack() as stack:
        page = stack.enter_context(start_receiver())
        alertmanager = stack.enter_context(start_alertmanager(tmp_path, {"receiver": "page"}, {"page": page.url}))
        targets = [Target(port, {"pod": pod}) for pod, port in operators(watched.lab, stack).items()]
        stack.enter_context(start_prometheus(tmp_path, targets, rules=[RULES], alertmanager=alertmanager))
        told = page.wait_for_alert("SlipwayModelDrift")
    assert told["labels"]["namespace"] == watched.lab.namespace
    assert (told["labels"]["deployment"], told["labels"]["severity"], told["labels"]["team"]) == ("rain", "critical", "growth")
    assert told["annotations"]["runbook_url"].endswith("SlipwayModelDrift.md")


def test_a_prometheus_that_is_set_up_as_the_docs_say(watched: Watched) -> None:
    with set_up_by_hand(watched.lab) as prometheus:
        assert_sees_all(watched, prometheus)


@pytest.mark.full
def test_a_prometheus_of_the_prometheus_operator(watched: Watched, tmp_path: Path) -> None:
    with made_by_its_operator(watched.lab, tmp_path) as prometheus:
        assert_sees_all(watched, prometheus)


def assert_sees_all(watched: Watched, prometheus: Prometheus) -> None:
    """Operator, collector and models, under the models' own names; every rule can be evaluated, and the drift rings."""
    model = f'namespace="{watched.lab.namespace}", deployment="rain"'
    for query in (
        "sum(slipway_leader) == 1",
        f'slipway_monitor_verdict{{{model}, verdict="Critical"}} == 1',
        'sum(slipway_collector_rows_total{table="predictions"}) > 0',
        f"sum by (pod) (slipway_capture_shipped_rows_total{{{model}}}) > 0",
        f"sum by (pod) (model_infer_request_duration_count{{{model}}}) > 0",
    ):
        prometheus.wait_for(query)
    ours = f'up{{namespace=~"{PLATFORM}|{watched.lab.namespace}"}}'
    until(lambda: not prometheus.query(f"{ours} == 0"), POD_SECONDS, "all targets to answer", every=0.5)
    labels = prometheus.wait_for_alert("SlipwayModelDrift", namespace=watched.lab.namespace, deployment="rain")
    assert labels["severity"] == "critical"
    evaluated = prometheus.rules()
    assert len(evaluated) == len(rules())
    assert {rule["name"]: rule["lastError"] for rule in evaluated if rule["health"] == "err"} == {}


def metric(lab: Lab, name: str) -> str:
    """What the operators say of the namespace: the one that leads does."""
    with ExitStack() as stack:
        texts = [requests.get(f"http://127.0.0.1:{port}/metrics", timeout=30).text for port in operators(lab, stack).values()]
    lines = [line for text in texts for line in text.splitlines()]
    return "\n".join(line for line in lines if line.startswith(name) and f'namespace="{lab.namespace}"' in line)


def operators(lab: Lab, stack: ExitStack) -> dict[str, int]:
    """A local port to each of the operator's pods."""
    pods = lab.kube.list("Pod", PLATFORM, labelSelector="app.kubernetes.io/name=slipway-operator")
    names = [pod["metadata"]["name"] for pod in pods if "deletionTimestamp" not in pod["metadata"]]
    assert names
    return {name: stack.enter_context(lab.tools.forward(f"pod/{name}", 8080, PLATFORM)) for name in names}


def test_a_monitor_that_is_deleted_leaves_nothing(watched: Watched) -> None:
    uid = watched.monitor()["metadata"]["uid"]

    def cron_jobs() -> list[dict[str, Any]]:
        return [item for item in watched.lab.kube.list("CronJob", PLATFORM) if uid in json.dumps(item["metadata"].get("labels", {}))]

    assert len(cron_jobs()) == 1
    watched.lab.tools.kubectl("delete", "modelmonitor", "rain")
    until(lambda: not cron_jobs(), POD_SECONDS, "the CronJob to be gone", every=0.5)
    until(lambda: watched.lab.condition("Healthy", "rain") is None, POD_SECONDS, "the condition to be gone", every=0.5)
