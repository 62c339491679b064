"""A proxy between an operator and a real apiserver that does to its requests what networks and crashes do."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, NoReturn

import aiohttp
import yaml
from aiohttp import web

from tests.faults.proxy.call import Call
from tests.faults.proxy.crash import Crash
from tests.faults.proxy.errors import Errors, Fault, status_of
from tests.faults.proxy.upstream import Upstream, kept
from tests.faults.proxy.views import OldView
from tests.faults.proxy.watches import EXPIRED, Stream, Watches


class FaultProxy:
    """Runs in a thread of its own; `kubeconfig` leads through it.

    A caller that shows a token is the token's user upstream; one that shows nothing is the administrator. The faults may be changed
    while it runs.
    """

    def __init__(self, admin: Path, folder: Path) -> None:
        self._upstream = Upstream(admin, folder)
        self.crash, self.errors, self.watches, self.old_view = Crash(), Errors(), Watches(), OldView()
        self.respond: Callable[[Call], web.Response | None] = lambda _: None
        self._cut = False
        self._transports: set[asyncio.BaseTransport] = set()
        self._loop = asyncio.new_event_loop()
        self._port = 0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._started = threading.Event()
        self.kubeconfig = folder / "proxied.kubeconfig"

    def __enter__(self) -> FaultProxy:
        return self.start()

    def __exit__(self, *error: object) -> None:
        self.stop()

    def start(self) -> FaultProxy:
        self._thread.start()
        if not self._started.wait(60):
            raise RuntimeError("the fault proxy does not start")
        server = {"name": "c", "cluster": {"server": f"http://127.0.0.1:{self._port}"}}
        context = {"name": "c", "context": {"cluster": "c", "user": "c"}}
        whole = {"apiVersion": "v1", "kind": "Config", "clusters": [server], "users": [{"name": "c", "user": {}}]}
        self.kubeconfig.write_text(yaml.safe_dump(whole | {"contexts": [context], "current-context": "c"}))
        return self

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)

    # ---- what tests call, from their own thread

    def cut_off(self) -> None:
        """Nothing comes through any more, and what was open is cut."""
        self._cut = True
        self._loop.call_soon_threadsafe(self._abort_all)

    def restore(self) -> None:
        self._cut = False

    def freeze(self, resource: str) -> int:
        """The watches of a resource that are open now fall silent; how many those are."""
        return self._call(_async(lambda: self.watches.freeze(resource)))

    def expire(self) -> int:
        """The watches that are open now expire, so that all is listed anew; how many those are."""
        return self._call(_async(self.watches.expire))

    def keep_view(self) -> int:
        """Keeps what the apiserver answers now to every list request that came by so far; how many those are."""
        return self._call(self._keep_view())

    def serve_old_view(self) -> None:
        """From now on lists are those kept, and watches that begin are silent; `release` ends that."""
        self.old_view.released.clear()
        self.old_view.served = True

    def release(self) -> None:
        self.old_view.served = False
        self._loop.call_soon_threadsafe(self.old_view.released.set)

    def _call(self, work: Coroutine[Any, Any, int]) -> int:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(120)

    # ---- the server

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._started.set()
        self._loop.run_forever()
        self._loop.run_until_complete(self._end())
        self._loop.close()

    async def _end(self) -> None:
        await self._upstream.close()
        self._abort_all()
        await self._runner.cleanup()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _serve(self) -> None:
        self._upstream.open()
        app = web.Application(client_max_size=2**26)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self._port = self._runner.addresses[0][1]

    def _abort_all(self) -> None:
        for transport in list(self._transports):
            assert isinstance(transport, asyncio.WriteTransport)
            transport.abort()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        transport = request.transport
        if transport is None:  # gone before it was heard
            raise asyncio.CancelledError
        self._transports.add(transport)
        try:
            return await self._one(request, Call.of(request))
        finally:
            self._transports.discard(transport)

    async def _one(self, request: web.Request, call: Call) -> web.StreamResponse:
        if self._cut:
            _drop(request)
        strikes = self.crash.strikes(call)
        fault = self.errors.draw(call)
        instead = self.respond(call) or (status_of(fault) if fault else None)
        if instead is not None:
            return instead
        if fault is Fault.RESET:
            _drop(request)
        if fault is Fault.DELAY:
            await asyncio.sleep(self.errors.delay_seconds)
        if strikes and not self.crash.cut.commits:
            self.crash.kill()
            _drop(request)
        if call.watch:
            return await self._stream(request, call)
        answer = await self._answer(request, call)
        if fault is Fault.ANSWER_LOST:
            _drop(request)
        if strikes:
            await self._strike(request, answer)
        return answer

    async def _strike(self, request: web.Request, answer: web.Response) -> None:
        """After the commit: kills the operator before or after it has the answer, or only loses the answer."""
        if self.crash.cut.answers:
            await answer.prepare(request)
            await answer.write_eof()
        if self.crash.cut.kills:
            self.crash.kill()
        if not self.crash.cut.answers:
            _drop(request)

    async def _answer(self, request: web.Request, call: Call) -> web.Response:
        if call.listing:
            old = self.old_view.answer(request)
            if old is not None:
                return old
            self.old_view.note(request, kept(request.headers))
        asked = self._upstream.ask(request.method, request.raw_path, kept(request.headers), await request.read())
        # What is on its way arrives, though its sender dies: cut short, it may be committed while the audit log calls it failed.
        return (await asyncio.shield(asked)).response()

    async def _keep_view(self) -> int:
        """Asks until two rounds tell the same: then all lists held at one moment, between the rounds."""
        before: list[Any] = []
        while True:
            for key, (raw_path, headers) in list(self.old_view.asked.items()):
                self.old_view.kept[key] = await self._upstream.ask("GET", raw_path, dict(headers))
            items = [answer.items() for answer in self.old_view.kept.values()]
            if items == before:
                return len(items)
            before = items

    async def _stream(self, request: web.Request, call: Call) -> web.StreamResponse:
        stream = self.watches.open(call)
        try:
            if self.old_view.served:
                return await self._silence(request)
            async with self._upstream.request("GET", request.raw_path, kept(request.headers), b"") as response:
                answer = web.StreamResponse(status=response.status, headers=kept(response.headers))
                await answer.prepare(request)
                with contextlib.suppress(ConnectionError, aiohttp.ClientError):
                    await _first_of(self._copy(response, answer, stream), stream.expired.wait())
                    if stream.expired.is_set():
                        await answer.write(EXPIRED)
                return answer
        finally:
            self.watches.close(stream)

    async def _copy(self, response: aiohttp.ClientResponse, answer: web.StreamResponse, stream: Stream) -> None:
        async for line in response.content:
            await stream.running.wait()
            onward, ends = self.watches.passed(stream.call.resource, line) if response.status == 200 else (line, False)
            if onward:
                await answer.write(onward)
            if ends:
                return

    async def _silence(self, request: web.Request) -> web.StreamResponse:
        """A watch that tells nothing until the old view is released, and then ends."""
        answer = web.StreamResponse(headers={"Content-Type": "application/json"})
        await answer.prepare(request)
        await self.old_view.released.wait()
        return answer


def _drop(request: web.Request) -> NoReturn:
    """Cuts the connection: nobody gets an answer."""
    if request.transport is not None:
        request.transport.abort()
    raise asyncio.CancelledError


async def _first_of(*works: Coroutine[Any, Any, Any]) -> None:
    """Until the first of them ends; the others are given up."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _async(work: Callable[[], int]) -> int:
    return work()
