"""The way to the collector: a tunnel to its Service, and the user's own bearer token."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from slipway.cli.artifact.store import platform_namespace
from slipway.cli.artifact.tunnel import tunnel
from slipway.cli.cluster import Access, Cluster, Json, in_pod, path
from slipway.cli.errors import CliError

if TYPE_CHECKING:
    from urllib3 import PoolManager

SERVICE, PORT = "slipway-collector", 8080
CONFIG = "slipway-predictions"
"""The ConfigMap in the platform namespace that says where the log is."""
ROLE = "slipway-prediction-log-user"
ADVICE = f"see that its pods run and that you may port-forward to them (Role {ROLE} there), or give its address with --collector"
SECONDS = 120.0
"""For an answer: an erasure rewrites files."""
ATTEMPTS = 8


@dataclass(frozen=True)
class Given:
    """The options, as the user gave them."""

    access: Access
    token: str | None = None
    url: str | None = None


@dataclass(frozen=True)
class Collector:
    """An address and who asks there."""

    url: str
    token: str = field(repr=False)
    pool: PoolManager = field(repr=False)

    def ask(self, method: str, where: str, *, body: Json | None = None, headers: dict[str, str] | None = None) -> Json:
        """One request, repeated while the collector is behind or starts.

        Raises:
            CliError: it refuses, or there is no answer.

        """
        return _decoded(self._answer(method, where, body, headers))

    def prediction(self, namespace: str, deployment: str, prediction: str) -> Json:
        """`{"predictions": […], "actuals": […]}` of one id."""
        return self.ask("GET", f"/v1/predictions/{quote(prediction, safe='')}?namespace={quote(namespace)}&deployment={quote(deployment)}")

    def report(self, namespace: str, deployment: str, monitor: str, run: str, file: str) -> bytes:
        """`report.html` or `report.json` of a monitor's run. Raises CliError, as `ask`."""
        where = "/".join(quote(part, safe="") for part in (monitor, run, file))
        return self._answer("GET", f"/v1/reports/{where}?namespace={quote(namespace)}&deployment={quote(deployment)}")

    def _answer(self, method: str, where: str, body: Json | None = None, headers: dict[str, str] | None = None) -> bytes:
        import urllib3

        sent = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"} | (headers or {})
        content = None if body is None else json.dumps(body).encode()
        try:
            answer = self.pool.request(method, self.url + where, body=content, headers=sent)
        except urllib3.exceptions.HTTPError as error:
            raise CliError(f"the collector at {self.url} does not answer ({getattr(error, 'reason', error)}): {ADVICE}") from error
        if answer.status >= 400:
            raise CliError(_refusal(answer.status, str(_decoded(answer.data).get("error") or answer.reason)))
        data: bytes = answer.data
        return data


@contextmanager
def reached(given: Given, cluster: Cluster) -> Iterator[Collector]:
    """The collector, with a tunnel to it while the block runs, where one is needed.

    Raises:
        CliError: the platform has no log, there is no token to ask with, or no way.

    """
    token = given.token or cluster.token
    if not token:
        raise CliError(NO_TOKEN.format(namespace=cluster.namespace))
    pool = _pool()
    if given.url:
        yield Collector(given.url.rstrip("/"), token, pool)
        return
    place(cluster)
    namespace = platform_namespace()
    if in_pod(given.access):
        yield Collector(f"http://{SERVICE}.{namespace}.svc:{PORT}", token, pool)
        return
    with tunnel(namespace, SERVICE, PORT, given.access.kubectl_flags, ADVICE) as port:
        yield Collector(f"http://127.0.0.1:{port}", token, pool)


NO_TOKEN = (
    "your kubeconfig opens the apiserver with a client certificate, which the collector cannot see: give a bearer token with --token, "
    'such as that of a ServiceAccount with the rights you need: --token "$(kubectl create token NAME -n {namespace})"'
)


def place(cluster: Cluster) -> dict[str, str]:
    """What the platform says of its log.

    Raises:
        CliError: it has none.

    """
    namespace = platform_namespace()
    data: dict[str, str] = (cluster.get(path("v1", "configmaps", namespace, CONFIG)) or {}).get("data", {})
    if not data.get("uri"):
        raise CliError(
            f"the platform has no prediction log (ConfigMap {CONFIG} in {namespace}): it was installed with predictionLog.enabled=false, "
            "or Slipway runs in another namespace (set SLIPWAY_NAMESPACE)"
        )
    return data


def _pool() -> PoolManager:
    """Repeats what is safe to repeat, which is everything that the collector offers."""
    import urllib3

    again = urllib3.Retry(
        total=ATTEMPTS, status_forcelist=(429, 503), allowed_methods=None, backoff_factor=0.5, backoff_max=10, raise_on_status=False
    )
    return urllib3.PoolManager(retries=again, timeout=urllib3.Timeout(connect=10, read=SECONDS))


def _decoded(data: bytes) -> Json:
    try:
        found: Any = json.loads(data)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _refusal(status: int, said: str) -> str:
    if status == 401:
        return f"the collector does not know you ({said}): log in again, or give another --token"
    if status == 403:
        return f"{said}: ask whoever administers the namespace for that right"
    if status in (429, 503):
        return f"the collector is behind or cannot reach its store ({said}): try again later"
    return said
