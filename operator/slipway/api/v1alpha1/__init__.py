"""Group slipway.dev, version v1alpha1."""

from __future__ import annotations

from slipway.api.v1alpha1.model import Model
from slipway.api.v1alpha1.model_deployment import ModelDeployment
from slipway.api.v1alpha1.model_version import ModelVersion

KINDS = (Model, ModelVersion, ModelDeployment)

__all__ = ["KINDS", "Model", "ModelDeployment", "ModelVersion"]
