"""From a monitor's verdict to somebody's pager: a real operator, Prometheus with the chart's rules, a real Alertmanager, a receiver."""

from __future__ import annotations

from pathlib import Path

from tests.integration.alerts.life import DEPLOYMENT, MONITOR, NAMESPACE, TEAM, Life
from tests.prometheus import start_alertmanager, start_prometheus, start_receiver
from tests.rules import RULES

ROUTE = {
    "receiver": "platform",
    "group_by": ["alertname", "namespace", "deployment"],
    "routes": [{"matchers": ['severity="critical"', f'team="{TEAM}"'], "receiver": "page"}],
}


def test_drift_of_an_important_model_wakes_its_team(life: Life, tmp_path: Path) -> None:
    with (
        start_receiver() as page,
        start_receiver() as platform,
        start_alertmanager(tmp_path, ROUTE, {"page": page.url, "platform": platform.url}) as alertmanager,
        start_prometheus(tmp_path, life.targets, rules=[RULES], alertmanager=alertmanager) as prometheus,
    ):
        life.found("Healthy")
        prometheus.wait_for(f'slipway_monitor_kind_verdict{{name="{MONITOR}", check="Drift", verdict="Healthy"}} == 1')
        assert not page.told

        life.found("Critical")
        labels = prometheus.wait_for_alert("SlipwayModelDrift", namespace=NAMESPACE, deployment=DEPLOYMENT)
        assert (labels["severity"], labels["team"], labels["name"], labels["check"]) == ("critical", TEAM, MONITOR, "Drift")
        told = page.wait_for_alert("SlipwayModelDrift")
        assert told["labels"] == labels
        assert told["annotations"]["summary"] == f"{NAMESPACE}/{DEPLOYMENT} sees other data than its baseline"
        assert told["annotations"]["runbook_url"] == "docs/runbooks/SlipwayModelDrift.md"
        assert labels in alertmanager.alerts()

        life.found("Healthy")
        assert page.wait_for_alert("SlipwayModelDrift", status="resolved")["labels"] == labels
        assert not [a for message in platform.told for a in message["alerts"] if a["labels"]["alertname"] == "SlipwayModelDrift"]
