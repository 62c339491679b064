"""The reference rows of a version: a Parquet file of the platform's object store, whose digest is checked before it is read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import obstore
import pyarrow as pa
import pyarrow.parquet as pq

from slipway.collector.log.place import open_store
from slipway.collector.settings import LogPlace
from slipway.monitor.baseline.names import as_logged
from slipway.objectstore.places import split_uri

LARGEST = 2**30
"""Bytes of the file; `push` takes no more."""
CHUNK = 2**20


class Unusable(Exception):
    """These reference rows cannot be compared with; the message says why."""


@dataclass(frozen=True)
class Stated:
    """`spec.baseline` of a ModelVersion, and its namespace."""

    namespace: str
    uri: str
    digest: str


def own(place: LogPlace | None, namespace: str, uri: str) -> tuple[LogPlace, str, str]:
    """The store, bucket and key. The platform's credentials open what every tenant has there, and a tenant writes `uri`: so it must be
    below the namespace's own folder. Raises Unusable: it is not.
    """
    if place is None or not place.uri:
        raise Unusable("the platform has no object store, so that reference rows cannot be read")
    folder = f"{place.uri.rstrip('/')}/{namespace}/"
    if not uri.startswith(folder) or ".." in uri.split("/"):
        raise Unusable(f"spec.baseline.uri of the version must begin with {folder}, as `kubectl slipway push --baseline` writes it")
    bucket, key = split_uri(uri)
    return place, bucket, key


def fetch(stated: Stated, place: LogPlace | None, folder: Path) -> Path:
    """The file, with the digest that the version says. Raises Unusable, and whatever the store does."""
    uri, digest = stated.uri, stated.digest
    opened, bucket, key = own(place, stated.namespace, uri)
    answer = obstore.get(open_store(opened, f"s3://{bucket}"), key)
    if answer.meta["size"] > LARGEST:
        raise Unusable(f"{uri} takes {answer.meta['size'] >> 20} MiB, more than {LARGEST >> 20}")
    path, seen = folder / "baseline.parquet", hashlib.sha256()
    with path.open("wb") as file:
        for chunk in answer.stream(min_chunk_size=CHUNK):
            seen.update(chunk)
            file.write(chunk)
    if f"sha256:{seen.hexdigest()}" != digest:
        path.unlink()
        raise Unusable(f"{uri} is not what the version was pushed with: sha256:{seen.hexdigest()} instead of {digest}")
    return path


def types_in(path: Path) -> dict[str, pa.DataType]:
    """The file's columns with their types. Raises Unusable."""
    return {field.name: field.type for field in _opened(path).schema_arrow}


def batches(path: Path, names: Mapping[str, str], types: Mapping[str, pa.DataType]) -> Iterator[pa.RecordBatch]:
    """The rows, under the log's names and in its types."""
    for batch in _opened(path).iter_batches():
        yield as_logged(batch, names, types)


def _opened(path: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path)
    except pa.ArrowException as error:
        raise Unusable(f"the reference rows are no Parquet file: {error}") from error
