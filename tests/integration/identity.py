"""The operator's identity as in a cluster: the chart's RBAC rendered by Helm, and a token bound to a pod."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

import yaml

from slipway.api.requested_by import ANNOTATION
from tests.cluster.tools import KUBERNETES_VERSION, binary
from tests.integration.samples import model
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
    """The chart's admission policies, once they are in effect: a forged stamp is refused, and one that is left out is filled in."""
    install(kube, POLICY_KINDS)
    until(lambda: not _accepted(kube, {ANNOTATION: "forged"}) and _accepted(kube, {}), 60, "the policies to be in effect")


def _accepted(kube: Kube, annotations: dict[str, str]) -> bool:
    probe = model("default", "probe")
    probe["metadata"]["annotations"] = annotations
    try:
        kube.create(probe, dryRun="All")
    except Refusal:
        return False
    return True


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
