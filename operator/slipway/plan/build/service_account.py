"""The pods' identity: a ServiceAccount of their own, without a token in the pod."""

from __future__ import annotations

from slipway.api.v1alpha1 import ModelDeployment
from slipway.cluster.resources import Manifest
from slipway.plan.build.metadata import child_metadata


def build_service_account(owner: ModelDeployment) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": child_metadata(owner),
        "automountServiceAccountToken": False,
    }
