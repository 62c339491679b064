"""A control plane with the chart's rights and policies, a ledger, and an operator that knows where monitors run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.integration.journal.conftest import plane, store, team
from tests.integration.journal.team import Team
from tests.integration.monitors.lab import Lab
from tests.integration.operator import token_kubeconfig
from tests.kube import Kube

__all__ = ["lab", "plane", "store", "team"]

MONITORING = {"image": "registry.example/slipway-monitor:test", "log_secret": "slipway-predictions"}
SETTINGS = {
    "SLIPWAY_MONITORING": json.dumps(MONITORING),
    "SLIPWAY_COLLECTOR_URL": "http://slipway-collector.slipway-system.svc:8080",
    "SLIPWAY_CRON_JOB_SECONDS": "0.5",
}


@pytest.fixture
def lab(team: Team, tmp_path: Path) -> Lab:
    """The namespace with a Model, its version 3, a deployment and nothing that monitors it yet."""
    path = "/api/v1/namespaces/slipway-system/serviceaccounts/slipway-monitor/token"
    spec = {"audiences": [], "expirationSeconds": 3600}
    answer = team.kube.call("POST", path, {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec})
    run = Kube(token_kubeconfig(team.kube.kubeconfig, answer["status"]["token"], tmp_path / "monitor.kubeconfig"))
    return Lab(team, run, SETTINGS)
