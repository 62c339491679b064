"""An old view: lists answered as they were some time ago, watches silent, as a lagging apiserver's cache would have it."""

from __future__ import annotations

import asyncio
import gzip
import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Asked = tuple[str, tuple[tuple[str, str], ...]]
"""A list request: its path with query, and the headers that go on."""


@dataclass
class Answer:
    """An answer of the apiserver, kept."""

    status: int
    body: bytes
    headers: dict[str, str]

    def response(self) -> web.Response:
        return web.Response(status=self.status, body=self.body, headers=self.headers)

    def items(self) -> Any:
        """A list's objects."""
        packed = self.headers.get("Content-Encoding") == "gzip"
        return json.loads(gzip.decompress(self.body) if packed else self.body)["items"]


@dataclass
class OldView:
    """Kept answers by path and `Accept`. Only while `served` is set are they given instead of the apiserver's."""

    asked: dict[tuple[str, str], Asked] = field(default_factory=dict)
    """Every list request that came by."""
    kept: dict[tuple[str, str], Answer] = field(default_factory=dict)
    served: bool = False
    given: int = 0
    """Old answers given so far."""
    released: asyncio.Event = field(default_factory=asyncio.Event)

    def note(self, request: web.Request, headers: dict[str, str]) -> None:
        self.asked[_key(request)] = (request.raw_path, tuple(headers.items()))

    def answer(self, request: web.Request) -> web.Response | None:
        """The old answer to this list request, while the old view is served."""
        old = self.kept.get(_key(request)) if self.served else None
        if old is None:
            return None
        self.given += 1
        return old.response()


def _key(request: web.Request) -> tuple[str, str]:
    return request.raw_path, request.headers.get("Accept", "")
