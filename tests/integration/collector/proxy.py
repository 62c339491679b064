"""A proxy between collectors and their store that does what networks and crashes do, put by put."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import aiohttp
from aiohttp import web
from yarl import URL

When = Literal["before", "after", "lost"]
"""A put that strikes: its sender dies before it arrives, or after; or it arrives, and only the answer is lost."""
DROPPED = {"host", "connection", "transfer-encoding", "content-length", "content-encoding", "expect"}


@dataclass
class Strike:
    """What happens at put number `at` (from 0) since it was set."""

    at: int
    when: When
    kill: Callable[[], object]


@dataclass
class StoreProxy:
    """Runs in a thread of its own, over the store at port `upstream`."""

    upstream: int
    puts: list[str] = field(default_factory=list)
    """Paths of the puts since `watch`."""
    strike: Strike | None = None
    down: bool = False
    """No answer: connections are cut."""
    tls: ssl.SSLContext | None = None
    port: int = 0

    def __enter__(self) -> StoreProxy:
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._started.wait(60)
        return self

    def __exit__(self, *error: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)

    def watch(self, strike: Strike | None = None) -> None:
        """Begins to count puts anew."""
        self.puts, self.strike = [], strike

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._started.set()
        self._loop.run_forever()
        self._loop.run_until_complete(self._end())

    async def _serve(self) -> None:
        self._session = aiohttp.ClientSession(auto_decompress=False, connector=aiohttp.TCPConnector(limit=0))
        app = web.Application(client_max_size=2**28)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self.tls).start()
        self.port = self._runner.addresses[0][1]

    async def _end(self) -> None:
        await self._session.close()
        await self._runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        if self.down:
            return _cut(request)
        strike = self._struck(request)
        if strike and strike.when == "before":
            strike.kill()
            return _cut(request)
        answer = await self._forward(request, body)
        if strike:
            strike.kill()
            return _cut(request)
        return answer

    def _struck(self, request: web.Request) -> Strike | None:
        if request.method not in ("PUT", "POST"):
            return None
        self.puts.append(request.path)
        return self.strike if self.strike and len(self.puts) - 1 == self.strike.at else None

    async def _forward(self, request: web.Request, body: bytes) -> web.Response:
        headers = {name: value for name, value in request.headers.items() if name.lower() not in DROPPED}
        headers["Host"] = request.headers["Host"]  # it is signed
        url = URL(f"http://127.0.0.1:{self.upstream}{request.raw_path}", encoded=True)  # quoted once more, its signature would not hold
        async with self._session.request(request.method, url, headers=headers, data=body or None) as answer:
            kept = {name: value for name, value in answer.headers.items() if name.lower() not in DROPPED}
            if request.method == "HEAD":
                kept["Content-Length"] = answer.headers.get("Content-Length", "0")
            return web.Response(status=answer.status, headers=kept, body=await answer.read())


def _cut(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=503)
