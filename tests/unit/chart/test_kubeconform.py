"""Every rendered manifest and every example, against the schemas of the real apiserver: no network, unknown fields refused."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.cluster.tools import binary
from tests.unit.chart.helm import VARIANTS, render
from tests.unit.chart.schemas import LOCATION

EXAMPLES = Path(__file__).parents[3] / "examples"


def kubeconform(schemas: Path, text: str) -> list[str]:
    """One line for each manifest that is not as the apiserver wants it."""
    # The Prometheus Operator's kinds are not the apiserver's: test_prometheus.py looks at them.
    options = ("-strict", "-output=json", "-skip=ServiceMonitor,PodMonitor,PrometheusRule", f"-schema-location={schemas}/{LOCATION}")
    outcome = subprocess.run([binary("kubeconform"), *options], input=text, text=True, capture_output=True, check=False)
    resources = json.loads(outcome.stdout)["resources"]
    return [f"{r['kind']} {r['name']}: {r['msg']}" for r in resources]


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_chart_is_valid(schemas: Path, variant: str) -> None:
    manifests = render(VARIANTS[variant])

    assert manifests
    assert kubeconform(schemas, "\n---\n".join(map(json.dumps, manifests))) == []


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("**/*.yaml")), ids=lambda path: str(path.relative_to(EXAMPLES)))
def test_the_examples_are_valid(schemas: Path, path: Path) -> None:
    assert kubeconform(schemas, path.read_text()) == []


def test_what_the_apiserver_does_not_know_is_found(schemas: Path) -> None:
    model = {"apiVersion": "slipway.dev/v1alpha1", "kind": "Model", "metadata": {"name": "churn"}}
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "churn"}, "spec": {"port": []}}

    assert kubeconform(schemas, json.dumps(model | {"spec": {"task": "Regression"}})) == []
    (typo,) = kubeconform(schemas, json.dumps(model | {"spec": {"task": "Regression", "taks": "x"}}))
    (foreign,) = kubeconform(schemas, json.dumps(service))
    assert "taks" in typo
    assert "port" in foreign
