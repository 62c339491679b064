"""Names, labels and paths that Slipway gives to what it makes: docs/contracts.md in code."""

from __future__ import annotations

import hashlib

from slipway.api.v1alpha1.model_deployment import HEADLESS_SUFFIX
from slipway.cluster.store import DEPLOYMENT_LABEL, MONITOR_LABEL, MONITOR_NAMESPACE_LABEL

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
MONITOR_UID_LABEL = "slipway.dev/monitor-uid"
LOG_SECRET_PATH = "/var/run/secrets/slipway/predictions"
LOG_CA_PATH = "/etc/slipway/predictions"
STORE_SECRET_PATH = "/var/run/secrets/slipway/object-store"
NOTIFIERS_PATH, NOTIFIER_SECRETS_PATH = "/etc/slipway/notifiers.json", "/etc/slipway/notifier-secrets"
CAPTURE_CONTAINER = "capture"
"""Sends the prediction log, beside the model."""


def cron_job_name(monitor: str, uid: str) -> str:
    """Of the CronJob that runs a monitor: at most 46 characters, since Kubernetes adds 11; another one for each uid."""
    return f"{monitor[:35].rstrip('-')}-{hashlib.sha256(uid.encode()).hexdigest()[:10]}"


def job_name(cron_job: str, requested: str) -> str:
    """Of the Job of one run that was asked for: the same for the same request, so that it is made once."""
    return f"{cron_job}-{hashlib.sha256(requested.encode()).hexdigest()[:8]}"


def monitor_labels(namespace: str, name: str, uid: str) -> dict[str, str]:
    """Whose run it is: on a CronJob, its Jobs and their pods."""
    return {MONITOR_NAMESPACE_LABEL: namespace, MONITOR_LABEL: name, MONITOR_UID_LABEL: uid}


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
