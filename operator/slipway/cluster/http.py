"""The transport: one request to the apiserver, its answer decoded, its refusals as typed errors."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import aiohttp
import orjson
from kubernetes.aio import config
from kubernetes.aio.client import Configuration
from kubernetes.aio.client.rest import RESTClientObject

from slipway import __version__

APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
JSON = "application/json"
WEBHOOK_DOWN = "failed calling webhook"
"""In the 500 for a write that an admission webhook should have judged: the apiserver is well, and users must hear of the webhook."""
CONNECTIONS = 64
"""For requests that come and go; many more than workers, lists and the elector ever have under way."""
USER_AGENT = f"slipway-operator/{__version__}"


@dataclass(frozen=True)
class Request:
    """One call: method, path with a leading slash, query, and a JSON body."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    content_type: str = JSON
    accept: str = JSON
    timeout: float = 30.0


class ApiError(Exception):
    """The apiserver answered with a Status."""

    def __init__(self, code: int, reason: str, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.retry_after = retry_after


class Conflict(ApiError):
    """The object changed (or another writer owns a field) since it was read: plan again on what is there now."""


class NotFound(ApiError):
    """No such object."""


class Refused(ApiError):
    """The apiserver will not have this write as it is: quota, admission (also a webhook that does not answer), validation, RBAC."""


class NamespaceEnding(ApiError):
    """The namespace is being deleted: what is to be created in it would only stand in the way."""


class Unavailable(ApiError):
    """The apiserver cannot answer now: 429, 5xx, timeout, connection trouble, a token that is just being renewed (401)."""


class Transport(Protocol):
    """How a request is carried. A test passes a function instead of a mock."""

    async def __call__(self, request: Request) -> Any: ...


class ApiServer:
    """The transport to a real apiserver, by the in-cluster service account or a kubeconfig (`KUBECONFIG`)."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._session = RESTClientObject(configuration)._create_pool_manager()

    @classmethod
    async def connect(cls, watches: int = 0) -> ApiServer:
        """`watches`: how many streams will stay open; each holds a connection, and the Lease's must never have to wait for one."""
        configuration = Configuration()
        configuration.connection_pool_maxsize = CONNECTIONS + watches
        try:
            config.load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
        except config.ConfigException:
            await config.load_kube_config(config_file=os.environ.get("KUBECONFIG"), client_configuration=configuration)  # type: ignore[no-untyped-call]
        return cls(configuration)

    @property
    def address(self) -> str:
        """Scheme, host and port."""
        return str(self._configuration.host)

    async def open(self, method: str, url: str, **options: Any) -> aiohttp.ClientResponse:
        """An answer as it comes, for streams; with this process's credentials and none of the typed errors."""
        headers = {**(options.pop("headers", None) or {}), **await self._identification()}
        return await self._session.request(method, url, headers=headers, **options)

    async def __call__(self, request: Request) -> Any:
        headers = {"Accept": request.accept, "Accept-Encoding": "identity"} | await self._identification()
        data = None
        if request.body is not None:
            data = orjson.dumps(request.body)
            headers["Content-Type"] = request.content_type
        try:
            async with self._session.request(
                request.method,
                self._configuration.host + request.path,
                params=request.query,
                data=data,
                headers=headers,
                timeout=aiohttp.ClientTimeout(total=request.timeout),
            ) as response:
                content = await response.read()
                if response.status < 400:
                    return orjson.loads(content) if content else None
                raise api_error(response.status, content, response.headers.get("Retry-After"))
        except (TimeoutError, aiohttp.ClientError, orjson.JSONDecodeError) as error:  # what is no JSON is some proxy's word
            raise Unavailable(0, "Connection", f"{type(error).__name__}: {error}") from error

    async def _identification(self) -> dict[str, str]:
        """The token is read anew when it is due: kubelet renews the file."""
        token = await self._configuration.get_api_key_with_prefix("BearerToken", alias="authorization")
        return {"User-Agent": USER_AGENT} | ({"Authorization": token} if token else {})

    async def close(self) -> None:
        await self._session.close()


def api_error(code: int, content: bytes, retry_after: str | None = None) -> ApiError:
    """The typed error for an answer of 400 and above."""
    try:
        status = orjson.loads(content)
        reason, message = str(status.get("reason", "")), str(status.get("message", ""))
    except (orjson.JSONDecodeError, AttributeError):
        reason, message = "", content[:500].decode(errors="replace")
    if code == 409 and reason != "AlreadyExists" and "being terminated" not in message:
        kind: type[ApiError] = Conflict
    elif code == 404:
        kind = NotFound
    elif code == 403 and "because it is being terminated" in message:
        kind = NamespaceEnding
    elif code in (401, 429) or (code >= 500 and WEBHOOK_DOWN not in message):
        kind = Unavailable
    else:
        kind = Refused
    return kind(code, reason, message or f"HTTP {code}", float(retry_after) if retry_after and retry_after.isdigit() else None)
