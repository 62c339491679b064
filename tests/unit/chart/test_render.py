"""What the chart makes of its values, and that it says the same as the operator's code."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from slipway.api.requested_by import MAX_SIZE
from slipway.cli.stamping import REFUSAL
from slipway.cluster.client import FENCE_MESSAGE
from slipway.cluster.resources import CHILD_KINDS, OWN_KINDS, WATCHED
from slipway.plan.children import OPTIONAL_CHILDREN
from slipway.settings import Runtime, settings_from
from tests.cluster.tools import KUBERNETES_VERSION
from tests.unit.chart.helm import CHART, PLATFORM, VARIANTS, Manifest, helm, one, refusal, render

CRDS = CHART.parents[1] / "crds"
CLUSTER_KINDS = {
    "ClusterRole",
    "ClusterRoleBinding",
    "CustomResourceDefinition",
    "MutatingAdmissionPolicy",
    "MutatingAdmissionPolicyBinding",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
}


@pytest.fixture(scope="module")
def default() -> list[Manifest]:
    return render()


def kinds(manifests: list[Manifest]) -> set[str]:
    return {manifest["kind"] for manifest in manifests}


def pod_of(manifests: list[Manifest], name: str) -> dict[str, Any]:
    pod: dict[str, Any] = one(manifests, "Deployment", name)["spec"]["template"]["spec"]
    return pod


def environment(manifests: list[Manifest]) -> dict[str, str]:
    (container,) = pod_of(manifests, "slipway-operator")["containers"]
    return {variable["name"]: variable.get("value", "") for variable in container["env"]}


def images(manifests: list[Manifest]) -> set[str]:
    deployments = [manifest for manifest in manifests if manifest["kind"] == "Deployment"]
    return {container["image"] for d in deployments for container in d["spec"]["template"]["spec"]["containers"]}


def operator_rules(manifests: list[Manifest]) -> list[dict[str, Any]]:
    """All that the operator may do: the rules of every role bound to it."""
    roles = {(m["kind"], m["metadata"]["name"]): m["rules"] for m in manifests if m["kind"] in ("Role", "ClusterRole")}
    bound = [
        (m["roleRef"]["kind"], m["roleRef"]["name"])
        for m in manifests
        if m["kind"].endswith("RoleBinding") and any(s["name"] == "slipway-operator" for s in m["subjects"])
    ]
    return [rule for role in bound for rule in roles[role]]


def verbs(rules: list[dict[str, Any]], group: str, resource: str) -> set[str]:
    return {verb for rule in rules if group in rule["apiGroups"] and resource in rule["resources"] for verb in rule["verbs"]}


def covered(policy: Manifest) -> Iterator[tuple[str, str]]:
    for rule in policy["spec"]["matchConstraints"]["resourceRules"]:
        yield from ((group, resource) for group in rule["apiGroups"] for resource in rule["resources"])


def test_lint() -> None:
    helm("lint", "--strict", "--kube-version", KUBERNETES_VERSION, CHART)


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_object_stands_where_it_should(variant: str) -> None:
    allowed = {PLATFORM, *VARIANTS[variant].get("watchNamespaces", [])}
    for manifest in render(VARIANTS[variant]):
        namespace = manifest["metadata"].get("namespace")
        assert (namespace is None) == (manifest["kind"] in CLUSTER_KINDS), manifest
        assert namespace is None or namespace in allowed


class TestOperator:
    def test_its_environment_is_what_the_operator_reads(self, default: list[Manifest]) -> None:
        settings = settings_from(environment(default))

        assert settings.serving.runtimes == (Runtime("sklearn", "1.9", "slipway-runtime-sklearn:0.1.0"),)
        assert (settings.watch_namespaces, settings.lease_seconds, settings.log_level) == ((), 15.0, "INFO")
        assert (settings.serving.drain_seconds, settings.serving.fetch_env) == (15, {})

    def test_values_reach_it(self) -> None:
        runtime = {"format": "sklearn", "version": "1.9", "image": "ghcr.io/acme/r:1"}
        values = {"watchNamespaces": ["growth", "risk"], "leaseSeconds": 30, "drainSeconds": 60, "logLevel": "debug"}
        settings = settings_from(environment(render(values | {"runtimes": [runtime], "fetch": {"env": {"HTTPS_PROXY": "http://p"}}})))

        assert settings.watch_namespaces == ("growth", "risk")
        assert (settings.lease_seconds, settings.log_level) == (30.0, "DEBUG")
        assert (settings.serving.drain_seconds, settings.serving.fetch_env) == (60, {"HTTPS_PROXY": "http://p"})
        assert settings.serving.runtimes == (Runtime("sklearn", "1.9", "ghcr.io/acme/r:1"),)

    def test_its_pod_says_who_it_is(self, default: list[Manifest]) -> None:
        pod = pod_of(default, "slipway-operator")
        fields = {v["name"]: v["valueFrom"]["fieldRef"]["fieldPath"] for v in pod["containers"][0]["env"] if "valueFrom" in v}

        assert fields == {"SLIPWAY_NAMESPACE": "metadata.namespace", "SLIPWAY_POD_NAME": "metadata.name"}
        assert pod["serviceAccountName"] == "slipway-operator"
        assert pod["automountServiceAccountToken"] is True

    def test_probes_name_a_port_that_exists(self, default: list[Manifest]) -> None:
        for name in ("slipway-operator", "slipway-object-store"):
            (container,) = pod_of(default, name)["containers"]
            ports = {port["name"] for port in container["ports"]}
            for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                how = container[probe].get("httpGet") or container[probe]["tcpSocket"]
                assert how["port"] in ports

    def test_nothing_that_selects_pods_moves_with_the_version(self, default: list[Manifest]) -> None:
        for deployment in (manifest for manifest in default if manifest["kind"] == "Deployment"):
            labels = deployment["spec"]["template"]["metadata"]["labels"]
            assert deployment["spec"]["selector"]["matchLabels"].items() <= labels.items()
            assert not labels.keys() & {"helm.sh/chart", "app.kubernetes.io/version"}

    def test_one_replica_has_no_budget(self) -> None:
        assert "PodDisruptionBudget" not in kinds(render({"replicas": 1, "predictionLog": {"replicas": 1}}))

    @pytest.mark.parametrize(
        ("values", "image"),
        [
            ({}, "slipway-operator:0.1.0"),
            ({"image": {"tag": "dev"}}, "slipway-operator:dev"),
            ({"image": {"tag": "dev", "digest": "sha256:" + "0" * 64}}, "slipway-operator@sha256:" + "0" * 64),
            ({"imageRegistry": "registry.example.com/mlops"}, "registry.example.com/mlops/slipway-operator:0.1.0"),
            ({"imageRegistry": "r.example.com", "image": {"repository": "ghcr.io/a/b"}}, "ghcr.io/a/b:0.1.0"),
            ({"imageRegistry": "r.example.com", "image": {"repository": "a/b"}}, "r.example.com/a/b:0.1.0"),
            ({"imageRegistry": "r.example.com", "image": {"repository": "localhost/b"}}, "localhost/b:0.1.0"),
        ],
    )
    def test_its_image(self, values: dict[str, Any], image: str) -> None:
        assert image in images(render(values))

    def test_the_runtimes_are_of_this_release(self) -> None:
        release = yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"]
        for runtime in yaml.safe_load((CHART / "values.yaml").read_text())["runtimes"]:
            assert runtime["image"].endswith(f":{release}")


class TestAccess:
    def test_the_operator_writes_its_children_and_reads_its_kinds(self, default: list[Manifest]) -> None:
        rules = operator_rules(default)
        for child in CHILD_KINDS:
            delete = {"delete"} if child.kind in OPTIONAL_CHILDREN else set()
            assert verbs(rules, child.group, child.plural) == {"get", "list", "watch", "create", "patch"} | delete
        for kind in OWN_KINDS:
            assert verbs(rules, kind.group, kind.plural) == {"get", "list", "watch"}
            assert verbs(rules, kind.group, f"{kind.plural}/status") == {"update"}
        for kind in WATCHED:
            assert verbs(rules, kind.group, kind.plural) >= {"get", "list", "watch"}

    @pytest.mark.parametrize("variant", VARIANTS)
    def test_the_operator_cannot_raise_itself(self, variant: str) -> None:
        for rule in operator_rules(render(VARIANTS[variant])):
            assert "*" not in {*rule["apiGroups"], *rule["resources"], *rule["verbs"]}
            assert "rbac.authorization.k8s.io" not in rule["apiGroups"]
            assert not {"secrets", "serviceaccounts/token", "pods/exec"} & set(rule["resources"])
            if "configmaps" in rule["resources"]:
                assert rule["resourceNames"] in (["slipway-ledger"], ["slipway-guard"])
                assert set(rule["verbs"]) == {"get", "patch"}
            assert not {"escalate", "bind", "impersonate"} & set(rule["verbs"])

    def test_only_its_own_lease(self, default: list[Manifest]) -> None:
        named, create = [rule for rule in operator_rules(default) if "leases" in rule["resources"]]
        assert (named["resourceNames"], set(named["verbs"])) == (["slipway-operator"], {"get", "update"})
        assert create["verbs"] == ["create"]

    def test_namespaced_mode_has_no_cluster_role_of_the_operator(self) -> None:
        manifests = render({"watchNamespaces": ["growth", "risk"]})
        bindings = [m for m in manifests if m["kind"] == "RoleBinding" and m["metadata"]["name"] == "slipway-operator"]

        assert {binding["metadata"]["namespace"] for binding in bindings} == {"growth", "risk"}
        assert {binding["subjects"][0]["namespace"] for binding in bindings} == {PLATFORM}
        assert [m["metadata"]["name"] for m in manifests if m["kind"] == "ClusterRoleBinding"] == ["slipway-collector"]
        assert verbs(operator_rules(manifests), "apps", "deployments")

    def test_it_installs_with_rights_in_namespaces_alone(self) -> None:
        off = {
            "crds": {"install": False},
            "rbac": {"userRoles": False},
            "admission": {"enabled": False},
            "predictionLog": {"enabled": False},
        }
        assert kinds(render({"watchNamespaces": ["growth"]} | off)).isdisjoint(CLUSTER_KINDS)

    def test_people_get_it_with_the_roles_they_have(self, default: list[Manifest]) -> None:
        viewer, scientist = (one(default, "ClusterRole", name) for name in ("slipway-viewer", "slipway-data-scientist"))

        assert viewer["metadata"]["labels"]["rbac.authorization.k8s.io/aggregate-to-view"] == "true"
        assert scientist["metadata"]["labels"]["rbac.authorization.k8s.io/aggregate-to-edit"] == "true"
        for kind in OWN_KINDS:
            assert verbs(viewer["rules"], kind.group, kind.plural) == {"get", "list", "watch"}
            assert verbs(scientist["rules"], kind.group, kind.plural) >= {"create", "update", "patch", "delete"}
        assert verbs(scientist["rules"], "slipway.dev", "modeldeployments/scale") >= {"get", "update", "patch"}
        assert not verbs(scientist["rules"], "slipway.dev", "modeldeployments/status")


class TestAdmission:
    def test_every_child_kind_is_fenced_and_never_adopted(self, default: list[Manifest]) -> None:
        children = {(child.group, child.plural) for child in CHILD_KINDS}
        fence = one(default, "ValidatingAdmissionPolicy", "slipway-leader-fence")
        adoption = one(default, "ValidatingAdmissionPolicy", "slipway-no-adoption")

        revisions = {("apps", "controllerrevisions")}
        cron_jobs = {("batch", "cronjobs")}
        ours = {("slipway.dev", "*/status"), ("slipway.dev", "modelapprovals")}
        assert set(covered(fence)) == children | revisions | cron_jobs | {("batch", "jobs")} | ours
        assert set(covered(adoption)) == children | revisions | cron_jobs

    def test_the_operator_knows_it_by_its_message(self, default: list[Manifest]) -> None:
        (validation,) = one(default, "ValidatingAdmissionPolicy", "slipway-leader-fence")["spec"]["validations"]
        assert validation["message"].startswith(FENCE_MESSAGE)
        assert validation["messageExpression"].startswith(f"'{FENCE_MESSAGE}")

    @pytest.mark.parametrize(
        ("version", "mutating", "expected"),
        [
            ("1.37.2", "auto", "v1"), ("1.36.0", "auto", "v1"), ("1.35.4", "auto", None), ("1.34.0", "auto", None),
            ("1.37.2", False, None), ("1.37.2", True, "v1"), ("1.34.0", True, "v1beta1"),
        ],
    )  # fmt: skip
    def test_the_stamp_is_filled_in_where_that_is_served(self, version: str, mutating: bool | str, expected: str | None) -> None:
        arguments = ("template", "slipway", CHART, "--kube-version", version)
        text = helm(*arguments, values={"admission": {"mutating": mutating}}).stdout
        manifests = [manifest for manifest in yaml.safe_load_all(text) if manifest]
        found = {m["apiVersion"].rpartition("/")[2] for m in manifests if m["kind"].startswith("MutatingAdmissionPolicy")}

        assert found == ({expected} if expected else set())
        assert f"'{REFUSAL.rpartition(' ')[0]} must '" in text, "the plugin knows the refusal by its beginning"
        hint = "be written by the client here" if expected is None else "leave it out"
        assert (
            hint
            in one(manifests, "ValidatingAdmissionPolicy", "slipway-requested-by-default")["spec"]["validations"][-1]["messageExpression"]
        )

    def test_a_cluster_that_serves_no_mutating_policies_gets_none(self) -> None:
        def rendered(*kinds: str) -> str:
            served = [f"--api-versions=admissionregistration.k8s.io/{kind}" for kind in kinds]
            return helm("template", "slipway", CHART, "--kube-version", KUBERNETES_VERSION, *served).stdout

        validating = "v1/ValidatingAdmissionPolicy"
        assert "kind: MutatingAdmissionPolicy" not in rendered(validating)
        assert "kind: MutatingAdmissionPolicy" in rendered(validating, "v1/MutatingAdmissionPolicy")
        assert "k8s.io/v1beta1\nkind: MutatingAdmissionPolicy" in rendered(validating, "v1beta1/MutatingAdmissionPolicy")

    def test_stamps_are_as_long_as_the_operator_reads(self, default: list[Manifest]) -> None:
        variables = one(default, "ValidatingAdmissionPolicy", "slipway-requested-by")["spec"]["variables"]
        (stamped,) = [variable["expression"] for variable in variables if variable["name"] == "stamped"]
        assert stamped.startswith(f"size(variables.before) <= {MAX_SIZE} &&")

    def test_stamps_are_asked_for_where_the_release_serves(self) -> None:
        manifests = render({"watchNamespaces": ["growth"]})
        for kind in ("MutatingAdmissionPolicy", "ValidatingAdmissionPolicy"):
            constraints = one(manifests, kind, "slipway-requested-by")["spec"]["matchConstraints"]
            (selector,) = constraints["namespaceSelector"]["matchExpressions"]
            assert selector == {"key": "kubernetes.io/metadata.name", "operator": "In", "values": ["growth"]}

    def test_it_names_the_operator_of_its_own_release(self) -> None:
        manifests = render(namespace="growth")
        policy = one(manifests, "ValidatingAdmissionPolicy", "slipway-leader-fence-growth")
        binding = one(manifests, "ValidatingAdmissionPolicyBinding", "slipway-leader-fence-growth")

        assert "'system:serviceaccount:growth:slipway-operator'" in policy["spec"]["matchConditions"][0]["expression"]
        assert binding["spec"]["policyName"] == "slipway-leader-fence-growth"
        assert binding["spec"]["paramRef"]["namespace"] == "growth"

    def test_two_releases_share_no_object(self) -> None:
        values = {"watchNamespaces": ["shared"], "crds": {"install": False}}

        def identities(namespace: str) -> set[tuple[str, str, str]]:
            metadata = [(m["kind"], m["metadata"]) for m in render(values, namespace=namespace)]
            return {(kind, found.get("namespace", ""), found["name"]) for kind, found in metadata}

        assert identities(PLATFORM).isdisjoint(identities("growth"))
        assert identities("risk").isdisjoint(identities("growth"))


class TestCrds:
    def test_the_copies_are_current(self) -> None:
        def contents(folder: Path) -> dict[str, str]:
            return {path.name: path.read_text() for path in folder.glob("*.yaml")}

        assert contents(CHART / "files" / "crds") == contents(CRDS), "run make crds"

    def test_they_are_kept_and_otherwise_as_generated(self, default: list[Manifest]) -> None:
        for path in CRDS.glob("*.yaml"):
            generated = yaml.safe_load(path.read_text())
            rendered = one(default, "CustomResourceDefinition", generated["metadata"]["name"])
            assert rendered["metadata"].pop("annotations") == {"helm.sh/resource-policy": "keep"}
            assert rendered == generated


class TestObjectStore:
    def test_push_finds_the_embedded_one(self, default: list[Manifest]) -> None:
        found = one(default, "ConfigMap", "slipway-artifact-store")["data"]
        assert found == {"uri": "s3://slipway-models", "secretName": "slipway-object-store", "embedded": "true"}
        container = pod_of(default, "slipway-object-store")["containers"][0]
        assert {"name": "BUCKETS", "value": "slipway-models"} in container["env"]

    def test_push_finds_a_bucket_of_ones_own(self) -> None:
        manifests = render(VARIANTS["own-bucket"])
        found = one(manifests, "ConfigMap", "slipway-artifact-store")["data"]

        assert found == {"uri": "s3://models/slipway", "secretName": "my-s3", "embedded": "false"}
        assert not [m for m in manifests if m["metadata"]["name"] == "slipway-object-store"]
        assert "Secret" not in kinds(manifests)

    def test_everyone_reads_where_artifacts_go_and_nothing_else(self, default: list[Manifest]) -> None:
        (rule,) = one(default, "Role", "slipway-artifact-store")["rules"]
        assert rule == {"apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["slipway-artifact-store"], "verbs": ["get"]}
        (subject,) = one(default, "RoleBinding", "slipway-artifact-store")["subjects"]
        assert subject["name"] == "system:authenticated"

    def test_credentials_may_come_from_elsewhere(self) -> None:
        manifests = render({"objectStore": {"existingSecret": "sealed"}})
        environment = pod_of(manifests, "slipway-object-store")["containers"][0]["env"]
        names = {variable["valueFrom"]["secretKeyRef"]["name"] for variable in environment if "valueFrom" in variable}

        assert names == {"sealed"}
        assert "Secret" not in kinds(manifests)
        assert one(manifests, "ConfigMap", "slipway-artifact-store")["data"]["secretName"] == "sealed"

    def test_artifacts_and_credentials_outlive_the_release(self, default: list[Manifest]) -> None:
        for kind in ("PersistentVolumeClaim", "Secret"):
            annotations = one(default, kind, "slipway-object-store")["metadata"]["annotations"]
            assert annotations["helm.sh/resource-policy"] == "keep"

    def test_two_stores_at_once_are_refused(self) -> None:
        assert "set objectStore.embedded.enabled=false as well" in refusal({"objectStore": {"uri": "s3://models"}})


class TestMetrics:
    def test_annotations_by_default(self, default: list[Manifest]) -> None:
        annotations = one(default, "Service", "slipway-operator-metrics")["metadata"]["annotations"]
        assert annotations["prometheus.io/scrape"] == "true"
        assert "ServiceMonitor" not in kinds(default)

    def test_a_service_monitor_instead(self) -> None:
        manifests = render(VARIANTS["service-monitor"])
        service = one(manifests, "Service", "slipway-operator-metrics")
        monitor = one(manifests, "ServiceMonitor", "slipway-operator")

        assert "annotations" not in service["metadata"]
        assert monitor["metadata"]["labels"]["release"] == "prometheus"
        assert monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
        (endpoint,) = monitor["spec"]["endpoints"]
        assert endpoint == {"port": "http", "path": "/metrics", "interval": "30s", "honorLabels": True}


def test_all_off_leaves_the_operator_and_its_rights() -> None:
    manifests = render(VARIANTS["all-off"])

    assert sorted(f"{m['kind']} {m['metadata']['name']}" for m in manifests) == [
        "ClusterRole slipway-operator",
        "ClusterRoleBinding slipway-operator",
        "Deployment slipway-operator",
        "Role slipway-leader-election",
        "Role slipway-monitors",
        "RoleBinding slipway-leader-election",
        "RoleBinding slipway-monitors",
        "Service slipway-operator-metrics",
        "ServiceAccount slipway-operator",
    ]
    assert json.loads(environment(manifests)["SLIPWAY_RUNTIME_IMAGES"]) == []
