"""A proxy between an operator and its ledger's store: the operator dies at a put, or the put stays on its way for a while."""

from __future__ import annotations

import asyncio
import contextlib
import threading

import aiohttp
from aiohttp import web
from yarl import URL

from tests.faults.proxy.call import Call
from tests.faults.proxy.crash import Crash

_HOP = {"connection", "content-length", "transfer-encoding", "keep-alive", "expect"}


class StoreProxy:
    """Runs in a thread of its own. Writes are points of `crash` by their folder: the third slot is `PUT slot/ #2`.

    `Host` goes on as it came, since the requests are signed with it.
    """

    def __init__(self, port: int) -> None:
        self.crash = Crash()
        self.holds = ""
        """The folder whose next put is kept back until `release`."""
        self.held = threading.Event()
        """One is kept back."""
        self.answer = 0
        """The store's answer to it: 200, or 412 where another was first."""
        self.away = False
        """Nothing comes through."""
        self._port = port
        self._released = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._started = threading.Event()
        self.url = ""

    def __enter__(self) -> StoreProxy:
        self._thread.start()
        if not self._started.wait(60):
            raise RuntimeError("the store's proxy does not start")
        return self

    def __exit__(self, *error: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)

    def release(self) -> None:
        """What was kept back goes on to the store, whether its sender still lives or not."""
        self._loop.call_soon_threadsafe(self._released.set)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._started.set()
        self._loop.run_forever()
        self._loop.run_until_complete(self._end())
        self._loop.close()

    async def _serve(self) -> None:
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), auto_decompress=False)
        app = web.Application(client_max_size=2**26)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def _end(self) -> None:
        await self._session.close()
        await self._runner.cleanup()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        if self.away:
            return _dropped(request)
        folder = request.path.strip("/").split("/")[2:3]
        put = request.method == "PUT" and bool(folder)
        strikes = put and self.crash.strikes(Call("PUT", folder[0], "ledger", "", watch=False))
        if strikes and not self.crash.cut.commits:
            self.crash.kill()
            return _dropped(request)
        if put and folder[0] == self.holds:
            return await self._hold(request, body)
        answer = await self._ask(request, body)
        if strikes:
            return await self._strike(request, answer)
        return answer

    async def _hold(self, request: web.Request, body: bytes) -> web.Response:
        self.holds = ""
        self.held.set()
        await self._released.wait()
        answer = await self._ask(request, body)
        self.answer = answer.status
        return answer

    async def _strike(self, request: web.Request, answer: web.Response) -> web.StreamResponse:
        if self.crash.cut.answers:
            await answer.prepare(request)
            await answer.write_eof()
        if self.crash.cut.kills:
            self.crash.kill()
        return answer if self.crash.cut.answers else _dropped(request)

    async def _ask(self, request: web.Request, body: bytes) -> web.Response:
        url = URL(f"http://127.0.0.1:{self._port}{request.raw_path}", encoded=True)
        try:
            async with self._session.request(request.method, url, headers=_kept(request.headers), data=body or None) as answer:
                return web.Response(status=answer.status, body=await answer.read(), headers=_answered(request, answer))
        except aiohttp.ClientError:  # the store is down
            return _dropped(request)


def _dropped(request: web.Request) -> web.Response:
    """Cuts the connection; the answer leads nowhere."""
    with contextlib.suppress(AttributeError):
        request.transport.abort()  # type: ignore[union-attr]
    return web.Response(status=503)


def _kept(headers: aiohttp.typedefs.LooseHeaders) -> dict[str, str]:
    return {key: value for key, value in dict(headers).items() if key.lower() not in _HOP}


def _answered(request: web.Request, answer: aiohttp.ClientResponse) -> dict[str, str]:
    """Of what is only asked about, the length is all there is."""
    kept = _kept(answer.headers)
    length = answer.headers.get("Content-Length")
    return kept | {"Content-Length": length} if request.method == "HEAD" and length else kept
