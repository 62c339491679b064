"""The desired children of a ModelDeployment: pure functions, a file a child kind."""

from __future__ import annotations

from slipway.api.v1alpha1 import ModelDeployment, ModelVersion
from slipway.cluster.resources import Manifest
from slipway.plan.build.autoscaler import build_autoscaler
from slipway.plan.build.capture import capture_of
from slipway.plan.build.deployment import build_deployment
from slipway.plan.build.disruption_budget import build_disruption_budget
from slipway.plan.build.metadata import with_hash
from slipway.plan.build.network_policy import build_network_policy
from slipway.plan.build.service import build_headless_service, build_service
from slipway.plan.build.service_account import build_service_account
from slipway.settings import Serving


def build_children(owner: ModelDeployment, version: ModelVersion, serving: Serving) -> list[Manifest]:
    """Every child that should exist, in the order to apply them.

    Raises:
        Stalled: no server image is configured for the version, or it cannot be captured as asked.

    """
    children = [
        build_service_account(owner),
        build_network_policy(owner),
        build_service(owner, version),
        build_headless_service(owner, version),
        build_deployment(owner, version, serving),
        build_disruption_budget(owner),
        build_autoscaler(owner, captures=capture_of(owner, version, serving) is not None),
    ]
    return [with_hash(child) for child in children if child is not None]
