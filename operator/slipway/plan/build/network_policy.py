"""Only the serving and metrics ports of a model's pods can be reached."""

from __future__ import annotations

from slipway.api.v1alpha1 import ModelDeployment
from slipway.cluster.resources import Manifest
from slipway.plan.build.metadata import child_metadata
from slipway.plan.names import selector


def build_network_policy(owner: ModelDeployment) -> Manifest:
    """By the ports' names, which hold for pods of every version while one follows the other."""
    ports = [{"port": name, "protocol": "TCP"} for name in ("http", "grpc", "metrics")]
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
