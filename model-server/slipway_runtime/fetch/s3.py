"""Artifacts in an S3 object store (`s3://BUCKET/KEY`, `s3://BUCKET/PREFIX/`), AWS or any other by AWS_ENDPOINT_URL."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp
import s3fs
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError, SSLError

from slipway_runtime.failure import ArtifactAccessDenied, ArtifactInvalid, ArtifactNotFound, Failure, FetchFailed
from slipway_runtime.fetch.digest import CHUNK_BYTES
from slipway_runtime.fetch.settings import FetchSettings
from slipway_runtime.fetch.source import Body, PassingFault, RemoteFile
from slipway_runtime.fetch.tls import tls_context, trusted_bundle

PASSING_STATUS = frozenset({408, 409, 416, 425, 429})
UNKNOWN_USER = frozenset({"XAdminUserNotFound"})  # versitygw answers 404 for an access key it does not know
CREDENTIAL_SOURCES = (
    "AWS_ACCESS_KEY_ID",
    "AWS_PROFILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)


class S3Source:
    """An object, or all objects below a prefix; read with the credentials of the environment, else anonymously."""

    def __init__(self, settings: FetchSettings, file_system: s3fs.S3FileSystem) -> None:
        self._settings = settings
        self._s3 = file_system
        self._bucket, _, self._key = settings.uri.removeprefix("s3://").partition("/")

    @classmethod
    @asynccontextmanager
    async def opened(cls, settings: FetchSettings) -> AsyncIterator[S3Source]:
        """The source with its connections, which end with the context."""
        with TemporaryDirectory() as folder:
            if ca := settings.secret.get("ca.crt"):
                tls_context(ca)  # a broken ca.crt is named before botocore stumbles over it
                bundle = Path(folder, "ca.pem")
                bundle.write_text(trusted_bundle(ca))
                os.environ["AWS_CA_BUNDLE"] = str(bundle)
            file_system = _file_system()
            try:
                yield cls(settings, file_system)
            finally:
                if file_system._s3 is not None:
                    await file_system._s3.close()

    async def files(self) -> list[RemoteFile]:
        """The object, or the objects below the prefix; zero-byte folder markers are left out."""
        if not self._bucket:
            raise ArtifactInvalid(f"{self._settings.public_uri} names no bucket: write s3://BUCKET/KEY")
        if self._key and not self._key.endswith("/") and (size := await self._object_size()) is not None:
            return [RemoteFile(PurePosixPath(self._key).name, self._key, size)]
        prefix = self._key if self._key.endswith("/") or not self._key else f"{self._key}/"
        files = [
            RemoteFile(item["Key"][len(prefix) :], item["Key"], item["Size"])
            async for item in self._list(prefix)
            if not (item["Key"].endswith("/") and item["Size"] == 0)
        ]
        if not files:
            raise ArtifactNotFound(f"nothing is stored at {self._settings.public_uri}: check the URI, or push again")
        return files

    @asynccontextmanager
    async def read(self, file: RemoteFile, offset: int) -> AsyncIterator[Body]:
        """The object from the offset on."""
        byte_range = {"Range": f"bytes={offset}-"} if offset and offset != file.size else {}
        answer = await self._call("get_object", Key=file.key, **byte_range)
        start = offset if "ContentRange" in answer else 0
        try:
            async with answer["Body"] as content:
                yield Body(start, start + answer["ContentLength"], content.iter_chunks(CHUNK_BYTES))
        except (TimeoutError, aiohttp.ClientError, BotoCoreError, ConnectionError) as error:
            raise PassingFault(f"{self._settings.public_uri}: {error or type(error).__name__}") from error

    async def _object_size(self) -> int | None:
        try:
            return int((await self._call("head_object", Key=self._key))["ContentLength"])
        except ArtifactNotFound:
            return None

    async def _list(self, prefix: str) -> AsyncIterator[dict[str, Any]]:
        token: dict[str, str] = {}
        while True:
            page = await self._call("list_objects_v2", Prefix=prefix, **token)
            for item in page.get("Contents", []):
                yield item
            if not page.get("IsTruncated"):
                return
            token = {"ContinuationToken": page["NextContinuationToken"]}

    async def _call(self, method: str, **arguments: str) -> Any:
        try:
            return await self._s3._call_s3(method, Bucket=self._bucket, **arguments)
        except Exception as error:
            raise self._translated(error) from error

    def _translated(self, error: Exception) -> Exception:
        uri = self._settings.public_uri
        if isinstance(error, FileNotFoundError):
            return ArtifactNotFound(f"nothing is stored at {uri} ({error}): check the URI, or push again")
        status, code = _answer(error)
        if (
            isinstance(error, (PermissionError, NoCredentialsError, PartialCredentialsError))
            or status in (401, 403)
            or code in UNKNOWN_USER
        ):
            return self._denied(error)
        if isinstance(error, SSLError):
            return FetchFailed(f"TLS with the object store failed ({error}): give its CA as ca.crt in the Secret")
        if status >= 500 or status in PASSING_STATUS or (not status and _is_connection_fault(error)):
            return PassingFault(f"{uri}: {error or type(error).__name__}")
        return FetchFailed(f"{uri}: {error}: check the URI, AWS_ENDPOINT_URL and AWS_REGION")

    def _denied(self, error: Exception) -> Failure:
        if any(key in os.environ for key in CREDENTIAL_SOURCES):
            advice = f"give the credentials of the Secret {self._settings.secret_name} read access (s3:GetObject, s3:ListBucket)"
        else:
            advice = "name a Secret with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in spec.artifact.secretName"
        return ArtifactAccessDenied(f"{self._settings.public_uri} may not be read ({error}): {advice}")


def _file_system() -> s3fs.S3FileSystem:
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
    file_system = s3fs.S3FileSystem(
        anon=not any(key in os.environ for key in CREDENTIAL_SOURCES),
        endpoint_url=endpoint,
        client_kwargs={"region_name": region},
        config_kwargs={
            "s3": {"addressing_style": "path" if endpoint else "auto"},
            "connect_timeout": 15,
            "read_timeout": 60,
            "retries": {"total_max_attempts": 1},  # download.persist repeats, and resumes
            "response_checksum_validation": "when_required",  # the artifact's digest covers every byte
        },
        asynchronous=True,
        skip_instance_cache=True,
    )
    file_system.retries = 1
    return file_system


def _answer(error: BaseException) -> tuple[int, str]:
    """The HTTP status and S3 code behind an error of s3fs, which keeps botocore's as its cause; (0, "") when no answer came."""
    cause = error if isinstance(error, ClientError) else error.__cause__
    if not isinstance(cause, ClientError):
        return 0, ""
    return int(cause.response["ResponseMetadata"]["HTTPStatusCode"]), str(cause.response["Error"].get("Code"))


def _is_connection_fault(error: Exception) -> bool:
    return isinstance(error, (BotoCoreError, aiohttp.ClientError, OSError, asyncio.TimeoutError))
