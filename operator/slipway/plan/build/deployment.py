"""The Deployment that runs a version's pods. Upgrades start a new pod before an old one leaves, so no request is lost."""

from __future__ import annotations

from slipway.api.v1alpha1 import ModelDeployment, ModelVersion
from slipway.cluster.resources import Manifest
from slipway.plan.build.metadata import child_metadata, with_hash
from slipway.plan.build.pod import build_pod_spec
from slipway.plan.names import (
    DIGEST_ANNOTATION,
    METRICS_PORT,
    MODEL_LABEL,
    TEMPLATE_HASH_ANNOTATION,
    VERSION_LABEL,
    common_labels,
    selector,
)
from slipway.settings import Serving

PROGRESS_DEADLINE_SECONDS = 600


def build_deployment(owner: ModelDeployment, version: ModelVersion, serving: Serving) -> Manifest:
    """Under autoscaling `spec.replicas` is left out: it is the autoscaler's, and `keep_live_replicas` fills it in."""
    labels = {MODEL_LABEL: version.spec.model, VERSION_LABEL: version.spec.version}
    metadata = child_metadata(owner)
    template = {
        "metadata": {"labels": common_labels(owner.metadata.name) | labels, "annotations": _pod_annotations(version)},
        "spec": build_pod_spec(owner, version, serving),
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata | {"labels": metadata["labels"] | labels},
        "spec": ({} if owner.spec.autoscaling else {"replicas": owner.spec.replicas})
        | {
            "revisionHistoryLimit": 3,
            "progressDeadlineSeconds": PROGRESS_DEADLINE_SECONDS,
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 0}},
            "selector": {"matchLabels": selector(owner.metadata.name)},
            "template": with_hash(template, TEMPLATE_HASH_ANNOTATION),
        },
    }


def keep_live_replicas(manifest: Manifest, owner: ModelDeployment, live: Manifest | None) -> Manifest:
    """The manifest to send under autoscaling: with the number the autoscaler chose, since leaving it out would mean 1.

    No pods at all is not its choice: it starts from `spec.replicas` again.
    """
    if owner.spec.autoscaling is None or manifest["kind"] != "Deployment":
        return manifest
    replicas = (live["spec"].get("replicas") if live else None) or owner.spec.replicas
    bounds = owner.spec.autoscaling
    replicas = min(max(replicas, bounds.min_replicas), bounds.max_replicas)
    return manifest | {"spec": manifest["spec"] | {"replicas": replicas}}


def is_stopped(owner: ModelDeployment, live: Manifest) -> bool:
    """Whether somebody set an autoscaled Deployment to 0 by hand: an autoscaler lets it stay there for ever."""
    return owner.spec.autoscaling is not None and live["kind"] == "Deployment" and live["spec"].get("replicas") == 0


def _pod_annotations(version: ModelVersion) -> dict[str, str]:
    annotations = {"kubectl.kubernetes.io/default-container": "model"}
    if version.spec.artifact:
        annotations[DIGEST_ANNOTATION] = version.spec.artifact.digest
    if version.spec.container is None:
        annotations |= {"prometheus.io/scrape": "true", "prometheus.io/port": str(METRICS_PORT), "prometheus.io/path": "/metrics"}
    return annotations
