"""What the chart gives to Prometheus and Grafana, with the Prometheus Operator and without."""

from __future__ import annotations

import json

import pytest
import yaml

from slipway.cluster.store import DEPLOYMENT_LABEL
from tests.rules import RULES
from tests.unit.chart.helm import CHART, VARIANTS, Manifest, one, refusal, render

KINDS = {"ServiceMonitor", "PodMonitor", "PrometheusRule"}


@pytest.fixture(scope="module")
def default() -> list[Manifest]:
    return render()


@pytest.fixture(scope="module")
def monitored() -> list[Manifest]:
    return render(VARIANTS["service-monitor"])


def test_without_the_prometheus_operator_nothing_of_it_is_made(default: list[Manifest]) -> None:
    assert not KINDS & {m["kind"] for m in default}
    for name in ("slipway-operator-metrics", "slipway-collector"):
        assert one(default, "Service", name)["metadata"]["annotations"]["prometheus.io/scrape"] == "true"


class TestMonitors:
    def test_all_keep_the_models_own_labels_and_are_found(self, monitored: list[Manifest]) -> None:
        found = [m for m in monitored if m["kind"] in ("ServiceMonitor", "PodMonitor")]
        assert {m["metadata"]["name"] for m in found} == {"slipway-operator", "slipway-collector", "slipway-models"}
        for monitor in found:
            assert monitor["metadata"]["labels"]["release"] == "prometheus"
            (endpoint,) = monitor["spec"].get("endpoints") or monitor["spec"]["podMetricsEndpoints"]
            assert (endpoint["honorLabels"], endpoint["path"], endpoint["interval"]) == (True, "/metrics", "30s")

    def test_models_are_found_in_all_namespaces_and_say_whose_they_are(self, monitored: list[Manifest]) -> None:
        spec = one(monitored, "PodMonitor", "slipway-models")["spec"]
        assert spec["namespaceSelector"] == {"any": True}
        assert spec["selector"] == {"matchExpressions": [{"key": DEPLOYMENT_LABEL, "operator": "Exists"}]}
        (endpoint,) = spec["podMetricsEndpoints"]
        assert endpoint["port"] == "metrics"
        source = f"__meta_kubernetes_pod_label_{DEPLOYMENT_LABEL.replace('.', '_').replace('/', '_')}"
        assert endpoint["relabelings"] == [{"sourceLabels": [source], "targetLabel": "deployment"}]

    def test_in_some_namespaces(self) -> None:
        manifests = render(VARIANTS["service-monitor"] | {"watchNamespaces": ["growth", "risk"]})
        assert one(manifests, "PodMonitor", "slipway-models")["spec"]["namespaceSelector"] == {"matchNames": ["growth", "risk"]}

    def test_prometheus_is_let_in(self, default: list[Manifest]) -> None:
        for name in ("slipway-operator", "slipway-collector"):
            (rule,) = one(default, "NetworkPolicy", name)["spec"]["ingress"]
            assert rule == {"ports": [{"protocol": "TCP", "port": "http"}]}


class TestRules:
    def test_they_are_the_plain_file(self, monitored: list[Manifest]) -> None:
        rule = one(monitored, "PrometheusRule", "slipway")
        assert rule["metadata"]["labels"]["release"] == "prometheus"
        text = RULES.read_text().replace("docs/runbooks", "https://wiki.example.com/slipway")
        assert rule["spec"] == yaml.safe_load(text)

    def test_without_a_prefix_the_page_is_named(self) -> None:
        manifests = render({"metrics": {"prometheusRule": {"enabled": True}}})
        assert one(manifests, "PrometheusRule", "slipway")["spec"] == yaml.safe_load(RULES.read_text())

    @pytest.mark.parametrize("prefix", ["wiki", "https://wiki.example.com/", "ftp://x"])
    def test_a_prefix_that_is_none(self, prefix: str) -> None:
        assert "at '/metrics/prometheusRule/runbookPrefix'" in refusal({"metrics": {"prometheusRule": {"runbookPrefix": prefix}}})


class TestDashboards:
    def test_each_is_shipped_as_it_is(self) -> None:
        manifests = render({"metrics": {"dashboards": {"enabled": True}}})
        for path in (CHART / "files/dashboards").glob("*.json"):
            found = one(manifests, "ConfigMap", f"slipway-{path.stem}-dashboard")
            assert found["metadata"]["labels"]["grafana_dashboard"] == "1"
            assert json.loads(found["data"][f"slipway-{path.stem}.json"]) == json.loads(path.read_text())

    def test_only_when_asked(self, default: list[Manifest]) -> None:
        assert not [m for m in default if m["metadata"]["name"].endswith("-dashboard")]
