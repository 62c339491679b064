"""What every place that holds artifacts offers: the list of its files, and one file's bytes from an offset on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol


class PassingFault(Exception):
    """A fault that a later attempt may not meet: a broken connection, a server error, a truncated answer."""


@dataclass(frozen=True)
class RemoteFile:
    """A file of the artifact where it is stored."""

    name: str
    """Its path in the artifact."""
    key: str
    """Its address in the source."""
    size: int | None
    """In bytes; None when only the download tells."""


@dataclass(frozen=True)
class Body:
    """The bytes of one file, as a source answers a read."""

    offset: int
    """Where the bytes begin: the asked offset, or 0 where the source cannot resume."""
    size: int | None
    """Of the whole file; None when the source does not say."""
    chunks: AsyncIterator[bytes]


class Source(Protocol):
    """A place that holds an artifact.

    Raises PassingFault for what is worth another attempt, a Failure for what is not.
    """

    async def files(self) -> list[RemoteFile]:
        """All files of the artifact; never empty."""

    def read(self, file: RemoteFile, offset: int) -> AbstractAsyncContextManager[Body]:
        """A file's bytes from an offset on."""
