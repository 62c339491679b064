"""Group slipway.dev, version v1alpha1."""

from __future__ import annotations

from slipway.api.v1alpha1.approval_policy import ApprovalPolicy
from slipway.api.v1alpha1.model import Model
from slipway.api.v1alpha1.model_approval import ModelApproval
from slipway.api.v1alpha1.model_deployment import ModelDeployment
from slipway.api.v1alpha1.model_monitor import ModelMonitor
from slipway.api.v1alpha1.model_version import ModelVersion

KINDS = (Model, ModelVersion, ModelDeployment, ModelMonitor, ApprovalPolicy, ModelApproval)

__all__ = ["KINDS", "ApprovalPolicy", "Model", "ModelApproval", "ModelDeployment", "ModelMonitor", "ModelVersion"]
