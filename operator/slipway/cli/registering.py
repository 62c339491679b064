"""The order in which `push` does things: everything that can be refused is asked before the first byte is sent."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from slipway.cli.artifact import manifest, signing, store, upload
from slipway.cli.artifact.baseline import beside
from slipway.cli.artifact.describe import Described, Wanted, describe
from slipway.cli.artifact.files import Artifact
from slipway.cli.artifact.tunnel import tunnel
from slipway.cli.cluster import SLIPWAY, Access, ApiError, Cluster, Json, connect, path
from slipway.cli.errors import CliError
from slipway.cli.options import Format
from slipway.cli.output import as_text, console, manifests, note
from slipway.cli.stamping import checked


def register(
    wanted: Wanted, access: Access, to: str | None, secret: str | None, sign: Path | None = None, *, dry_run: bool, output: Format | None
) -> None:
    """Describe, check, upload, register. Doing it twice is doing it once; a version that is there can be signed later, or again."""
    described = describe(wanted)
    signature = signing.sign(sign, f"{wanted.model}-{wanted.version}", described.artifact) if sign else None
    cluster = connect(access)
    new_model = _model(cluster, wanted)
    place = store.find(cluster, to) if described.has_bytes else None
    way = store.access(cluster, place, secret) if place else None
    uri = place.folder(cluster.namespace, wanted.model, wanted.version) if place else None
    version = manifest.model_version(cluster.namespace, described.placed(uri, way.pods_secret if way else None))

    if existing := cluster.get(_versions(cluster, version["metadata"]["name"])):
        _expect_same(cluster, wanted, existing, version)
        if signature and place and way and uri and not dry_run:
            _expect_there(existing, uri)
            with _files(place, way, access) as files:
                _put_signature(signature, uri, files)
        _tell(existing, output, f"ModelVersion {existing['metadata']['name']} is there already, with the same bytes.")
        return
    objects = [new_model, version] if new_model else [version]
    stamped_model = checked(cluster, path(SLIPWAY, "models", cluster.namespace), new_model) if new_model else None
    stamped_version = checked(cluster, _versions(cluster), version)
    if dry_run:
        print(as_text(version, output) if output is Format.JSON else manifests(objects))
        return

    if place and way and uri:
        if described.artifact:
            _let_pods_read(cluster, way, uri)
        with _files(place, way, access) as files:
            if described.artifact:
                _upload(described.artifact, uri, files)
            if described.baseline:
                upload.put_baseline(files, beside(uri), described.baseline)
            if signature:
                _put_signature(signature, uri, files)
    made = _create(cluster, wanted, stamped_model, stamped_version)
    _tell(made, output, _done(cluster, described, made))


def _let_pods_read(cluster: Cluster, way: store.Access, uri: str) -> None:
    if way.to_copy and store.copy_secret(cluster, way.credentials or {}):
        note(f"Secret {store.COPY} written to namespace {cluster.namespace}: pods read the store with it.")
    if way.pods_secret is None:
        note(f"No --secret given: pods will read {uri} without credentials.")


def _versions(cluster: Cluster, name: str | None = None) -> str:
    return path(SLIPWAY, "modelversions", cluster.namespace, name)


def _model(cluster: Cluster, wanted: Wanted) -> Json | None:
    """None when the Model exists, the Model to create with `--task`, or else an error with the YAML to apply."""
    existing = cluster.get(path(SLIPWAY, "models", cluster.namespace, wanted.model))
    if existing is not None:
        if wanted.task and existing["spec"].get("task") != wanted.task:
            note(f"Model {wanted.model} exists with task {existing['spec'].get('task')}: --task changes nothing.")
        return None
    if wanted.task:
        return manifest.model(wanted.model, cluster.namespace, wanted.task)
    example = manifests([manifest.model(wanted.model, cluster.namespace, manifest.TASKS[0])])
    raise CliError(
        f"no Model {wanted.model} in namespace {cluster.namespace}: push again with --task {'|'.join(manifest.TASKS)}, "
        f"or apply this with the task that fits:\n{example}"
    )


def _expect_same(cluster: Cluster, wanted: Wanted, existing: Json, version: Json) -> None:
    if manifest.same(existing, version):
        return
    taken = [item["spec"]["version"] for item in cluster.list(_versions(cluster)) if item["spec"]["model"] == wanted.model]
    raise CliError(
        f"ModelVersion {existing['metadata']['name']} exists with other content "
        f"({existing['spec'].get('artifact', {}).get('digest', 'no artifact')}, baseline "
        f"{existing['spec'].get('baseline', {}).get('digest', 'none')}), and versions are immutable: "
        f"push as --version {manifest.next_version(taken, wanted.version)}"
    )


def _expect_there(existing: Json, uri: str) -> None:
    """A signature of a version that is there belongs beside its bytes, wherever they are."""
    there = existing["spec"]["artifact"]["uri"]
    if there.rstrip("/") != uri.rstrip("/"):
        raise CliError(
            f"the bytes of ModelVersion {existing['metadata']['name']} are at {there}, not at {uri}: name their store with --to, "
            f"or put a signature of model-signing at {there.rstrip('/')}.sig"
        )


@contextmanager
def _files(place: store.Store, way: store.Access, access: Access) -> Iterator[Any]:
    """The store's file system: through a tunnel if it is inside the cluster."""
    if not place.embedded:
        yield upload.filesystem(way.credentials, None)
        return
    with tunnel(store.platform_namespace(), "slipway-object-store", 9000, access.kubectl_flags) as port:
        yield upload.filesystem(way.credentials, f"http://127.0.0.1:{port}")


def _put_signature(signature: bytes, uri: str, files: Any) -> None:
    note(f"Signed: {upload.put_signature(files, uri, signature)}")


def _upload(artifact: Artifact, uri: str, files: Any) -> None:
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = TextColumn("Uploading"), BarColumn(), DownloadColumn(), TransferSpeedColumn()
    with Progress(*columns, console=console(sys.stderr), disable=not sys.stderr.isatty()) as progress:
        bar = progress.add_task("", total=artifact.size)
        upload.upload(files, uri, artifact, lambda count: progress.advance(bar, count))


def _create(cluster: Cluster, wanted: Wanted, new_model: Json | None, version: Json) -> Json:
    """Create the objects; another push of the same may have come first."""
    try:
        if new_model:
            cluster.create(path(SLIPWAY, "models", cluster.namespace), new_model)
    except ApiError as error:
        if error.code != 409:
            raise
    try:
        return cluster.create(_versions(cluster), version)
    except ApiError as error:
        existing = cluster.get(_versions(cluster, version["metadata"]["name"])) if error.code == 409 else None
        if existing is None:
            raise
        _expect_same(cluster, wanted, existing, version)
        return existing


def _done(cluster: Cluster, described: Described, made: Json) -> str:
    spec = made["spec"]
    bytes_line = f"{described.artifact.digest}\n{spec['artifact']['uri']}\n" if described.artifact else ""
    if described.baseline:
        bytes_line += f"Baseline: {described.baseline.rows} rows of {', '.join(described.baseline.columns)}\n"
    return (
        f"ModelVersion {made['metadata']['name']} registered in namespace {cluster.namespace}.\n{bytes_line}"
        f'Serve it: set spec.version of a ModelDeployment to "{spec["version"]}".'
    )


def _tell(version: Json, output: Format | None, message: str) -> None:
    version["metadata"].pop("managedFields", None)
    print(as_text(version, output) if output else message)
