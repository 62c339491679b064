"""The prediction log's place in the chart: what the collector and those who ask it are given, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from slipway.settings import settings_from
from tests.integration.collector.lab import RULES
from tests.unit.chart.helm import CHART, PLATFORM, VARIANTS, Manifest, one, refusal, render
from tests.unit.chart.test_render import environment, kinds, pod_of, verbs
from tests.unit.chart.test_rights import rights

GROUP = "slipway.dev"
OFF = {"predictionLog": {"enabled": False}}


@pytest.fixture(scope="module")
def default() -> list[Manifest]:
    return render()


@pytest.fixture(scope="module")
def own() -> list[Manifest]:
    return render(VARIANTS["own-log-bucket"])


def told(manifests: list[Manifest]) -> dict[str, str]:
    """The collector's environment."""
    (container,) = pod_of(manifests, "slipway-collector")["containers"]
    return {variable["name"]: variable.get("value", "") for variable in container["env"]}


def granted(manifests: list[Manifest], account: str) -> dict[str, list[dict[str, Any]]]:
    """The rules that are bound to a ServiceAccount of the release, by where they hold; empty for the whole cluster."""
    roles = {(m["kind"], m["metadata"].get("namespace", ""), m["metadata"]["name"]): m["rules"] for m in manifests if "rules" in m}
    found: dict[str, list[dict[str, Any]]] = {}
    for binding in (m for m in manifests if m["kind"].endswith("RoleBinding")):
        if any(subject["name"] == account for subject in binding["subjects"]):
            where, role = binding["metadata"].get("namespace", ""), binding["roleRef"]
            found.setdefault(where, []).extend(roles[role["kind"], where, role["name"]])
    return found


class TestCollector:
    def test_the_embedded_store(self, default: list[Manifest]) -> None:
        assert told(default) == {
            "SLIPWAY_NAMESPACE": "",
            "SLIPWAY_POD_NAME": "",
            "SLIPWAY_HTTP_PORT": "8080",
            "SLIPWAY_LOG_LEVEL": "info",
            "SLIPWAY_LOG_URI": "s3://slipway-predictions",
            "SLIPWAY_LOG_SECRET": "/var/run/secrets/slipway/predictions",
            "SLIPWAY_LOG_RETENTION_DAYS": "0",
        }

    def test_a_bucket_of_ones_own(self, own: list[Manifest]) -> None:
        found = told(own)
        assert (found["SLIPWAY_LOG_URI"], found["SLIPWAY_LOG_RETENTION_DAYS"]) == ("s3://predictions/cluster-1", "90")
        assert found["SLIPWAY_LOG_ENDPOINT"] == "https://s3.example.com"
        assert found["SLIPWAY_LOG_REGION"] == "eu-central-1"
        assert found["SLIPWAY_LOG_CA_BUNDLE"] == "/etc/slipway/predictions/ca.crt"
        assert not [m for m in own if m["metadata"]["name"] == "slipway-predictions" and m["kind"] == "Deployment"]

    @pytest.mark.parametrize(("variant", "secret"), [("default", "slipway-predictions"), ("own-log-bucket", "my-log")])
    def test_what_it_is_told_to_read_is_mounted(self, variant: str, secret: str) -> None:
        manifests = render(VARIANTS[variant])
        pod, found = pod_of(manifests, "slipway-collector"), told(manifests)
        volumes = {volume["name"]: volume for volume in pod["volumes"]}
        mounted = {mount["mountPath"]: volumes[mount["name"]] for mount in pod["containers"][0]["volumeMounts"]}
        assert mounted[found["SLIPWAY_LOG_SECRET"]]["secret"]["secretName"] == secret
        if bundle := found.get("SLIPWAY_LOG_CA_BUNDLE"):
            assert mounted[bundle.removesuffix("/ca.crt")]["configMap"]["name"] == "slipway-predictions"
            assert one(manifests, "ConfigMap", "slipway-predictions")["data"]["ca.crt"].startswith("-----BEGIN CERTIFICATE-----")

    def test_it_runs_twice_and_one_stays(self, default: list[Manifest]) -> None:
        deployment = one(default, "Deployment", "slipway-collector")
        assert deployment["spec"]["replicas"] == 2
        assert one(default, "PodDisruptionBudget", "slipway-collector")["spec"]["maxUnavailable"] == 1
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        for kind in ("Service", "NetworkPolicy", "PodDisruptionBudget"):
            spec = one(default, kind, "slipway-collector")["spec"]
            chosen = spec["selector"] if kind == "Service" else (spec.get("podSelector") or spec["selector"])["matchLabels"]
            assert chosen.items() <= labels.items()

    def test_its_rights(self, default: list[Manifest]) -> None:
        (rules,) = granted(default, "slipway-collector").values()
        assert rights(rules) == rights(RULES), "what its tests run with"

    def test_its_rights_in_some_namespaces(self) -> None:
        found = granted(render({"watchNamespaces": ["growth", "risk"]}), "slipway-collector")
        assert found.keys() == {"", "growth", "risk"}
        assert {resource for rule in found[""] for resource in rule["resources"]} == {"tokenreviews", "subjectaccessreviews"}
        assert verbs(found["risk"], GROUP, "models") == {"get"}

    def test_it_is_scraped(self, default: list[Manifest]) -> None:
        assert one(default, "Service", "slipway-collector")["metadata"]["annotations"]["prometheus.io/port"] == "8080"
        manifests = render(VARIANTS["service-monitor"])
        monitor, service = (one(manifests, kind, "slipway-collector") for kind in ("ServiceMonitor", "Service"))
        assert monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
        assert "annotations" not in service["metadata"]
        assert monitor["spec"]["endpoints"][0]["honorLabels"] is True


class TestOperator:
    def test_it_learns_where_the_collector_is(self, default: list[Manifest]) -> None:
        service = one(default, "Service", "slipway-collector")
        url = f"http://{service['metadata']['name']}.{PLATFORM}.svc:{service['spec']['ports'][0]['port']}"
        assert settings_from(environment(default)).serving.collector == url

    def test_without_a_log_there_is_nothing_of_it(self) -> None:
        manifests = render(OFF)
        assert settings_from(environment(manifests)).serving.collector == ""
        named = {m["metadata"]["name"] for m in manifests if "predict" in m["metadata"]["name"] or "collector" in m["metadata"]["name"]}
        assert not named


class TestStore:
    def test_only_the_collector_reaches_what_writes(self, default: list[Manifest]) -> None:
        writing, reading = one(default, "NetworkPolicy", "slipway-predictions")["spec"]["ingress"]
        labels = one(default, "Deployment", "slipway-collector")["spec"]["template"]["metadata"]["labels"]
        assert writing["ports"] == [{"protocol": "TCP", "port": "writer"}]
        assert writing["from"][0]["podSelector"]["matchLabels"].items() <= labels.items()
        assert reading == {"ports": [{"protocol": "TCP", "port": "reader"}]}

    def test_its_credentials_are_nobody_elses(self, default: list[Manifest]) -> None:
        def secrets(name: str) -> list[str]:
            names: list[str] = []
            for container in pod_of(default, name)["containers"]:
                names += {v["valueFrom"]["secretKeyRef"]["name"] for v in container["env"] if "valueFrom" in v}
            return names

        assert secrets("slipway-predictions") == ["slipway-predictions", "slipway-predictions-reader"]
        assert not {*secrets("slipway-predictions")} & {*secrets("slipway-ledger"), *secrets("slipway-object-store")}

    def test_what_models_answered_outlives_the_release(self, default: list[Manifest]) -> None:
        claim = one(default, "PersistentVolumeClaim", "slipway-predictions")
        assert claim["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"


class TestPeople:
    def test_who_sees_answers_and_who_erases_them(self, default: list[Manifest]) -> None:
        may = {
            m["metadata"]["name"]: {(r, v) for r in ("predictions", "actuals") for v in verbs(m["rules"], GROUP, r)}
            for m in default
            if m["kind"] == "ClusterRole"
        }
        assert {name: what for name, what in may.items() if what} == {
            "slipway-data-scientist": {("predictions", "get"), ("actuals", "create")},
            "slipway-auditor": {("predictions", "get")},
            "slipway-privacy-officer": {("predictions", "get"), ("predictions", "delete")},
        }

    def test_where_it_is(self, default: list[Manifest], own: list[Manifest]) -> None:
        data = {"uri": "s3://slipway-predictions", "secretName": "slipway-predictions-reader", "embedded": "true", "retentionDays": "0"}
        assert one(default, "ConfigMap", "slipway-predictions")["data"] == data
        found = one(own, "ConfigMap", "slipway-predictions")["data"]
        assert (found["uri"], found["secretName"], found["embedded"]) == ("s3://predictions/cluster-1", "my-readers", "false")

    def test_the_way_there_and_the_tables_are_granted_by_name(self, default: list[Manifest]) -> None:
        rules = one(default, "Role", "slipway-prediction-log-user")["rules"]
        assert verbs(rules, "", "pods/portforward") == {"create"}
        assert not verbs(rules, "", "secrets")
        (rule,) = one(default, "Role", "slipway-prediction-log-reader")["rules"]
        assert rule["resourceNames"] == ["slipway-predictions-reader"]
        bound = {m["roleRef"]["name"] for m in default if m["kind"] == "RoleBinding"}
        assert not bound & {"slipway-prediction-log-user", "slipway-prediction-log-reader"}

    def test_the_dashboard(self, default: list[Manifest], own: list[Manifest]) -> None:
        name = "slipway-prediction-log-dashboard"
        assert name not in {m["metadata"]["name"] for m in default}
        found = one(own, "ConfigMap", name)
        assert found["metadata"]["labels"]["grafana_dashboard"] == "1"
        shipped = (CHART / "files/dashboards/prediction-log.json").read_text()
        assert json.loads(found["data"]["slipway-prediction-log.json"]) == json.loads(shipped)


@pytest.mark.parametrize(
    ("log", "complaint"),
    [
        ({"uri": "s3://predictions", "existingSecret": "s"}, "set predictionLog.embedded.enabled=false as well"),
        ({"embedded": {"enabled": False}}, "the prediction log has no store: set predictionLog.uri"),
        ({"uri": "s3://predictions", "embedded": {"enabled": False}}, "needs predictionLog.existingSecret"),
        ({"uri": "predictions"}, "at '/predictionLog/uri'"),
        ({"retentionDays": -1}, "at '/predictionLog/retentionDays'"),
        ({"caBundle": "ca.crt"}, "at '/predictionLog/caBundle'"),
        ({"bucket": "x"}, "'bucket' not allowed"),
    ],
    ids=json.dumps,
)
def test_refused(log: dict[str, Any], complaint: str) -> None:
    assert complaint in refusal({"predictionLog": log})


def test_one_collector_has_no_budget() -> None:
    budgets = [m for m in render({"predictionLog": {"replicas": 1}}) if m["kind"] == "PodDisruptionBudget"]
    assert [m["metadata"]["name"] for m in budgets] == ["slipway-operator"]
    assert "PodDisruptionBudget" in kinds(render())
