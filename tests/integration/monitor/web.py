"""A real HTTP server that takes messages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.wait import free_port


@dataclass
class Web:
    """An HTTP server that answers with `answers`, then 200."""

    url: str
    answers: list[int] = field(default_factory=list)
    taken: list[tuple[dict[str, str], Any]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        self.taken.append((dict(request.headers), await request.json()))
        status = self.answers.pop(0) if self.answers else 200
        return web.Response(status=status, headers={"Location": "/elsewhere"} if 300 <= status < 400 else {})


@asynccontextmanager
async def listening() -> AsyncIterator[Web]:
    """A server until the context ends."""
    port = free_port()
    known = Web(f"http://127.0.0.1:{port}/services/T0/s3cret")
    application = web.Application()
    application.router.add_post("/{path:.*}", known.answer)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    yield known
    await runner.cleanup()
