"""The tests' own hands on an apiserver: a small synchronous client, apart from the operator's code."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from kubernetes import client, config
from kubernetes.client.exceptions import ApiException

Manifest = dict[str, Any]

_PATHS = {
    "Model": "/apis/slipway.dev/v1alpha1|models",
    "ModelVersion": "/apis/slipway.dev/v1alpha1|modelversions",
    "ModelDeployment": "/apis/slipway.dev/v1alpha1|modeldeployments",
    "ModelMonitor": "/apis/slipway.dev/v1alpha1|modelmonitors",
    "CronJob": "/apis/batch/v1|cronjobs",
    "Job": "/apis/batch/v1|jobs",
    "ModelApproval": "/apis/slipway.dev/v1alpha1|modelapprovals",
    "Deployment": "/apis/apps/v1|deployments",
    "ControllerRevision": "/apis/apps/v1|controllerrevisions",
    "Service": "/api/v1|services",
    "ServiceAccount": "/api/v1|serviceaccounts",
    "Secret": "/api/v1|secrets",
    "ConfigMap": "/api/v1|configmaps",
    "Pod": "/api/v1|pods",
    "Event": "/api/v1|events",
    "ResourceQuota": "/api/v1|resourcequotas",
    "PersistentVolumeClaim": "/api/v1|persistentvolumeclaims",
    "NetworkPolicy": "/apis/networking.k8s.io/v1|networkpolicies",
    "PodDisruptionBudget": "/apis/policy/v1|poddisruptionbudgets",
    "HorizontalPodAutoscaler": "/apis/autoscaling/v2|horizontalpodautoscalers",
    "Lease": "/apis/coordination.k8s.io/v1|leases",
    "Role": "/apis/rbac.authorization.k8s.io/v1|roles",
    "RoleBinding": "/apis/rbac.authorization.k8s.io/v1|rolebindings",
}
_CLUSTER = {
    "Namespace": "/api/v1/namespaces",
    "ApprovalPolicy": "/apis/slipway.dev/v1alpha1/approvalpolicies",
    "CustomResourceDefinition": "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
    "ClusterRole": "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    "ClusterRoleBinding": "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
    "ValidatingAdmissionPolicy": "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies",
    "ValidatingAdmissionPolicyBinding": "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings",
    "MutatingAdmissionPolicy": "/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicies",
    "MutatingAdmissionPolicyBinding": "/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicybindings",
}


class Refusal(AssertionError):
    """The apiserver refused; the text is its message."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Kube:
    """Calls as the user of one kubeconfig."""

    def __init__(self, kubeconfig: Path) -> None:
        self.kubeconfig = kubeconfig
        self._api = config.new_client_from_config(str(kubeconfig))  # type: ignore[no-untyped-call]

    def call(self, method: str, path: str, body: Any = None, content_type: str = "application/json", **query: str) -> Any:
        try:
            response = self._api.call_api(
                *self._request(method, path, body, content_type, query),
            )
            data = response.read()
        except ApiException as error:
            raise Refusal(error.status or 0, _message(error)) from None
        if response.status >= 400:
            raise Refusal(response.status, _said(data))
        return json.loads(data) if data else None

    def _request(self, method: str, path: str, body: Any, content_type: str, query: dict[str, str]) -> tuple[Any, ...]:
        headers = {"Accept": "application/json", "Content-Type": content_type}
        method, url, headers, body, post = self._api.param_serialize(
            method, path, query_params=list(query.items()), header_params=headers, body=body, auth_settings=["BearerToken"]
        )
        return method, url, headers, body, post

    def apply(self, manifest: Manifest, dry_run: bool = False, strict: bool = True, **query: str) -> Manifest:
        """Server-side apply, with unknown fields refused as kubectl does."""
        path = _path(manifest["kind"], manifest["metadata"].get("namespace"), manifest["metadata"]["name"])
        options = {"fieldManager": "test", "force": "true", "fieldValidation": "Strict" if strict else "Ignore"} | query
        options |= {"dryRun": "All"} if dry_run else {}
        result: Manifest = self.call("PATCH", path, manifest, "application/apply-patch+yaml", **options)
        return result

    def create(self, manifest: Manifest, **query: str) -> Manifest:
        path = _path(manifest["kind"], manifest["metadata"].get("namespace"))
        result: Manifest = self.call("POST", path, manifest, **query)
        return result

    def replace(self, manifest: Manifest) -> Manifest:
        """The whole object, if its resourceVersion still is the manifest's."""
        path = _path(manifest["kind"], manifest["metadata"]["namespace"], manifest["metadata"]["name"])
        result: Manifest = self.call("PUT", path, manifest, fieldManager="test")
        return result

    def patch(self, kind: str, namespace: str, name: str, change: Any, subresource: str = "") -> Manifest:
        path = _path(kind, namespace, name) + (f"/{subresource}" if subresource else "")
        result: Manifest = self.call("PATCH", path, change, "application/merge-patch+json", fieldManager="test")
        return result

    def get(self, kind: str, namespace: str | None, name: str) -> Manifest | None:
        try:
            found: Manifest = self.call("GET", _path(kind, namespace, name))
        except Refusal as error:
            if error.code == 404:
                return None
            raise
        return found

    def list(self, kind: str, namespace: str | None = None, **query: str) -> list[Manifest]:
        items: list[Manifest] = self.call("GET", _path(kind, namespace), **query)["items"]
        return items

    def delete(self, kind: str, namespace: str | None, name: str, **query: str) -> None:
        try:
            self.call("DELETE", _path(kind, namespace, name), **query)
        except Refusal as error:
            if error.code != 404:
                raise

    @contextmanager
    def namespace(self, name: str, **labels: str) -> Iterator[str]:
        """A namespace for one test, deleted afterwards."""
        self.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
        try:
            yield name
        finally:
            self.delete("Namespace", None, name)

    def condition(self, name: str, namespace: str, kind: str, of: str = "ModelDeployment") -> Manifest | None:
        """A condition of one of our objects, if it speaks about the present generation."""
        found = self.get(of, namespace, name) or {"metadata": {}}
        for condition in found.get("status", {}).get("conditions", []):
            if condition["type"] == kind and condition["observedGeneration"] == found["metadata"]["generation"]:
                result: Manifest = condition
                return result
        return None


def load_yaml(path: Path) -> list[Manifest]:
    return [document for document in yaml.safe_load_all(path.read_text()) if document]


def _path(kind: str, namespace: str | None, name: str | None = None) -> str:
    if kind in _CLUSTER:
        path = _CLUSTER[kind]
    else:
        root, plural = _PATHS[kind].split("|")
        path = f"{root}/namespaces/{namespace}/{plural}" if namespace else f"{root}/{plural}"
    return f"{path}/{name}" if name else path


def _said(data: bytes) -> str:
    """The message of a Status; of what is none, such as `404 page not found` of an API that is not served yet, all of it."""
    try:
        return str(json.loads(data)["message"])
    except (ValueError, TypeError, KeyError):
        return data.decode(errors="replace")


def _message(error: ApiException) -> str:
    try:
        return str(json.loads(error.body or "")["message"])
    except (TypeError, ValueError, KeyError):
        return str(error)


__all__ = ["Kube", "Manifest", "Refusal", "client", "load_yaml"]
