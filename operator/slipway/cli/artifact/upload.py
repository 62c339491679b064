"""Upload to S3. Objects that are there are never overwritten: the same bytes count as uploaded, others are an error."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from slipway.cli.artifact.baseline import Baseline
from slipway.cli.artifact.files import Artifact, File
from slipway.cli.errors import CliError

CHUNK = 4 << 20
"""Bytes read at a time from the store."""
PART = 16 << 20
"""Bytes a part of a large file: small enough for a progress bar that moves."""
LARGE = 64 << 30
"""From here on parts grow, as S3 takes at most 10,000 of them."""

Advance = Callable[[int], None]


def filesystem(credentials: dict[str, str] | None, endpoint: str | None = None) -> Any:
    """An s3fs file system: with `credentials`, else as the AWS tools find them; `endpoint` wins over theirs."""
    import s3fs

    values = credentials or {}
    url = endpoint or values.get("AWS_ENDPOINT_URL") or None
    region = values.get("AWS_REGION") or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    client = {"region_name": region} if region else {}
    if values.get("ca.crt"):
        client["verify"] = _ca_file(values["ca.crt"])
    # The tunnel is on this machine: no proxy leads there.
    config: dict[str, Any] = {"connect_timeout": 10} | ({"proxies": {}} if endpoint else {})
    return s3fs.S3FileSystem(
        key=values.get("AWS_ACCESS_KEY_ID"),
        secret=values.get("AWS_SECRET_ACCESS_KEY"),
        token=values.get("AWS_SESSION_TOKEN"),
        endpoint_url=url,
        client_kwargs=client,
        config_kwargs=config,
        use_listings_cache=False,
        skip_instance_cache=True,
        max_concurrency=4,
    )


def _ca_file(pem: str) -> str:
    with tempfile.NamedTemporaryFile("w", prefix="slipway-ca-", suffix=".crt", delete=False) as file:
        file.write(pem)
    return file.name


def upload(store: Any, uri: str, artifact: Artifact, advance: Advance) -> None:
    """Put the artifact's files under the folder `uri`, telling `advance` of each byte that is there."""
    folder = uri.removeprefix("s3://")
    with _clear_errors(uri):
        present = {name.removeprefix(folder): int(info["size"]) for name, info in store.find(folder, detail=True).items()}
        foreign = sorted(present.keys() - {file.name for file in artifact.files})
        if foreign:
            raise CliError(f"{uri} holds other files already ({foreign[0]}): choose the next version, or delete them")
        for file in artifact.files:
            if file.name in present or not _create(store, folder + file.name, file, advance):
                _expect_same(store, folder + file.name, file, present.get(file.name))
                advance(file.size)


def put_signature(store: Any, uri: str, signature: bytes) -> str:
    """Put the signature beside the folder `uri`, in the place of an earlier one; its URI."""
    beside = f"{uri.rstrip('/')}.sig"
    with _clear_errors(beside):
        store.pipe_file(beside.removeprefix("s3://"), signature)
    return beside


def put_baseline(store: Any, uri: str, baseline: Baseline) -> None:
    """Put the reference rows at `uri`, unless they are there. Raises CliError where others are."""
    key = uri.removeprefix("s3://")
    with _clear_errors(uri):
        try:
            store.pipe_file(key, baseline.content, mode="create")
        except OSError as error:
            if not _is_conflict(error):
                raise
            if f"sha256:{_sha256(store, key)}" != baseline.digest:
                raise CliError(f"{uri} is there already with other rows, and is left as it is: choose the next version") from error


def _create(store: Any, key: str, file: File, advance: Advance) -> bool:
    """Upload a file unless an object is there, which another push may have put since we looked: then False."""
    from fsspec.callbacks import Callback

    callback = Callback()
    sent = 0

    def relative_update(count: int = 1) -> None:
        nonlocal sent
        sent += count
        advance(count)

    callback.relative_update = relative_update
    part = PART if file.size < LARGE else None
    try:
        store.put_file(str(file.path), key, callback=callback, mode="create", chunksize=part)
    except OSError as error:
        if not _is_conflict(error):
            raise
        advance(-sent)
        return False
    return True


def _is_conflict(error: OSError) -> bool:
    """Whether the store answered 412: an object is there."""
    response = getattr(error.__cause__, "response", None) or {}
    return bool(response.get("ResponseMetadata", {}).get("HTTPStatusCode") == 412)


def _expect_same(store: Any, key: str, file: File, size: int | None) -> None:
    if size in (None, file.size) and _sha256(store, key) == file.sha256:
        return
    raise CliError(f"s3://{key} is there already with other bytes, and is left as it is: choose the next version")


def _sha256(store: Any, key: str) -> str:
    hasher = hashlib.sha256()
    with store.open(key, "rb", block_size=CHUNK, cache_type="readahead") as stream:
        while piece := stream.read(CHUNK):
            hasher.update(piece)
    return hasher.hexdigest()


@contextmanager
def _clear_errors(uri: str) -> Iterator[None]:
    """The store's errors as one line that says what to do."""
    from botocore import exceptions

    bucket = uri.removeprefix("s3://").partition("/")[0]
    try:
        yield
    except exceptions.NoCredentialsError as error:
        raise CliError(f"no credentials for {uri}: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_ENDPOINT_URL)") from error
    except (exceptions.HTTPClientError, exceptions.ConnectionError) as error:
        raise CliError(
            f"cannot reach the store of {uri} ({error}): check AWS_ENDPOINT_URL, then push again; what is uploaded is kept"
        ) from error
    except PermissionError as error:
        raise CliError(f"the store refused to write to {uri} ({error}): check the credentials") from error
    except FileNotFoundError as error:
        raise CliError(f"no bucket {bucket}: create it, or choose another with --to") from error
    except OSError as error:
        raise CliError(f"the store failed at {uri} ({error}): push again; what is uploaded is kept") from error
