"""Where callers find the model: one Service with a stable address, one that names every pod."""

from __future__ import annotations

from slipway.api.v1alpha1 import ModelDeployment, ModelVersion
from slipway.cluster.resources import Manifest
from slipway.plan.build.metadata import child_metadata, server_ports
from slipway.plan.names import METRICS_PORT, headless_name, selector

_SERVICE_PORTS = {"http": 80, "grpc": 9000, "metrics": METRICS_PORT}


def build_service(owner: ModelDeployment, version: ModelVersion) -> Manifest:
    """The Service of the deployment's name: v2 REST on port 80, v2 gRPC on 9000."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": child_metadata(owner),
        "spec": {
            "type": "ClusterIP",
            "selector": selector(owner.metadata.name),
            "ports": _ports(version, without="metrics"),
        },
    }


def build_headless_service(owner: ModelDeployment, version: ModelVersion) -> Manifest:
    """`NAME-pods`: for gRPC clients that balance by themselves, and for scraping each pod."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": child_metadata(owner, headless_name(owner.metadata.name)),
        "spec": {
            "type": "ClusterIP",
            "clusterIP": "None",
            "selector": selector(owner.metadata.name),
            "ports": _ports(version),
        },
    }


def _ports(version: ModelVersion, without: str = "") -> list[Manifest]:
    return [
        {"name": name, "port": _SERVICE_PORTS[name], "targetPort": name, "protocol": "TCP"}
        | ({"appProtocol": "kubernetes.io/h2c"} if name == "grpc" else {})
        for name in server_ports(version)
        if name != without
    ]
