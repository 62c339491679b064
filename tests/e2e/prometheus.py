"""A real Prometheus in the cluster, which finds what there is to scrape by itself."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import yaml
from examples.quickstart.checks import Tools

from tests.cluster import images
from tests.cluster.state import KUBECONFIG
from tests.cluster.tools import PROMETHEUS_OPERATOR, binary, module_folder
from tests.e2e.lab import PLATFORM, POD_SECONDS, Lab, at
from tests.kube import Manifest
from tests.prometheus import Prometheus
from tests.rules import RULES
from tests.unit.chart.helm import render
from tests.unit.docs.pages import ROOT, blocks
from tests.wait import free_port, until

IMAGE, RELOADER = "slipway-test-prometheus", "slipway-test-config-reloader"
NAME = "prometheus"
MONITORING = "monitoring.coreos.com/v1"
PORT = 9090
RUN_AS = {"runAsNonRoot": True, "runAsUser": 65532, "fsGroup": 65532}
"""The pod's securityContext."""


@contextmanager
def made_by_its_operator(lab: Lab, folder: Path) -> Iterator[Prometheus]:
    """The Prometheus Operator makes it, and tells it of the chart's ServiceMonitors, PodMonitor and PrometheusRule."""
    crds = module_folder("prometheus-operator", PROMETHEUS_OPERATOR) / "example/prometheus-operator-crd"
    lab.tools.kubectl("apply", "--server-side", "-f", str(crds))
    lab.tools.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")
    ours = {"serviceMonitor": {"enabled": True, "interval": "2s"}, "prometheusRule": {"enabled": True}}
    monitors = [manifest for manifest in render({"metrics": ours}) if manifest["apiVersion"] == MONITORING]
    image, reloader = images.ensure([IMAGE, RELOADER]).values()
    here = [*_reader(lab.namespace), _custom_resource(lab.namespace, image)]
    with (
        _operator(reloader, folder),
        _applied(at(lab.tools, PLATFORM), monitors),
        _applied(lab.tools, here),
        _reached(lab, f"{NAME}-{NAME}-0") as server,
    ):
        yield server


@contextmanager
def set_up_by_hand(lab: Lab) -> Iterator[Prometheus]:
    """A pod with the configuration of docs/alerts.md and the chart's rules, as they are."""
    shown = blocks((ROOT / "docs/alerts.md").read_text(), "yaml", unapplied=True)
    (written,) = (text for _, text in shown if text.startswith("rule_files:"))
    often = {"scrape_interval": "2s", "scrape_timeout": "2s", "evaluation_interval": "2s"}
    files = {"prometheus.yaml": yaml.safe_dump({"global": often} | yaml.safe_load(written)), "slipway.rules.yaml": RULES.read_text()}
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": NAME, "namespace": lab.namespace}, "data": files}
    pod = _pod(lab.namespace, images.ensure([IMAGE])[IMAGE])
    with _applied(lab.tools, [*_reader(lab.namespace), config, pod]), _reached(lab, NAME) as server:
        yield server


def _reader(namespace: str) -> list[Manifest]:
    """Whoever may find pods and Services; what has no namespace is called after this one."""
    name = f"{NAME}-{namespace}"
    found = [("", ["pods", "services", "endpoints"]), ("discovery.k8s.io", ["endpointslices"])]
    rules = [{"apiGroups": [group], "resources": resources, "verbs": ["get", "list", "watch"]} for group, resources in found]
    rbac = "rbac.authorization.k8s.io"
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": NAME, "namespace": namespace}},
        {"apiVersion": f"{rbac}/v1", "kind": "ClusterRole", "metadata": {"name": name}, "rules": rules},
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": name},
            "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": name},
            "subjects": [{"kind": "ServiceAccount", "name": NAME, "namespace": namespace}],
        },
    ]


def _custom_resource(namespace: str, image: str) -> Manifest:
    """It takes every monitor and rule of the cluster, as an organisation's own would by a label."""
    kinds = ("serviceMonitor", "podMonitor", "rule")
    every: dict[str, Manifest] = {f"{kind}{selector}": {} for kind in kinds for selector in ("Selector", "NamespaceSelector")}
    spec = {
        "image": image,
        "version": "v3.5.0",  # by which the operator chooses flags; it does not know newer ones
        "serviceAccountName": NAME,
        "serviceDiscoveryRole": "EndpointSlice",
        "evaluationInterval": "2s",
        "securityContext": RUN_AS,
        **every,
    }
    return {"apiVersion": MONITORING, "kind": "Prometheus", "metadata": {"name": NAME, "namespace": namespace}, "spec": spec}


def _pod(namespace: str, image: str) -> Manifest:
    container = {
        "name": NAME,
        "image": image,
        "imagePullPolicy": "Never",
        "args": ["--config.file=/etc/prometheus/prometheus.yaml", "--storage.tsdb.path=/data"],
        "readinessProbe": {"httpGet": {"path": "/-/ready", "port": PORT}, "periodSeconds": 1},
        "volumeMounts": [{"name": "config", "mountPath": "/etc/prometheus"}, {"name": "data", "mountPath": "/data"}],
    }
    volumes = [{"name": "config", "configMap": {"name": NAME}}, {"name": "data", "emptyDir": {}}]
    spec = {"serviceAccountName": NAME, "securityContext": RUN_AS, "containers": [container], "volumes": volumes}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": NAME, "namespace": namespace}, "spec": spec}


@contextmanager
def _operator(reloader: str, folder: Path) -> Iterator[None]:
    """The Prometheus Operator's program, on this machine."""
    flags = [f"--prometheus-config-reloader={reloader}", "--kubelet-endpoints=false", f"--web.listen-address=127.0.0.1:{free_port()}"]
    with (folder / "prometheus-operator.log").open("ab") as log:
        environment = os.environ | {"KUBECONFIG": str(KUBECONFIG)}
        process = subprocess.Popen([str(binary("prometheus-operator")), *flags], stdout=log, stderr=log, env=environment)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


@contextmanager
def _applied(tools: Tools, manifests: Sequence[Manifest]) -> Iterator[None]:
    """They are in the cluster as long as the context lasts."""
    text = yaml.safe_dump_all(manifests)
    tools.kubectl("apply", "--server-side", "-f", "-", stdin=text)
    try:
        yield
    finally:
        tools.kubectl("delete", "--ignore-not-found", "-f", "-", stdin=text)


@contextmanager
def _reached(lab: Lab, pod: str) -> Iterator[Prometheus]:
    """The server in that pod, once it is ready."""
    until(lambda: lab.kube.get("Pod", lab.namespace, pod), POD_SECONDS, f"pod {pod}", every=0.5)
    lab.tools.kubectl("wait", "--for=condition=Ready", f"pod/{pod}", f"--timeout={POD_SECONDS}s")
    with lab.tools.forward(f"pod/{pod}", PORT) as port:
        yield Prometheus(port)
