"""The only module that talks to Kubernetes: JSON in and out, and errors as one line that says what to do."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from slipway.cli.errors import CliError
from slipway.cli.output import clean

if TYPE_CHECKING:
    from kubernetes.client import ApiClient

Json = dict[str, Any]

SLIPWAY = "slipway.dev/v1alpha1"
TIMEOUT = 30.0
"""Seconds for an ordinary call."""
LARGE = 2**20
"""A request body of so many bytes may be too much for who reads it."""
POD_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


class ApiError(CliError):
    """The apiserver said no."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class NoAnswer(CliError):
    """The request went out and no answer came in time."""


@dataclass(frozen=True)
class Access:
    """Which cluster, and as whom: the options as the user gave them."""

    kubeconfig: str | None = None
    context: str | None = None
    namespace: str | None = None

    @property
    def kubectl_flags(self) -> list[str]:
        """The same choice for a child `kubectl`."""
        flags = ["--kubeconfig", self.kubeconfig] if self.kubeconfig else []
        return flags + (["--context", self.context] if self.context else [])


@dataclass(frozen=True)
class Reply:
    """An HTTP answer, whatever its code."""

    code: int
    body: bytes

    def json(self) -> Json:
        """The body as an object; empty when it is not one."""
        try:
            decoded = json.loads(self.body)
        except ValueError:
            return {}
        return decoded if isinstance(decoded, dict) else {}


def path(api: str, resource: str, namespace: str | None = None, name: str | None = None) -> str:
    """`path("apps/v1", "deployments", "growth")` → `/apis/apps/v1/namespaces/growth/deployments`."""
    parts = ["/api/v1" if api == "v1" else f"/apis/{api}"]
    parts += ["namespaces", namespace] if namespace else []
    return "/".join([*parts, resource, *([name] if name else [])])


@dataclass(frozen=True)
class Cluster:
    """A connection and the namespace that commands work in."""

    client: ApiClient = field(repr=False)
    namespace: str

    @property
    def token(self) -> str:
        """The bearer token that the apiserver is asked with, from an exec plugin too; empty for who has a certificate alone."""
        settings: Any = self.client.configuration
        header = settings.get_api_key_with_prefix("BearerToken", alias="authorization") or ""
        return str(header).removeprefix("Bearer ").strip()

    def call(
        self,
        method: str,
        url: str,
        *,
        query: dict[str, str] | None = None,
        body: Json | None = None,
        timeout: float = TIMEOUT,
        content_type: str = "application/json",
    ) -> Reply:
        """One HTTP call. Raises only when there is no answer."""
        import urllib3
        from kubernetes.client.exceptions import ApiException

        client: Any = self.client
        host = client.configuration.host
        headers = {"Accept": "application/json"} | ({"Content-Type": content_type} if body is not None else {})
        try:
            request = client.param_serialize(
                method, url, query_params=list((query or {}).items()), header_params=headers, body=body,
                auth_settings=["BearerToken"],
            )  # fmt: skip
            response = client.call_api(*request, _request_timeout=(min(timeout, TIMEOUT), timeout))
            return Reply(response.status, response.read() or b"")
        except urllib3.exceptions.ReadTimeoutError as error:
            raise NoAnswer(f"no answer from {host} within {timeout:g} s: try again, or give it more time") from error
        except (urllib3.exceptions.HTTPError, ApiException, OSError) as error:
            raise CliError(_unreached(host, error, len(json.dumps(body)))) from error

    def request(
        self,
        method: str,
        url: str,
        *,
        query: dict[str, str] | None = None,
        body: Json | None = None,
        content_type: str = "application/json",
    ) -> Json:
        """One call whose answer must be a success."""
        reply = self.call(method, url, query=query, body=body, content_type=content_type)
        if reply.code >= 400:
            raise ApiError(reply.code, refusal(reply, url))
        return reply.json()

    def get(self, url: str) -> Json | None:
        """The object, or None when it does not exist."""
        reply = self.call("GET", url)
        if reply.code == 404 and "name" in reply.json().get("details", {}):
            return None
        if reply.code >= 400:
            raise ApiError(reply.code, refusal(reply, url))
        return reply.json()

    def list(self, url: str, selector: str = "") -> list[Json]:
        """The objects, without the bookkeeping that nobody reads; in pages, so that a large cluster is no burden."""
        query = {"limit": "500"} | ({"labelSelector": selector} if selector else {})
        found: list[Json] = []
        while True:
            page = self.request("GET", url, query=query)
            found += page.get("items") or []
            if not (token := page.get("metadata", {}).get("continue")):
                break
            query["continue"] = token
        for item in found:
            item["metadata"].pop("managedFields", None)
        return found

    def create(self, url: str, body: Json, *, dry_run: bool = False) -> Json:
        """Create an object, or only have the apiserver check it."""
        query = {"fieldValidation": "Strict", "fieldManager": "slipway-cli"}
        return self.request("POST", url, query=query | ({"dryRun": "All"} if dry_run else {}), body=body)

    def merge(self, url: str, change: Json) -> Json:
        """Change parts of an object, whatever else became of it."""
        query = {"fieldManager": "slipway-cli"}
        return self.request("PATCH", url, query=query, body=change, content_type="application/merge-patch+json")

    def replace(self, url: str, body: Json) -> Json:
        """Write an object back; its resourceVersion guards against losing somebody else's change."""
        return self.request("PUT", url, query={"fieldManager": "slipway-cli"}, body=body)


def connect(access: Access) -> Cluster:
    """Open the cluster that `access` names; in a pod without kubeconfig, the cluster around it."""
    from kubernetes import client, config

    settings: Any = client.Configuration()
    settings.retries = False
    loader: Any = config
    try:
        if in_pod(access):
            loader.load_incluster_config(client_configuration=settings)
            namespace = POD_NAMESPACE.read_text().strip()
            return Cluster(client.ApiClient(settings), access.namespace or namespace)
        contexts, current = loader.list_kube_config_contexts(access.kubeconfig)
        chosen = next((c for c in contexts if c["name"] == access.context), None) if access.context else current
        if chosen is None:
            names = ", ".join(sorted(c["name"] for c in contexts))
            raise CliError(f"no context {access.context} in the kubeconfig: choose --context from {names}")
        api = loader.new_client_from_config(access.kubeconfig, chosen["name"], client_configuration=settings)
    except loader.ConfigException as error:
        raise CliError(f"no cluster to talk to ({error}): set KUBECONFIG or --kubeconfig") from error
    return Cluster(api, access.namespace or chosen["context"].get("namespace") or "default")


def in_pod(access: Access) -> bool:
    """Whether there is no kubeconfig, and a cluster around this process."""
    asked = access.kubeconfig or access.context or os.environ.get("KUBECONFIG")
    return not asked and "KUBERNETES_SERVICE_HOST" in os.environ and not Path("~/.kube/config").expanduser().exists()


def refusal(reply: Reply, url: str) -> str:
    """Why the apiserver refused, and what to do."""
    status = reply.json()
    message = status.get("message") or reply.body.decode(errors="replace").strip() or f"HTTP {reply.code}"
    if reply.code == 401:
        return "the cluster does not know you (401 Unauthorized): log in again, or choose another --context"
    if reply.code == 403 and "cannot" in message:
        return f"{message}: ask whoever administers the namespace for that right"
    if reply.code == 404 and SLIPWAY in url and "name" not in status.get("details", {}):
        return f"this cluster has no {SLIPWAY}: install Slipway first (helm install slipway … -n slipway-system)"
    return str(message)


def _unreached(host: str, error: Exception, sent: int) -> str:
    """Why there is no answer at all. A server that refuses a large request may cut it off before it is read."""
    from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

    cause = getattr(error, "reason", None) or error
    why = clean(cause).rpartition(": ")[2]
    if sent > LARGE and not isinstance(cause, NewConnectionError | ConnectTimeoutError):
        return f"the connection to {host} broke while {sent / 2**20:.0f} MiB were sent ({why}): send fewer rows at a time"
    return f"cannot reach the cluster at {host} ({why}): check --context and --kubeconfig"
