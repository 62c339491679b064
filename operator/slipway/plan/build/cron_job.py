"""The CronJob that runs a monitor, and the Job of a run that somebody asked for. Both in the operator's own namespace (ADR 0020)."""

from __future__ import annotations

from typing import Any

from slipway.api.v1alpha1 import ModelMonitor
from slipway.cluster.resources import Manifest
from slipway.plan.build.metadata import with_hash
from slipway.plan.build.pod import RESTRICTED, USER_ID
from slipway.plan.monitor.schedule import spread
from slipway.plan.names import (
    LOG_CA_PATH,
    LOG_SECRET_PATH,
    MANAGED_BY,
    NOTIFIER_SECRETS_PATH,
    NOTIFIERS_PATH,
    STORE_SECRET_PATH,
    cron_job_name,
    job_name,
    monitor_labels,
)
from slipway.settings import Monitoring

STARTING_DEADLINE_SECONDS = 300
"""A run that could not start by then is left out: the next one sees the same window, almost."""
KEEP_SECONDS = 86400
"""Finished Jobs stay for a day, for their logs."""
_FROM_SECRET = ("url", "password", "token")
_JOB_LABEL = "batch.kubernetes.io/job-name"


def build_cron_job(owner: ModelMonitor, monitoring: Monitoring, namespace: str) -> Manifest:
    """With its hash. Server-side apply by labels and uid; there is no owner reference across namespaces."""
    manifest = {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {
            "name": cron_job_name(owner.metadata.name, owner.metadata.uid),
            "namespace": namespace,
            "labels": _labels(owner),
            "annotations": {},
        },
        "spec": {
            "schedule": spread(owner.spec.schedule, owner.metadata.uid),
            "timeZone": "Etc/UTC",
            "suspend": owner.spec.suspend,
            "concurrencyPolicy": "Forbid",
            "startingDeadlineSeconds": STARTING_DEADLINE_SECONDS,
            "successfulJobsHistoryLimit": 1,
            "failedJobsHistoryLimit": 1,
            "jobTemplate": {"metadata": {"labels": _labels(owner)}, "spec": _job_spec(owner, monitoring)},
        },
    }
    return with_hash(manifest)


def build_job(cron_job: Manifest, requested: str) -> Manifest:
    """One run, from the live CronJob's template. It goes with the CronJob, which owns it and does not control it."""
    template, meta = cron_job["spec"]["jobTemplate"], cron_job["metadata"]
    reference = {"apiVersion": "batch/v1", "kind": "CronJob", "name": meta["name"], "uid": meta["uid"]}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": job_name(meta["name"], requested),
            "namespace": meta["namespace"],
            "labels": template["metadata"]["labels"],
            "annotations": {"cronjob.kubernetes.io/instantiate": "manual"},
            "ownerReferences": [reference],
        },
        "spec": template["spec"],
    }


def _labels(owner: ModelMonitor) -> dict[str, str]:
    meta = owner.metadata
    return {MANAGED_BY: "slipway", "app.kubernetes.io/component": "monitor", **monitor_labels(meta.namespace, meta.name, meta.uid)}


def _job_spec(owner: ModelMonitor, monitoring: Monitoring) -> Manifest:
    meta = owner.metadata
    return {
        "backoffLimit": 1,
        "activeDeadlineSeconds": monitoring.deadline_seconds,
        "ttlSecondsAfterFinished": KEEP_SECONDS,
        "template": {
            "metadata": {"labels": {**monitoring.labels, **monitor_labels(meta.namespace, meta.name, meta.uid)}},
            "spec": _pod_spec(owner, monitoring),
        },
    }


def _pod_spec(owner: ModelMonitor, monitoring: Monitoring) -> Manifest:
    pull = [{"name": name} for name in monitoring.pull_secrets]
    return {
        "serviceAccountName": monitoring.service_account,
        "automountServiceAccountToken": True,
        "enableServiceLinks": False,
        "restartPolicy": "Never",
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER_ID,
            "runAsGroup": USER_ID,
            "fsGroup": USER_ID,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(owner, monitoring)],
        "volumes": _volumes(monitoring),
        **({"imagePullSecrets": pull} if pull else {}),
        **monitoring.placement,
    }


def _container(owner: ModelMonitor, monitoring: Monitoring) -> Manifest:
    return {
        "name": "monitor",
        "image": monitoring.image,
        "imagePullPolicy": monitoring.pull_policy,
        "command": ["python", "-m", "slipway.monitor"],
        "envFrom": [{"configMapRef": {"name": monitoring.config}}],
        "env": _env(owner, monitoring),
        "resources": _resources(owner, monitoring),
        "securityContext": RESTRICTED,
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": _mounts(monitoring),
    }


def _env(owner: ModelMonitor, monitoring: Monitoring) -> list[Manifest]:
    values = {
        "SLIPWAY_MONITOR_NAMESPACE": owner.metadata.namespace,
        "SLIPWAY_MONITOR_NAME": owner.metadata.name,
        "SLIPWAY_MONITOR_UID": owner.metadata.uid,
        "SLIPWAY_LOG_SECRET": LOG_SECRET_PATH if monitoring.log_secret else "",
        "SLIPWAY_LOG_CA_BUNDLE": f"{LOG_CA_PATH}/ca.crt" if monitoring.log_ca else "",
        "SLIPWAY_STORE_SECRET": STORE_SECRET_PATH if monitoring.store_secret else "",
        "SLIPWAY_NOTIFIERS": NOTIFIERS_PATH,
        "SLIPWAY_NOTIFIER_SECRETS": NOTIFIER_SECRETS_PATH,
    }
    job: Manifest = {
        "name": "SLIPWAY_MONITOR_JOB",
        "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": f"metadata.labels['{_JOB_LABEL}']"}},
    }
    return [*({"name": name, "value": value} for name, value in values.items() if value), job]


def _resources(owner: ModelMonitor, monitoring: Monitoring) -> Manifest:
    asked = owner.spec.resources
    if asked is None:
        return {kind: dict(values) for kind, values in monitoring.resources.items()}
    return {"requests": {"cpu": asked.cpu, "memory": asked.memory}, "limits": {"memory": asked.memory}}


def _mounts(monitoring: Monitoring) -> list[Manifest]:
    mounts: list[Manifest] = [{"name": "tmp", "mountPath": "/tmp"}]
    mounts.append({"name": "notifiers", "mountPath": NOTIFIERS_PATH, "subPath": "notifiers.json", "readOnly": True})
    if monitoring.log_secret:
        mounts.append({"name": "predictions", "mountPath": LOG_SECRET_PATH, "readOnly": True})
    if monitoring.log_ca:
        mounts.append({"name": "predictions-ca", "mountPath": LOG_CA_PATH, "readOnly": True})
    if monitoring.store_secret:
        mounts.append({"name": "object-store", "mountPath": STORE_SECRET_PATH, "readOnly": True})
    if monitoring.notifier_secrets:
        mounts.append({"name": "notifier-secrets", "mountPath": NOTIFIER_SECRETS_PATH, "readOnly": True})
    return mounts


def _volumes(monitoring: Monitoring) -> list[Manifest]:
    volumes: list[Manifest] = [
        {"name": "tmp", "emptyDir": {"sizeLimit": "2Gi"}},
        {"name": "notifiers", "configMap": {"name": monitoring.notifiers, "defaultMode": 0o444}},
    ]
    if monitoring.log_secret:
        volumes.append({"name": "predictions", "secret": _secret(monitoring.log_secret)})
    if monitoring.log_ca:
        volumes.append({"name": "predictions-ca", "configMap": {"name": monitoring.log_ca, "defaultMode": 0o444}})
    if monitoring.store_secret:
        volumes.append({"name": "object-store", "secret": _secret(monitoring.store_secret)})
    if monitoring.notifier_secrets:
        sources = [_notifier(name, secret) for name, secret in sorted(monitoring.notifier_secrets.items())]
        volumes.append({"name": "notifier-secrets", "projected": {"defaultMode": 0o440, "sources": sources}})
    return volumes


def _secret(name: str) -> dict[str, Any]:
    return {"secretName": name, "defaultMode": 0o440}


def _notifier(name: str, secret: str) -> Manifest:
    """Optional: that a message cannot be sent is no reason to look at nothing."""
    items = [{"key": key, "path": f"{name}/{key}"} for key in _FROM_SECRET]
    return {"secret": {"name": secret, "optional": True, "items": items}}
