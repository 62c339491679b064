"""A bucket, or a folder in one. Every call ends within `SECONDS`, with the object, or with a typed error."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import aiohttp
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore.exceptions import BotoCoreError, ClientError

from slipway.objectstore.errors import AlreadyThere, Missing, StoreError, StoreUnavailable

SECONDS = 20.0
"""For one call with its repetitions."""
CONNECTIONS = 16
PAGE = 1000
CONFLICT_TRIES = 5
"""AWS answers 409 to a conditional put that met another one under way: its outcome is known after a moment."""
LOCAL = ("http://127.", "http://localhost", "https://127.", "https://localhost")
MISSING = frozenset({"NoSuchKey", "404", "NotFound"})


class S3Store:
    """The objects of `bucket` below `prefix`; keys are relative to it."""

    def __init__(self, client: Any, bucket: str, prefix: str = "") -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""

    @classmethod
    @asynccontextmanager
    async def opened(cls, bucket: str, prefix: str = "", secret: Mapping[str, str] | None = None) -> AsyncIterator[S3Store]:
        """The store, with its connections, which end with the context.

        `secret`: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, `AWS_REGION`, `AWS_ENDPOINT_URL`, `AWS_CA_BUNDLE` (a
        path, or the certificates themselves). What is left out is found as the AWS tools find it.
        """
        given = dict(secret or {})
        async with AsyncExitStack() as stack:
            bundle = given.get("AWS_CA_BUNDLE", "")
            if "-----BEGIN" in bundle:
                file = stack.enter_context(tempfile.NamedTemporaryFile("w", prefix="slipway-ca-", suffix=".crt"))  # noqa: SIM115
                file.write(bundle)
                file.flush()
                bundle = file.name
            client = get_session().create_client(
                "s3",
                aws_access_key_id=given.get("AWS_ACCESS_KEY_ID"),
                aws_secret_access_key=given.get("AWS_SECRET_ACCESS_KEY"),
                aws_session_token=given.get("AWS_SESSION_TOKEN"),
                region_name=given.get("AWS_REGION"),
                endpoint_url=given.get("AWS_ENDPOINT_URL"),
                verify=bundle or None,
                config=_config(given.get("AWS_ENDPOINT_URL") or ""),
            )
            yield cls(await stack.enter_async_context(client), bucket, prefix)

    def below(self, folder: str) -> S3Store:
        """A folder of this store, over the same connections."""
        return S3Store(self._client, self._bucket, f"{self._prefix}{folder}")

    def uri(self, key: str = "") -> str:
        """The object's address for people."""
        return f"s3://{self._bucket}/{self._prefix}{key}"

    async def create(self, key: str, body: bytes) -> None:
        """Put the object only if there is none. Raises AlreadyThere; when StoreUnavailable, it may be there or come yet."""
        for tries_left in reversed(range(CONFLICT_TRIES)):
            try:
                await self._put(key, body, IfNoneMatch="*")
                return
            except _Conflict as error:
                if not tries_left:
                    raise StoreUnavailable(error.uri, error.cause) from error
                await asyncio.sleep(0.05)

    async def put(self, key: str, body: bytes) -> None:
        """Put the object, over whatever is there."""
        await self._put(key, body)

    async def _put(self, key: str, body: bytes, **condition: str) -> None:
        """With its checksum: a bucket whose object lock has a default retention takes nothing without, and old stores know this one."""
        digest = base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
        try:
            await self._call("put_object", key, Body=body, ContentMD5=digest, **condition)
        except Missing as error:  # no bucket, or a store that is just coming up
            raise StoreUnavailable(error.uri, f"the store has no place for it: {error.cause}") from error

    async def get(self, key: str) -> bytes:
        """The object's bytes. Raises Missing."""
        content: bytes = await self._call("get_object", key)
        return content

    async def size(self, key: str) -> int:
        """The object's bytes' number. Raises Missing."""
        return int((await self._call("head_object", key))["ContentLength"])

    async def exists(self, key: str) -> bool:
        """Whether there is such an object."""
        try:
            await self.size(key)
        except Missing:
            return False
        return True

    async def list(self, folder: str = "", start_after: str = "") -> AsyncIterator[str]:
        """Keys below `folder`, in order, those after `start_after`."""
        more: dict[str, Any] = {"StartAfter": self._prefix + start_after} if start_after else {}
        while True:
            try:
                page = await self._call("list_objects_v2", folder, MaxKeys=PAGE, **more)
            except Missing:  # so some stores call a folder without objects
                return
            for item in page.get("Contents", []):
                yield item["Key"].removeprefix(self._prefix)
            if not page.get("IsTruncated"):
                return
            more = {"ContinuationToken": page["NextContinuationToken"]}

    async def delete(self, key: str) -> None:
        """Remove the object, if it is there."""
        await self._call("delete_object", key)

    async def _call(self, method: str, key: str, **arguments: Any) -> Any:
        name = "Prefix" if method == "list_objects_v2" else "Key"
        try:
            async with asyncio.timeout(SECONDS):
                answer = await getattr(self._client, method)(Bucket=self._bucket, **{name: self._prefix + key}, **arguments)
                if method == "get_object":
                    async with answer["Body"] as body:
                        return await body.read()
                return answer
        except ClientError as error:
            raise _refused(self.uri(key), error, conditional="IfNoneMatch" in arguments) from error
        except TimeoutError as error:
            raise StoreUnavailable(self.uri(key), f"no answer within {SECONDS:g} s") from error
        except (BotoCoreError, aiohttp.ClientError, OSError) as error:
            raise StoreUnavailable(self.uri(key), _one_line(error)) from error


class _Conflict(StoreError):
    """Another conditional put on the same object is under way."""


def _config(endpoint: str) -> AioConfig:
    options: dict[str, Any] = {"proxies": {}} if endpoint.startswith(LOCAL) else {}  # no proxy leads to this very machine
    return AioConfig(
        connect_timeout=5,
        read_timeout=10,
        max_pool_connections=CONNECTIONS,
        retries={"total_max_attempts": 3, "mode": "standard"},
        s3={"addressing_style": "path" if endpoint else "auto"},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        **options,
    )


def _refused(uri: str, error: ClientError, *, conditional: bool) -> StoreError:
    status = int(error.response["ResponseMetadata"].get("HTTPStatusCode", 0))
    code = str(error.response.get("Error", {}).get("Code", ""))
    cause = f"{code}: {_one_line(error)}"
    if conditional and status == 412:
        return AlreadyThere(uri, "an object is there already")
    if conditional and status == 409:
        return _Conflict(uri, cause)
    if status == 404 and code in MISSING:
        return Missing(uri, "no such object")
    return StoreUnavailable(uri, cause)


def _one_line(error: BaseException) -> str:
    return " ".join(f"{error}".split()) or type(error).__name__
