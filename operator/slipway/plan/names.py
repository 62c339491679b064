"""Names, labels and paths that Slipway gives to what it makes: docs/contracts.md in code."""

from __future__ import annotations

from slipway.api.v1alpha1.model_deployment import HEADLESS_SUFFIX
from slipway.cluster.store import DEPLOYMENT_LABEL

MANAGED_BY = "app.kubernetes.io/managed-by"
MODEL_LABEL = "slipway.dev/model"
VERSION_LABEL = "slipway.dev/version"
STAGE_LABEL = "slipway.dev/stage"
"""On a namespace: which ApprovalPolicies have a say in it."""
DIGEST_ANNOTATION = "slipway.dev/digest"
HASH_ANNOTATION = "slipway.dev/manifest-hash"
"""On every child: of the manifest that was last applied."""
TEMPLATE_HASH_ANNOTATION = "slipway.dev/template-hash"
"""On every pod: of the template that it was made from. It moves only with the template, so it restarts nothing."""

HTTP_PORT, GRPC_PORT, METRICS_PORT = 8080, 9000, 8082
MODEL_PATH = "/mnt/model"
SECRET_PATH = "/var/run/secrets/slipway/artifact"
CLAIM_PATH = "/mnt/pvc"
SPOOL_PATH = "/var/spool/slipway"
TOKEN_PATH = "/var/run/secrets/slipway/token"
CAPTURE_CONTAINER = "capture"
"""Sends the prediction log, beside the model."""


def version_name(model: str, version: str) -> str:
    """The ModelVersion's name."""
    return f"{model}-{version}"


def headless_name(deployment: str) -> str:
    return deployment + HEADLESS_SUFFIX


def selector(deployment: str) -> dict[str, str]:
    """What picks the deployment's pods, of every version."""
    return {DEPLOYMENT_LABEL: deployment}


def common_labels(deployment: str) -> dict[str, str]:
    """On every child and pod."""
    return {
        MANAGED_BY: "slipway",
        "app.kubernetes.io/name": deployment,
        "app.kubernetes.io/component": "model-server",
        DEPLOYMENT_LABEL: deployment,
    }
