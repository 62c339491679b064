"""Artifacts on a PersistentVolumeClaim (`pvc://CLAIM/PATH`), mounted read-only beside the fetch."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import FileIO
from pathlib import Path
from urllib.parse import unquote, urlsplit

from slipway_runtime.failure import ArtifactAccessDenied, ArtifactInvalid, ArtifactNotFound
from slipway_runtime.fetch.digest import CHUNK_BYTES, artifact_files
from slipway_runtime.fetch.settings import FetchSettings
from slipway_runtime.fetch.source import Body, RemoteFile


class ClaimSource:
    """A file or a folder of a mounted claim."""

    def __init__(self, settings: FetchSettings) -> None:
        self._uri = settings.public_uri
        split = urlsplit(settings.uri)
        self._mount = settings.claims / split.netloc
        self._root = self._mount / unquote(split.path).lstrip("/")

    async def files(self) -> list[RemoteFile]:
        """All files below the path. A path that leaves the claim, by `..` or through a symlink, is refused."""
        try:
            if not self._root.resolve(strict=True).is_relative_to(self._mount.resolve()):
                raise ArtifactInvalid(f"{self._uri} leads out of its claim: name a path inside")
            return [RemoteFile(name, str(path), None) for name, path in artifact_files(self._root)]
        except FileNotFoundError:
            raise ArtifactNotFound(f"{self._uri} does not exist: check the claim and the path") from None
        except PermissionError as error:
            raise _denied(error.filename) from error

    @asynccontextmanager
    async def read(self, file: RemoteFile, offset: int) -> AsyncIterator[Body]:
        """The file from the offset on."""
        try:
            with Path(file.key).open("rb", buffering=0) as content:  # noqa: ASYNC230 (a local disk)
                content.seek(offset)
                yield Body(offset, os.fstat(content.fileno()).st_size, _chunks(content))
        except PermissionError as error:
            raise _denied(file.key) from error


async def _chunks(content: FileIO) -> AsyncIterator[bytes]:
    while chunk := content.read(CHUNK_BYTES):
        yield chunk


def _denied(path: str) -> ArtifactAccessDenied:
    return ArtifactAccessDenied(f"{path} may not be read by uid 65532: make it readable for others")
