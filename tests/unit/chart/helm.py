"""Runs Helm on the chart: rendered manifests as plain dictionaries."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import yaml

from tests.cluster.tools import KUBERNETES_VERSION, binary

CHART = Path(__file__).parents[3] / "charts" / "slipway"
PLATFORM = "slipway-system"

Manifest = dict[str, Any]
Values = dict[str, Any]

VARIANTS: dict[str, Values] = {
    "default": {},
    "all-off": {
        "replicas": 1,
        "crds": {"install": False},
        "rbac": {"userRoles": False},
        "admission": {"enabled": False},
        "governance": {"enabled": False},
        "networkPolicy": {"enabled": False},
        "podDisruptionBudget": {"enabled": False},
        "metrics": {"annotations": False},
        "objectStore": {"embedded": {"enabled": False}},
        "ledger": {"enabled": False},
        "predictionLog": {"enabled": False},
        "monitoring": {"enabled": False},
        "runtimes": [],
    },
    "monitors": {
        "monitoring": {
            "notifiers": {
                "growth-chat": {"type": "Slack", "existingSecret": "growth-chat"},
                "mail": {"type": "SMTP", "host": "smtp.example.com", "port": 587, "from": "slipway@example.com", "to": ["ds@example.com"]},
            },
            "priorityClassName": "low",
            "nodeSelector": {"disk": "fast"},
        },
        "imagePullSecrets": [{"name": "registry"}],
    },
    "two-namespaces": {"watchNamespaces": ["growth", "risk"], "crds": {"install": False}},
    "service-monitor": {"metrics": {"serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}}}},
    "own-bucket": {
        "objectStore": {"uri": "s3://models/slipway", "existingSecret": "my-s3", "embedded": {"enabled": False}},
    },
    "own-ledger-bucket": {
        "ledger": {
            "signingKeySecret": "my-key",
            "s3": {
                "bucket": "audit",
                "prefix": "cluster-1/ledger",
                "endpoint": "https://s3.example.com",
                "region": "eu-central-1",
                "existingSecret": "my-audit",
                "readerSecret": "my-auditors",
                "caBundle": "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
            },
            "embedded": {"enabled": False},
            "anchors": {
                "bucket": {"uri": "s3://anchors/cluster-1", "existingSecret": "my-anchors"},
                "webhook": {"url": "https://audit.example.com/checkpoints", "existingSecret": "my-webhook"},
                "file": {"claimName": "my-claim"},
            },
        },
    },
    "own-log-bucket": {
        "predictionLog": {
            "uri": "s3://predictions/cluster-1",
            "existingSecret": "my-log",
            "readerSecret": "my-readers",
            "endpoint": "https://s3.example.com",
            "region": "eu-central-1",
            "caBundle": "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
            "retentionDays": 90,
            "embedded": {"enabled": False},
        },
        "metrics": {"dashboards": {"enabled": True}},
    },
    "everything-set": {
        "imageRegistry": "registry.example.com/mlops",
        "image": {"digest": "sha256:" + "a" * 64, "pullPolicy": "Always"},
        "imagePullSecrets": [{"name": "my-registry"}],
        "priorityClassName": "system-cluster-critical",
        "nodeSelector": {"pool": "platform"},
        "tolerations": [{"key": "platform", "operator": "Exists", "effect": "NoSchedule"}],
        "affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []}},
        "podAnnotations": {"example.com/a": "b"},
        "podLabels": {"team": "mlops"},
        "fetch": {"env": {"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": ".svc"}},
        "runtimes": [{"format": "sklearn", "version": "1.9", "image": "ghcr.io/acme/runtime:1"}],
        "objectStore": {
            "embedded": {
                "storage": {"size": "1Ti", "storageClassName": "fast"},
                "priorityClassName": "system-cluster-critical",
                "nodeSelector": {"pool": "platform"},
                "tolerations": [{"operator": "Exists"}],
            }
        },
        "ledger": {
            "embedded": {
                "storage": {"size": "1Gi", "storageClassName": "fast"},
                "priorityClassName": "system-cluster-critical",
                "nodeSelector": {"pool": "platform"},
                "tolerations": [{"operator": "Exists"}],
            },
            "anchors": {"webhook": {"url": "https://audit.example.com/checkpoints"}},
        },
        "predictionLog": {
            "replicas": 3,
            "priorityClassName": "system-cluster-critical",
            "nodeSelector": {"pool": "platform"},
            "tolerations": [{"operator": "Exists"}],
            "podAnnotations": {"example.com/a": "b"},
            "podLabels": {"team": "mlops"},
            "embedded": {
                "storage": {"size": "1Gi", "storageClassName": "fast"},
                "priorityClassName": "system-cluster-critical",
                "nodeSelector": {"pool": "platform"},
                "tolerations": [{"operator": "Exists"}],
            },
        },
    },
}
"""Values that together reach every branch of every template."""


def helm(
    *arguments: str | Path, values: Values | None = None, kubeconfig: Path | None = None, check: bool = True
) -> subprocess.CompletedProcess[str]:
    """Runs Helm; without a kubeconfig it can reach no cluster. A failure shows what Helm said."""
    given = ("--values", "-") if values is not None else ()
    outcome = subprocess.run(
        [binary("helm"), *arguments, *given],
        input=json.dumps(values or {}),
        env=os.environ | {"KUBECONFIG": str(kubeconfig or "/dev/null")},
        text=True,
        capture_output=True,
        check=False,
    )
    assert not check or outcome.returncode == 0, outcome.stderr
    return outcome


def template(values: Values, *, namespace: str = PLATFORM, check: bool = True) -> subprocess.CompletedProcess[str]:
    version = ("--kube-version", KUBERNETES_VERSION)
    return helm("template", "slipway", CHART, "--namespace", namespace, *version, values=values, check=check)


def render(values: Values | None = None, *, namespace: str = PLATFORM) -> list[Manifest]:
    """The manifests that these values make."""
    return [manifest for manifest in yaml.safe_load_all(template(values or {}, namespace=namespace).stdout) if manifest]


def refusal(values: Values) -> str:
    """What Helm says against these values."""
    outcome = template(values, check=False)
    assert outcome.returncode != 0, "these values were accepted"
    return outcome.stderr


def one(manifests: list[Manifest], kind: str, name: str) -> Manifest:
    """The only manifest of that kind and name."""
    (found,) = [m for m in manifests if m["kind"] == kind and m["metadata"]["name"] == name]
    return found
