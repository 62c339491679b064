"""Node drains take one pod at a time."""

from __future__ import annotations

from slipway.api.v1alpha1 import ModelDeployment
from slipway.cluster.resources import Manifest
from slipway.plan.build.metadata import child_metadata
from slipway.plan.names import selector


def build_disruption_budget(owner: ModelDeployment) -> Manifest | None:
    """None for a single pod: a budget would block every drain."""
    autoscaling = owner.spec.autoscaling
    if (autoscaling.min_replicas if autoscaling else owner.spec.replicas) < 2:
        return None
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": child_metadata(owner),
        "spec": {
            "maxUnavailable": 1,
            "selector": {"matchLabels": selector(owner.metadata.name)},
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
        },
    }
