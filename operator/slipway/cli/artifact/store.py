"""Where artifacts go, with whose credentials, and the Secret that lets a model's pods read them."""

from __future__ import annotations

import base64
import os
from dataclasses import dataclass

from slipway.cli.cluster import ApiError, Cluster, Json, path
from slipway.cli.errors import CliError

CONFIG = "slipway-artifact-store"
"""The ConfigMap in the platform namespace that names the store."""
COPY = "slipway-artifact-store"
"""The Secret in a model's namespace with the store's credentials."""
OURS = {"app.kubernetes.io/managed-by": "slipway-cli"}


@dataclass(frozen=True)
class Store:
    """A place for artifacts. `secret` is the platform's Secret with its credentials, None for the user's own store."""

    uri: str
    secret: str | None = None
    embedded: bool = False

    def folder(self, namespace: str, model: str, version: str) -> str:
        """The artifact's URI; a folder, so it ends in `/`."""
        return f"{self.uri.rstrip('/')}/{namespace}/{model}/{version}/"


def platform_namespace() -> str:
    """Where Slipway runs."""
    return os.environ.get("SLIPWAY_NAMESPACE") or "slipway-system"


def find(cluster: Cluster, to: str | None) -> Store:
    """The store at `to`, or else the platform's."""
    if to and not to.startswith("s3://"):
        raise CliError(f"--to {to} must be s3://BUCKET/PREFIX; for bytes that are elsewhere already, apply a ModelVersion yourself")
    if to:
        return Store(to)
    namespace = platform_namespace()
    config = cluster.get(path("v1", "configmaps", namespace, CONFIG))
    data = (config or {}).get("data", {})
    if not data.get("uri"):
        raise CliError(
            f"the platform names no artifact store (ConfigMap {CONFIG} in {namespace}): "
            "choose one with --to s3://BUCKET/PREFIX, or set SLIPWAY_NAMESPACE if Slipway runs in another namespace"
        )
    return Store(data["uri"], data.get("secretName") or None, data.get("embedded") == "true")


@dataclass(frozen=True)
class Access:
    """Credentials to write with (None: the environment's, as the AWS tools read them), and the Secret for the pods."""

    credentials: dict[str, str] | None
    pods_secret: str | None
    to_copy: bool = False


def access(cluster: Cluster, store: Store, secret: str | None) -> Access:
    """How to write to `store`, and which Secret its readers get: `--secret`, else a copy of the platform's."""
    if store.secret is None:
        return Access(None, secret)
    platform = _secret(cluster, platform_namespace(), store.secret)
    if platform is not None:
        return Access(platform, secret or COPY, to_copy=secret is None)
    copy = _secret(cluster, cluster.namespace, secret or COPY)
    if copy is not None:
        return Access(copy, secret or COPY)
    if os.environ.get("AWS_ACCESS_KEY_ID"):
        return Access(None, secret or COPY)
    raise CliError(
        f"no credentials for {store.uri}: you may not read Secret {store.secret} in {platform_namespace()}, and "
        f"{cluster.namespace} has no Secret {secret or COPY} that you may read. Have the platform's team put it there, "
        "or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    )


def _secret(cluster: Cluster, namespace: str, name: str) -> dict[str, str] | None:
    """The Secret's values; None when it is not there, or not to be read."""
    try:
        found = cluster.get(path("v1", "secrets", namespace, name))
    except ApiError as error:
        if error.code == 403:
            return None
        raise
    return None if found is None else decode(found)


def decode(secret: Json) -> dict[str, str]:
    """A Secret's values as text."""
    return {key: base64.b64decode(value).decode() for key, value in (secret.get("data") or {}).items()}


def copy_secret(cluster: Cluster, values: dict[str, str]) -> bool:
    """Put the credentials into the model's namespace, where missing or outdated. True when something was written."""
    folder = path("v1", "secrets", cluster.namespace)
    wanted: Json = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": COPY, "namespace": cluster.namespace, "labels": OURS},
        "type": "Opaque",
        "data": {key: base64.b64encode(value.encode()).decode() for key, value in values.items()},
    }
    existing = cluster.get(f"{folder}/{COPY}")
    if existing is None:
        cluster.create(folder, wanted)
        return True
    if existing.get("data") == wanted["data"]:
        return False
    if OURS.items() - (existing["metadata"].get("labels") or {}).items():
        raise CliError(
            f"Secret {COPY} in namespace {cluster.namespace} is not the plugin's and has other credentials: "
            "delete it, or name the Secret that pods should read with --secret"
        )
    cluster.replace(f"{folder}/{COPY}", existing | {"data": wanted["data"]})
    return True
