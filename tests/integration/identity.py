"""The operator's identity as in a cluster: the chart's RBAC rendered by Helm, and a token bound to a pod."""

from __future__ import annotations

import subprocess
from functools import cache, partial
from pathlib import Path
from typing import Any

import yaml

from slipway.api.requested_by import ANNOTATION
from tests.cluster.tools import KUBERNETES_VERSION, binary
from tests.integration.samples import API, deployment, model
from tests.kube import Kube, Manifest, Refusal
from tests.wait import until

ROOT = Path(__file__).parents[2]
RBAC_KINDS = ("ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding")
POLICY_KINDS = tuple(f"{kind}AdmissionPolicy{part}" for kind in ("Mutating", "Validating") for part in ("", "Binding"))


@cache
def chart() -> list[Manifest]:
    """Every object of the chart with default values."""
    command = [str(binary("helm")), "template", "slipway", str(ROOT / "charts/slipway"), "--namespace", "slipway-system"]
    command += ["--kube-version", KUBERNETES_VERSION.removeprefix("v")]  # our Helm build knows none by itself
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [document for document in yaml.safe_load_all(text) if document]


def install(kube: Kube, kinds: tuple[str, ...]) -> None:
    """Applies the chart's objects of some kinds."""
    for manifest in chart():
        if manifest["kind"] in kinds:
            kube.apply(manifest)


def install_policies(kube: Kube) -> None:
    """The chart's admission policies, once they are in effect: each a second or so after it was made.

    Of the two that fill something in, a forged one must be refused, and what is left out must be filled in. Of the others, each must
    refuse something. The one on namespaces lets the administrator do everything and is not tried; it came before others that are.
    """
    install(kube, POLICY_KINDS)
    until(lambda: not _accepted(kube, {ANNOTATION: "forged"}) and _accepted(kube, {}), 60, "the policies to be in effect")
    namespace: Manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": _PROBE}}
    kube.apply(namespace | {"metadata": {"name": _PROBE, "labels": {"slipway.dev/stage": _PROBE}}})
    for manifest in (model(_PROBE, _PROBE), deployment(_PROBE, _PROBE)):
        kube.apply(manifest)
    for what, attempt in _FORBIDDEN.items():
        until(partial(_refused, kube, attempt), 60, f"the policies to refuse {what}")
    until(lambda: not _refused(kube, _approval("")), 60, "the approver to be filled in")
    for kind in ("ModelDeployment", "Model"):
        kube.delete(kind, _PROBE, _PROBE)
    kube.apply(namespace)  # it stays, for the next time: without controllers nothing that is deleted goes


def _accepted(kube: Kube, annotations: dict[str, str]) -> bool:
    probe = model("default", "probe")
    probe["metadata"]["annotations"] = annotations
    try:
        kube.create(probe, dryRun="All")
    except Refusal:
        return False
    return True


Attempt = tuple[str, str, Manifest]
"""Method, path and body of a request."""
_PROBE = "slipway-probe"
_CORE, _OURS = f"/api/v1/namespaces/{_PROBE}", f"/apis/slipway.dev/v1alpha1/namespaces/{_PROBE}"


def _forged(kind: str, **more: Any) -> Manifest:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": _PROBE, "labels": {"slipway.dev/deployment": _PROBE}}} | more


def _approval(approver: str) -> Attempt:
    spec = {"deployment": _PROBE, "revision": "v1:" + "0" * 64, "as": "risk", "decision": "Approve", "approver": approver}
    return "POST", f"{_OURS}/modelapprovals", {"apiVersion": API, "kind": "ModelApproval", "metadata": {"name": _PROBE}, "spec": spec}


def _orphan() -> Manifest:
    manifest = model(_PROBE, "orphan")
    manifest["metadata"]["ownerReferences"] = [{"apiVersion": "v1", "kind": "ConfigMap", "name": "none", "uid": "none"}]
    return manifest


_FORBIDDEN: dict[str, Attempt] = {
    "a forged approval": _approval("somebody-else"),
    "a forged child": ("POST", f"{_CORE}/serviceaccounts", _forged("ServiceAccount")),
    "a look-alike pod": ("POST", f"{_CORE}/pods", _forged("Pod", spec={"containers": [{"name": "a", "image": "a"}]})),
    "forged endpoints": ("POST", f"{_CORE}/endpoints", _forged("Endpoints")),
    "an owner that is not there": ("POST", f"{_OURS}/models", _orphan()),
    "a forged status": ("PATCH", f"{_OURS}/models/{_PROBE}/status", {"status": {"versions": 7}}),
    "stopping through /scale": ("PATCH", f"{_OURS}/modeldeployments/{_PROBE}/scale", {"spec": {"replicas": 0}}),
}


def _refused(kube: Kube, attempt: Attempt) -> bool:
    """Whether one of our policies refuses it, in a dry run."""
    method, path, body = attempt
    try:
        kube.call(method, path, body, "application/json" if method == "POST" else "application/merge-patch+json", dryRun="All")
    except Refusal as error:
        return "slipway: " in str(error)
    return False


def operator_token(kube: Kube, pod: str) -> str:
    """A token of service account slipway-operator, bound to a Pod object (which no node will ever run)."""
    install(kube, RBAC_KINDS)
    namespace = "slipway-system"
    if kube.get("Pod", namespace, pod) is None:
        container = {"name": "operator", "image": "none"}
        spec = {"serviceAccountName": "slipway-operator", "automountServiceAccountToken": False, "containers": [container]}
        kube.create({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": pod, "namespace": namespace}, "spec": spec})
    uid = (kube.get("Pod", namespace, pod) or {})["metadata"]["uid"]
    reference = {"apiVersion": "v1", "kind": "Pod", "name": pod, "uid": uid}
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"boundObjectRef": reference}}
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/slipway-operator/token"
    return str(kube.call("POST", path, request)["status"]["token"])
