"""How `deltalake` opens the bucket."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from deltalake.fs import DeltaStorageHandler
from pyarrow.fs import FileSelector, FileType, PyFileSystem

from slipway.collector.errors import malformed
from slipway.collector.settings import LogPlace
from slipway.objectstore.places import read_secret

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
ONCE = {"aws_conditional_put": "etag"}
"""A version of the table is made by a put that fails if somebody else made it."""
PATIENCE = {"timeout": "20s", "connect_timeout": "3s", "max_retries": "3", "retry_timeout": "10s"}
"""For one request: a store that is down is told to the sender, who has the batch on disk."""


def storage_options(place: LogPlace) -> dict[str, str]:
    """The options of every table at this place; the Secret is read anew, so that keys can be changed."""
    given = (read_secret(place.secret) if place.secret else {}) | dict(place.overrides)
    return ONCE | PATIENCE | _aws(given)


def authority(place: LogPlace) -> str | None:
    """The file with the certificates that the store's is checked against, if one is named."""
    given = (read_secret(place.secret) if place.secret else {}) | dict(place.overrides)
    bundle = given.get("AWS_CA_BUNDLE")
    return bundle if bundle and Path(bundle).is_file() else None


def _aws(given: Mapping[str, str]) -> dict[str, str]:
    options = {name: value for name, value in given.items() if name != "AWS_CA_BUNDLE"}
    if options.get("AWS_ENDPOINT_URL", "").startswith("http://"):
        options["AWS_ALLOW_HTTP"] = "true"
    return options | {"AWS_REGION": options.get("AWS_REGION") or "us-east-1"}


def folders(place: LogPlace, below: str = "") -> list[str]:
    """The names of the folders in the log's own, or in one `below` it."""
    root = PyFileSystem(DeltaStorageHandler(f"{place.uri}/{below}".rstrip("/"), storage_options(place)))
    found = root.get_file_info(FileSelector("", allow_not_found=True))
    return sorted(entry.base_name for entry in found if entry.type == FileType.Directory)


def address(root: str, namespace: str, deployment: str, kind: str) -> str:
    """The URI of a table. Raises Refused (400) for names that Kubernetes would not have."""
    for what, name in (("namespace", namespace), ("deployment", deployment)):
        if not _NAME.fullmatch(name):
            raise malformed(f"{what} must be the name of one, not {name[:100]!r}")
    return f"{root}/{namespace}/{deployment}/{kind}"
