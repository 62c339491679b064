"""The HorizontalPodAutoscaler, when asked for."""

from __future__ import annotations

from slipway.api.v1alpha1 import ModelDeployment
from slipway.cluster.resources import Manifest
from slipway.plan.build.metadata import child_metadata


def build_autoscaler(owner: ModelDeployment, *, captures: bool = False) -> Manifest | None:
    """`captures`: another container sends the prediction log. Then the model's own use counts, in percent of its own request."""
    autoscaling = owner.spec.autoscaling
    if autoscaling is None:
        return None
    target = {"type": "Utilization", "averageUtilization": autoscaling.target_cpu_percent}
    metric: Manifest = {"type": "Resource", "resource": {"name": "cpu", "target": target}}
    if captures:
        metric = {"type": "ContainerResource", "containerResource": {"name": "cpu", "container": "model", "target": target}}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": child_metadata(owner),
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": owner.metadata.name},
            "minReplicas": autoscaling.min_replicas,
            "maxReplicas": autoscaling.max_replicas,
            "metrics": [metric],
        },
    }
