"""What kopf takes for its HTTP session: lists of watched resources are made by the operator itself, all else goes to the apiserver.

Kopf would hand a list's objects to its handlers one by one, through a task and a queue each. The operator reads whole pages instead
and tells kopf only where its watch begins: docs/adr/0009-kopf-watches-we-list.md.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp

from slipway.cluster.http import ApiError, ApiServer
from slipway.cluster.resources import Resource

Begin = Callable[[Resource, str | None], Awaitable[str]]
"""Sees to it that a resource (of a namespace) is listed, and returns the resourceVersion to watch from."""


class Session:
    """The part of `aiohttp.ClientSession` that kopf uses."""

    closed = False

    def __init__(self, server: ApiServer, collections: Mapping[str, tuple[Resource, str | None]], begin: Begin) -> None:
        self.headers: dict[str, str] = {}
        self._server = server
        self._collections = collections
        self._begin = begin

    async def request(self, *, method: str, url: str, **options: Any) -> aiohttp.ClientResponse | EmptyList:
        """An answer of the apiserver, or an empty list with the resourceVersion of ours."""
        parts = urlsplit(url)
        asked = self._collections.get(parts.path) if method.upper() == "GET" else None
        if "watch" in parse_qs(parts.query):
            return await self._watch(url, **options)
        if asked is None:
            return await self._server.open(method.upper(), url, **options)
        try:
            return EmptyList(await self._begin(*asked))
        except ApiError as error:
            raise aiohttp.ClientConnectionError(f"listing {asked[0].plural}: {error}") from error  # kopf asks again

    async def _watch(self, url: str, **options: Any) -> aiohttp.ClientResponse:
        """A stream. An apiserver (or a proxy before it) that answers 503 for long, or a right that is missing, would end kopf for good."""
        response = await self._server.open("GET", url, **options)
        if response.status in (403, 429) or response.status >= 500:
            response.release()
            raise aiohttp.ClientConnectionError(f"watching: {response.status} {response.reason}")  # kopf asks again, for ever
        return response

    async def close(self) -> None:
        """Nothing to do: the transport belongs to the process."""


class EmptyList:
    """The answer to a list request."""

    status = 200

    def __init__(self, version: str) -> None:
        self._version = version

    async def json(self) -> dict[str, Any]:
        return {"items": [], "metadata": {"resourceVersion": self._version}}

    async def __aenter__(self) -> EmptyList:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None
