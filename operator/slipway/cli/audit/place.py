"""Where the ledger is and what it is checked with: as the cluster says, or as the options say."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from slipway.cli.artifact.store import decode, platform_namespace
from slipway.cli.artifact.tunnel import tunnel
from slipway.cli.cluster import Access, ApiError, Cluster, connect, path
from slipway.cli.errors import CliError

if TYPE_CHECKING:
    from slipway.ledger.note import Verifier
    from slipway.objectstore.s3 import S3Store

CONFIG = "slipway-ledger"
"""The ConfigMap in the platform namespace: `uri`, `vkey`, `secretName`, `embedded`."""
READER = "slipway-ledger-reader"
"""The Secret beside it, with read-only credentials."""
SERVICE, PORT = "slipway-ledger", 9002
"""The embedded store's reader."""
ADVICE = "see that its pod runs and that you may port-forward to it, or name the store yourself with --store"


@dataclass(frozen=True)
class Given:
    """The options, as the user gave them."""

    access: Access
    store: str | None = None
    secret_file: Path | None = None
    key: str | None = None


@dataclass(frozen=True)
class Place:
    """A ledger to be read."""

    uri: str
    secret: dict[str, str]
    key: str


@contextmanager
def found(given: Given) -> Iterator[Place]:
    """The place, with a tunnel to it while the block runs, where one is needed."""
    if given.store:
        if not given.key:
            raise CliError("--store needs --key: the ledger's public key (NAME+HASH+KEY), from a place that you trust")
        yield Place(given.store, _from_file(given.secret_file), given.key)
        return
    cluster = connect(given.access)
    namespace = platform_namespace()
    config = _config(cluster, namespace, given.key)
    secret = _from_file(given.secret_file) if given.secret_file else _from_cluster(cluster, namespace, config.get("secretName") or READER)
    named = {"AWS_ENDPOINT_URL": config.get("endpoint"), "AWS_REGION": config.get("region"), "AWS_CA_BUNDLE": config.get("ca.crt")}
    secret |= {name: value for name, value in named.items() if value}
    key = given.key or config["vkey"]
    if config.get("embedded") != "true":
        yield Place(config["uri"], secret, key)
        return
    with tunnel(namespace, SERVICE, PORT, given.access.kubectl_flags, ADVICE) as port:
        yield Place(config["uri"], secret | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"}, key)


def _config(cluster: Cluster, namespace: str, key: str | None) -> dict[str, str]:
    """What the platform says of its ledger. Raises CliError when that is not enough."""
    config: dict[str, str] = (cluster.get(path("v1", "configmaps", namespace, CONFIG)) or {}).get("data", {})
    if not config.get("uri"):
        raise CliError(
            f"the platform names no ledger (ConfigMap {CONFIG} in {namespace}): it was installed with ledger.enabled=false, or Slipway "
            "runs in another namespace (set SLIPWAY_NAMESPACE), or name the ledger with --store and --key"
        )
    if not (key or config.get("vkey")):
        raise CliError(
            f"the operator has not published the ledger's key yet (vkey in ConfigMap {CONFIG} in {namespace}): it does once it can open "
            "the ledger, see its log; or give your own copy with --key"
        )
    return config


@asynccontextmanager
async def opened(place: Place) -> AsyncIterator[tuple[S3Store, Verifier]]:
    """The store, and the key to check with."""
    from slipway.objectstore.places import split_uri
    from slipway.objectstore.s3 import S3Store

    try:
        bucket, prefix = split_uri(place.uri)
    except ValueError as error:
        raise CliError(f"--store {error}") from error
    verifier = parsed_key(place.key)
    async with S3Store.opened(bucket, prefix, place.secret) as store:
        yield store, verifier


def parsed_key(key: str) -> Verifier:
    """The public key. Raises CliError."""
    from slipway.ledger.note import NoteInvalid, Verifier

    try:
        return Verifier.parse(key)
    except NoteInvalid as error:
        raise CliError(f"--key {error}") from error


def _from_cluster(cluster: Cluster, namespace: str, name: str) -> dict[str, str]:
    try:
        secret = cluster.get(path("v1", "secrets", namespace, name))
    except ApiError as error:
        if error.code != 403:
            raise
        raise CliError(
            f"you may not read Secret {name} in {namespace}: ask for the Role slipway-auditor there, or give --secret-file"
        ) from error
    if secret is None:
        raise CliError(f"no Secret {name} in {namespace} with credentials for the ledger: give --secret-file")
    values = decode(secret)
    return values | ({"AWS_CA_BUNDLE": values["ca.crt"]} if values.get("ca.crt") else {})


def _from_file(file: Path | None) -> dict[str, str]:
    """`AWS_NAME=value` lines; without a file, the environment's credentials are found as the AWS tools find them."""
    if file is None:
        return {}
    try:
        lines = [line.strip() for line in file.read_text().splitlines()]
    except OSError as error:
        raise CliError(f"cannot read {file}: {error.strerror}") from error
    pairs = [line.partition("=") for line in lines if line and not line.startswith("#")]
    if any(not equals for _, equals, _ in pairs):
        raise CliError(f"{file} must have lines such as AWS_ACCESS_KEY_ID=…")
    return {name.removeprefix("export ").strip(): value.strip().strip("\"'") for name, _, value in pairs}
