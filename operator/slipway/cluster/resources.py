"""The resources that Slipway reads and writes, and where the apiserver keeps them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from slipway.api.types import GROUP, VERSION

Manifest = dict[str, Any]
"""A Kubernetes object as JSON."""


@dataclass(frozen=True)
class Resource:
    """A resource of the API."""

    group: str
    version: str
    kind: str
    plural: str

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str | None = None, name: str | None = None, subresource: str | None = None) -> str:
        """The URL's path of a collection, an object or its subresource."""
        parts = ["/apis", self.group, self.version] if self.group else ["/api", self.version]
        if namespace:
            parts += ["namespaces", namespace]
        parts.append(self.plural)
        return "/".join([*parts, *filter(None, (name, subresource))])


MODEL = Resource(GROUP, VERSION, "Model", "models")
MODEL_VERSION = Resource(GROUP, VERSION, "ModelVersion", "modelversions")
MODEL_DEPLOYMENT = Resource(GROUP, VERSION, "ModelDeployment", "modeldeployments")
MODEL_MONITOR = Resource(GROUP, VERSION, "ModelMonitor", "modelmonitors")
MODEL_APPROVAL = Resource(GROUP, VERSION, "ModelApproval", "modelapprovals")
APPROVAL_POLICY = Resource(GROUP, VERSION, "ApprovalPolicy", "approvalpolicies")
NAMESPACE = Resource("", "v1", "Namespace", "namespaces")
CONTROLLER_REVISION = Resource("apps", "v1", "ControllerRevision", "controllerrevisions")
"""The approved revisions of a ModelDeployment: docs/revisions.md."""

SERVICE_ACCOUNT = Resource("", "v1", "ServiceAccount", "serviceaccounts")
SERVICE = Resource("", "v1", "Service", "services")
NETWORK_POLICY = Resource("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies")
DEPLOYMENT = Resource("apps", "v1", "Deployment", "deployments")
DISRUPTION_BUDGET = Resource("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets")
AUTOSCALER = Resource("autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers")

CRON_JOB = Resource("batch", "v1", "CronJob", "cronjobs")
JOB = Resource("batch", "v1", "Job", "jobs")
"""Of monitors, in the operator's own namespace: docs/adr/0021-cron-jobs-are-listed-not-watched.md."""

POD = Resource("", "v1", "Pod", "pods")
EVENT = Resource("", "v1", "Event", "events")
CONFIG_MAP = Resource("", "v1", "ConfigMap", "configmaps")
LEASE = Resource("coordination.k8s.io", "v1", "Lease", "leases")

OWN_KINDS = (MODEL, MODEL_VERSION, MODEL_DEPLOYMENT, MODEL_MONITOR)
CHILD_KINDS = (SERVICE_ACCOUNT, NETWORK_POLICY, SERVICE, DEPLOYMENT, DISRUPTION_BUDGET, AUTOSCALER)
"""In the order they are applied."""
WATCHED = (*OWN_KINDS, *CHILD_KINDS, POD)
GOVERNING = (APPROVAL_POLICY, MODEL_APPROVAL, CONTROLLER_REVISION, NAMESPACE)
"""Watched beside, where approvals govern."""

_BY_KIND = {resource.kind: resource for resource in (*WATCHED, *GOVERNING, CRON_JOB, JOB, EVENT, LEASE)}


def resource_of(manifest: Manifest) -> Resource:
    """The resource of a manifest by its `kind`; KeyError for one that Slipway does not handle."""
    return _BY_KIND[manifest["kind"]]
