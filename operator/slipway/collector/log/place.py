"""How the bucket is opened: for `deltalake`, which reads and writes the log, and for data files."""

from __future__ import annotations

import os
import re
import ssl
import tempfile
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import obstore
from obstore.store import from_url

from slipway.collector.errors import malformed
from slipway.collector.settings import LogPlace
from slipway.objectstore.places import read_secret

if TYPE_CHECKING:
    from obstore.store import ClientConfig, ObjectStore, RetryConfig

NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
"""Of a namespace or a ModelDeployment."""
ONCE = {"aws_conditional_put": "etag"}
"""A version of the table is made by a put that fails if somebody else made it."""
REPORTS = {"report.json": "application/json", "report.html": "text/html; charset=utf-8"}
"""What a monitor's run leaves in a folder of `monitor_folder`, and as what."""
PATIENCE = {"timeout": "20s", "connect_timeout": "3s", "max_retries": "3", "retry_timeout": "10s"}
"""For one request: a store that is down is told to the sender, who has the batch on disk."""


def given(place: LogPlace) -> dict[str, str]:
    """The Secret's keys and what is stronger than they; read anew each time, so that keys can be changed."""
    return (read_secret(place.secret) if place.secret else {}) | dict(place.overrides)


def trust(place: LogPlace) -> None:
    """Lets this process trust the place's certificates (`AWS_CA_BUNDLE`) beside the system's. Before the first table is opened.

    Both libraries that speak S3 here read `SSL_CERT_FILE`, and nothing else of `deltalake`'s tells it.
    """
    bundle = given(place).get("AWS_CA_BUNDLE")
    if not bundle:
        return
    system = ssl.get_default_verify_paths().cafile
    both = [Path(file).read_text() for file in (system, bundle) if file and Path(file).is_file()]
    with tempfile.NamedTemporaryFile("w", prefix="slipway-ca-", suffix=".crt", delete=False) as file:
        file.write("\n".join(both))
    os.environ["SSL_CERT_FILE"] = file.name


def storage_options(place: LogPlace) -> dict[str, str]:
    """How `deltalake` opens tables of this place."""
    keys = _aws(given(place))
    plain = {"AWS_ALLOW_HTTP": "true"} if keys.get("AWS_ENDPOINT_URL", "").startswith("http://") else {}
    return ONCE | PATIENCE | keys | plain


def open_store(place: LogPlace, uri: str) -> ObjectStore:
    """The objects below `uri`, which is of this place."""
    if not uri.startswith("s3://"):
        return from_url(uri, mkdir=True)
    keys = given(place)
    client: ClientConfig = {"timeout": timedelta(seconds=20), "connect_timeout": timedelta(seconds=3), "allow_http": True}
    retry: RetryConfig = {"max_retries": 3, "retry_timeout": timedelta(seconds=10)}
    return from_url(uri, config={name.lower(): key for name, key in _aws(keys).items()}, client_options=client, retry_config=retry)  # type: ignore[call-overload, no-any-return]


def folders(store: ObjectStore, below: str = "") -> list[str]:
    """The names of the folders in a folder."""
    found = obstore.list_with_delimiter(store, below or None)["common_prefixes"]
    return sorted(prefix.rstrip("/").rsplit("/", 1)[-1] for prefix in found)


def address(root: str, namespace: str, deployment: str, kind: str) -> str:
    """The URI of a table. Raises Refused (400) for names that Kubernetes would not have."""
    for what, name in (("namespace", namespace), ("deployment", deployment)):
        if not NAME.fullmatch(name):
            raise malformed(f"{what} must be the name of one, not {name[:100]!r}")
    return f"{root}/{namespace}/{deployment}/{kind}"


def monitor_folder(namespace: str, deployment: str, monitor: str) -> str:
    """Where a monitor's runs leave their reports, below the log's URI."""
    return f"{namespace}/{deployment}/monitors/{monitor}"


def _aws(keys: Mapping[str, str]) -> dict[str, str]:
    named = {name: value for name, value in keys.items() if name != "AWS_CA_BUNDLE"}
    return named | {"AWS_REGION": named.get("AWS_REGION") or "us-east-1"}
