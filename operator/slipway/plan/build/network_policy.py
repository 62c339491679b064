"""Only the serving and metrics ports of a model's pods can be reached."""

from __future__ import annotations

from slipway.api.v1alpha1 import ModelDeployment, ModelVersion
from slipway.cluster.resources import Manifest
from slipway.plan.build.metadata import child_metadata, server_ports
from slipway.plan.names import selector


def build_network_policy(owner: ModelDeployment, version: ModelVersion) -> Manifest:
    ports = [{"port": port, "protocol": "TCP"} for port in server_ports(version).values()]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": child_metadata(owner),
        "spec": {
            "podSelector": {"matchLabels": selector(owner.metadata.name)},
            "policyTypes": ["Ingress"],
            "ingress": [{"ports": ports}],
        },
    }
