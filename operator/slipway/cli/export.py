"""`kubectl slipway export`: the platform's objects as their owners would apply them, for a backup or another cluster."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from slipway.cli.options import AllNamespaces, Context, Format, Kubeconfig, Namespace
from slipway.cli.output import as_text, manifests, note

KINDS = (("Model", "models"), ("ModelVersion", "modelversions"), ("ModelDeployment", "modeldeployments"))
"""In the order in which they are applied."""
POLICIES = (("ApprovalPolicy", "approvalpolicies"),)
"""Of the cluster, so they come with all namespaces only, and first: nothing of what follows starts without them. Approvals never come:
each is about one object of one cluster."""
_FILLED_IN = ("slipway.dev/requested-by", "kubectl.kubernetes.io/last-applied-configuration")
"""Annotations that the apiserver and kubectl write."""


def export(
    namespace: Namespace = None,
    all_namespaces: AllNamespaces = False,
    output: Annotated[Format, typer.Option("-o", "--output", help="yaml or json.")] = Format.YAML,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Print Models, ModelVersions and ModelDeployments (-A: ApprovalPolicies too) for `kubectl apply -f`: what was asked for."""
    if all_namespaces and namespace:
        raise typer.BadParameter("-A does not go with -n")

    from slipway.cli.cluster import SLIPWAY, Access, connect, path

    cluster = connect(Access(kubeconfig, context, namespace))
    where = None if all_namespaces else cluster.namespace
    found = [
        asked(kind, item)
        for kind, plural in ((*POLICIES, *KINDS) if all_namespaces else KINDS)
        for item in sorted(cluster.list(path(SLIPWAY, plural, where)), key=_by_namespace_and_name)
    ]
    if output is Format.JSON:
        print(as_text({"apiVersion": "v1", "kind": "List", "items": found}, output))
    elif found:
        print(manifests(found))
    note(f"{len(found)} objects. The namespaces, Secrets and artifacts that they name are not among them.")


def asked(kind: str, item: dict[str, Any]) -> dict[str, Any]:
    """The object without status, identity, and whatever else it cannot be made again with."""
    meta = item["metadata"]
    annotations = {key: value for key, value in (meta.get("annotations") or {}).items() if key not in _FILLED_IN}
    kept = {"labels": meta.get("labels"), "annotations": annotations}
    place = {key: meta[key] for key in ("name", "namespace") if key in meta}
    metadata = place | {key: value for key, value in kept.items() if value}
    return {"apiVersion": "slipway.dev/v1alpha1", "kind": kind, "metadata": metadata, "spec": item["spec"]}


def _by_namespace_and_name(item: dict[str, Any]) -> tuple[str, str]:
    return item["metadata"].get("namespace", ""), item["metadata"]["name"]
