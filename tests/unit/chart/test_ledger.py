"""The ledger's place in the chart: what the operator and the auditors are given, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from slipway.settings import LedgerPlace, settings_from
from tests.unit.chart.helm import CHART, PLATFORM, VARIANTS, Manifest, helm, one, refusal, render
from tests.unit.chart.test_render import environment, pod_of, verbs

SECRETS = Path("/var/run/secrets/slipway")
OWN = VARIANTS["own-ledger-bucket"]


@pytest.fixture(scope="module")
def default() -> list[Manifest]:
    return render()


@pytest.fixture(scope="module")
def own() -> list[Manifest]:
    return render(OWN)


def place(manifests: list[Manifest]) -> LedgerPlace:
    """What the operator reads out of its environment."""
    found = settings_from(environment(manifests)).ledger
    assert found
    return found


def mounted(manifests: list[Manifest]) -> dict[str, dict[str, Any]]:
    """The operator's volumes by where they are mounted."""
    pod = pod_of(manifests, "slipway-operator")
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    return {mount["mountPath"]: volumes[mount["name"]] for mount in pod["containers"][0]["volumeMounts"]}


class TestOperator:
    def test_the_embedded_store(self, default: list[Manifest]) -> None:
        assert place(default) == LedgerPlace("s3://slipway-ledger", SECRETS / "ledger", SECRETS / "ledger-key/seed")

    def test_a_bucket_of_ones_own_and_every_anchor(self, own: list[Manifest]) -> None:
        found = place(own)
        assert found.uri == "s3://audit/cluster-1/ledger"
        assert found.overrides == {
            "AWS_ENDPOINT_URL": "https://s3.example.com",
            "AWS_REGION": "eu-central-1",
            "AWS_CA_BUNDLE": "/etc/slipway/ledger/ca.crt",
        }
        assert found.anchors == (
            {"bucket": "s3://anchors/cluster-1", "secret": str(SECRETS / "ledger-anchor-bucket")},
            {"webhook": "https://audit.example.com/checkpoints", "token": str(SECRETS / "ledger-anchor-webhook/token")},
            {"file": "/var/lib/slipway/ledger-anchor/checkpoint"},
        )

    def test_a_webhook_without_a_token(self) -> None:
        assert place(render(VARIANTS["everything-set"])).anchors == ({"webhook": "https://audit.example.com/checkpoints", "token": ""},)

    @pytest.mark.parametrize("variant", ["default", "own-ledger-bucket", "everything-set"])
    def test_what_it_is_told_to_read_is_mounted(self, variant: str) -> None:
        manifests = render(VARIANTS[variant])
        found, there = place(manifests), mounted(manifests)
        files = [found.secret, found.key and found.key.parent]
        files += [Path(path).parent for name, path in found.overrides.items() if name == "AWS_CA_BUNDLE"]
        files += [Path(anchor["secret"]) for anchor in found.anchors if "bucket" in anchor]
        files += [Path(anchor["token"]).parent for anchor in found.anchors if anchor.get("token")]
        files += [Path(anchor["file"]).parent for anchor in found.anchors if "file" in anchor]
        assert {str(path) for path in files} | {"/tmp"} == there.keys()

    def test_the_secrets_that_are_mounted(self, default: list[Manifest], own: list[Manifest]) -> None:
        def names(manifests: list[Manifest]) -> dict[str, str]:
            return {path.rpartition("/")[2]: v["secret"]["secretName"] for path, v in mounted(manifests).items() if "secret" in v}

        assert names(default) == {"ledger": "slipway-ledger", "ledger-key": "slipway-ledger-key"}
        assert names(own) == {
            "ledger": "my-audit",
            "ledger-key": "my-key",
            "ledger-anchor-bucket": "my-anchors",
            "ledger-anchor-webhook": "my-webhook",
        }

    def test_without_a_ledger(self) -> None:
        manifests = render({"ledger": {"enabled": False}})
        assert settings_from(environment(manifests)).ledger is None
        assert mounted(manifests).keys() == {"/tmp"}
        named = [m for m in manifests if "ledger" in m["metadata"]["name"] or "auditor" in m["metadata"]["name"]]
        assert {m["kind"] for m in named} == {"ClusterRole"}, "who reads everything else"


class TestAuditors:
    def test_where_it_is(self, default: list[Manifest], own: list[Manifest]) -> None:
        found = one(default, "ConfigMap", "slipway-ledger")["data"]
        assert found == {"uri": "s3://slipway-ledger", "secretName": "slipway-ledger-reader", "embedded": "true"}
        found = one(own, "ConfigMap", "slipway-ledger")["data"]
        assert found.pop("ca.crt").startswith("-----BEGIN CERTIFICATE-----")
        assert found == {
            "uri": "s3://audit/cluster-1/ledger",
            "secretName": "my-auditors",
            "embedded": "false",
            "endpoint": "https://s3.example.com",
            "region": "eu-central-1",
        }

    def test_what_they_may(self, default: list[Manifest], own: list[Manifest]) -> None:
        rules = one(default, "Role", "slipway-auditor")["rules"]
        assert verbs(rules, "", "secrets") == verbs(rules, "", "configmaps") == {"get"}
        assert verbs(rules, "", "pods/portforward") == {"create"}
        named = {name for rule in rules for name in rule.get("resourceNames", [])}
        assert named == {"slipway-ledger", "slipway-ledger-reader"}
        (secrets,) = [rule for rule in one(own, "Role", "slipway-auditor")["rules"] if "secrets" in rule["resources"]]
        assert secrets["resourceNames"] == ["my-auditors"]

    def test_nobody_is_one_by_himself(self, default: list[Manifest]) -> None:
        assert not [m for m in default if m["kind"].endswith("Binding") and m.get("roleRef", {}).get("name") == "slipway-auditor"]

    def test_a_bucket_without_a_secret_for_readers(self) -> None:
        values = {"ledger": {"s3": {"bucket": "audit", "existingSecret": "my-audit"}, "embedded": {"enabled": False}}}
        manifests = render(values)
        assert one(manifests, "ConfigMap", "slipway-ledger")["data"]["secretName"] == ""
        assert not verbs(one(manifests, "Role", "slipway-auditor")["rules"], "", "secrets")


class TestStore:
    def test_the_operators_container_writes_and_the_auditors_reads(self, default: list[Manifest]) -> None:
        writer, reader = pod_of(default, "slipway-ledger")["containers"]
        for container, port, secret, read_only in [
            (writer, 9000, "slipway-ledger", False),
            (reader, 9002, "slipway-ledger-reader", True),
        ]:
            plain = {v["name"]: v["value"] for v in container["env"] if "value" in v}
            assert plain == {"BUCKETS": "slipway-ledger", "PORT": str(port), "VGW_READ_ONLY": str(read_only).lower()}
            assert {v["valueFrom"]["secretKeyRef"]["name"] for v in container["env"] if "valueFrom" in v} == {secret}
            assert [(p["name"], p["containerPort"]) for p in container["ports"]] == [(container["name"], port)]
            assert container["volumeMounts"][0] == {"name": "data", "mountPath": "/data", "readOnly": read_only}
            for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                assert container[probe]["tcpSocket"]["port"] == container["name"]

    def test_its_ports_are_those_of_the_service(self, default: list[Manifest]) -> None:
        ports = one(default, "Service", "slipway-ledger")["spec"]["ports"]
        assert [(p["port"], p["targetPort"]) for p in ports] == [(9000, "writer"), (9002, "reader")]

    def test_only_the_operator_reaches_what_writes(self, default: list[Manifest]) -> None:
        policy = one(default, "NetworkPolicy", "slipway-ledger")["spec"]
        writing, reading = policy["ingress"]
        operator = one(default, "Deployment", "slipway-operator")["spec"]["template"]["metadata"]["labels"]
        assert writing["ports"] == [{"protocol": "TCP", "port": "writer"}]
        assert writing["from"][0]["podSelector"]["matchLabels"].items() <= operator.items()
        assert reading == {"ports": [{"protocol": "TCP", "port": "reader"}]}

    def test_the_record_outlives_the_release(self, default: list[Manifest]) -> None:
        claim = one(default, "PersistentVolumeClaim", "slipway-ledger")
        assert claim["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"

    def test_there_is_none_beside_a_bucket_of_ones_own(self, own: list[Manifest]) -> None:
        named = {m["kind"] for m in own if m["metadata"]["name"] == "slipway-ledger"}
        assert named == {"ConfigMap", "Role", "RoleBinding"}


class TestSecrets:
    """Without a cluster to look at nothing is generated; test_on_apiserver.py has the rest."""

    def test_none_is_generated_where_it_would_be_another_each_time(self, default: list[Manifest]) -> None:
        assert [m["metadata"]["name"] for m in default if m["kind"] == "Secret"] == ["slipway-object-store"]
        text = helm("template", "slipway", CHART, "--namespace", PLATFORM, "--kube-version", "1.37.2").stdout
        assert "They must exist (docs/install.md, Argo CD):\n# slipway-ledger, slipway-ledger-reader, slipway-ledger-key" in text


@pytest.mark.parametrize(
    ("ledger", "complaint"),
    [
        ({"s3": {"bucket": "audit", "existingSecret": "s"}}, "set ledger.embedded.enabled=false as well"),
        ({"embedded": {"enabled": False}}, "the ledger has no store: set ledger.s3.bucket"),
        ({"s3": {"bucket": "audit"}, "embedded": {"enabled": False}}, "needs ledger.s3.existingSecret"),
        ({"anchors": {"bucket": {"uri": "s3://anchors"}}}, "needs ledger.anchors.bucket.existingSecret"),
        ({"anchors": {"bucket": {"uri": "anchors"}}}, "at '/ledger/anchors/bucket/uri'"),
        ({"anchors": {"webhook": {"url": "audit.example.com"}}}, "at '/ledger/anchors/webhook/url'"),
        ({"s3": {"prefix": "/ledger"}}, "at '/ledger/s3/prefix'"),
        ({"s3": {"caBundle": "ca.crt"}}, "at '/ledger/s3/caBundle'"),
        ({"signingKey": "x"}, "'signingKey' not allowed"),
    ],
    ids=json.dumps,
)
def test_refused(ledger: dict[str, Any], complaint: str) -> None:
    assert complaint in refusal({"ledger": ledger})
