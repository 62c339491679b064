"""A proxy between an operator and a real apiserver that does to its requests what networks and crashes do."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

import aiohttp
import yaml
from aiohttp import web

_WRITES = {"POST", "PUT", "PATCH", "DELETE"}
_HOP = {"host", "connection", "content-length", "transfer-encoding", "content-encoding", "keep-alive"}


class Crash(Enum):
    """Where a write is cut off."""

    BEFORE = "before the write"
    AFTER = "after its commit"
    ANSWER_LOST = "after its commit, its answer dropped"


@dataclass(frozen=True, order=True)
class WritePoint:
    """The n-th write of one kind to one object, named so that runs in other namespaces have the same."""

    verb: str
    resource: str
    name: str
    number: int

    def __str__(self) -> str:
        return f"{self.verb} {self.resource}/{self.name} #{self.number}"


@dataclass
class Faults:
    """What the proxy does; changed while it runs. `crash` calls `kill` once, at `point`."""

    point: WritePoint | None = None
    crash: Crash = Crash.BEFORE
    kill: Callable[[], None] = lambda: None
    respond: Callable[[web.Request], web.Response | None] = lambda _: None
    """Answers instead of the apiserver when it returns a response: 409, 429, 500, 503."""
    swallow: Callable[[str, bytes], bool] = lambda _path, _line: False
    """Whether a watch event is lost on its way."""
    seen: list[WritePoint] = field(default_factory=list)
    """Every write that came by, in order."""
    struck: bool = False


class FaultProxy:
    """Runs in a thread of its own; `kubeconfig` leads through it."""

    def __init__(self, admin: Path, folder: Path) -> None:
        config = yaml.safe_load(admin.read_text())
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        self._upstream = cluster["server"]
        self._ssl = _client_context(cluster, user, folder)
        self.faults = Faults()
        self._counts: Counter[tuple[str, str, str]] = Counter()
        self._loop = asyncio.new_event_loop()
        self._port = 0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._started = threading.Event()
        self.kubeconfig = folder / "proxied.kubeconfig"

    def start(self) -> FaultProxy:
        self._thread.start()
        self._started.wait(10)
        server = {"name": "c", "cluster": {"server": f"http://127.0.0.1:{self._port}"}}
        context = {"name": "c", "context": {"cluster": "c", "user": "c"}}
        whole = {"apiVersion": "v1", "kind": "Config", "clusters": [server], "users": [{"name": "c", "user": {}}]}
        self.kubeconfig.write_text(yaml.safe_dump(whole | {"contexts": [context], "current-context": "c"}))
        return self

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._started.set()
        self._loop.run_forever()
        self._loop.run_until_complete(self._end())
        self._loop.close()

    async def _end(self) -> None:
        await self._session.close()
        await self._runner.cleanup()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _serve(self) -> None:
        connector = aiohttp.TCPConnector(ssl=self._ssl, limit=0)
        self._session = aiohttp.ClientSession(connector=connector, auto_decompress=False, timeout=aiohttp.ClientTimeout(total=None))
        app = web.Application(client_max_size=2**26)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self._port = self._runner.addresses[0][1]

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        instead = self.faults.respond(request)
        if instead is not None:
            return instead
        strikes = self._strikes(request)
        if strikes and self.faults.crash is Crash.BEFORE:
            self._strike(request)
        answer = await self._forward(request, hold=strikes)
        if strikes:
            self._strike(request)
        return answer

    def _strikes(self, request: web.Request) -> bool:
        """Whether this request is the write to cut off; counts every write."""
        parts = request.path.strip("/").split("/")
        if request.method not in _WRITES or "leases" in parts or "namespaces" not in parts:
            return False
        rest = parts[parts.index("namespaces") + 2 :]
        name = "" if rest[0] == "events" else "/".join(rest[1:])
        key = (request.method, rest[0], name)
        point = WritePoint(*key, self._counts[key])
        self._counts[key] += 1
        self.faults.seen.append(point)
        return point == self.faults.point and not self.faults.struck

    def _strike(self, request: web.Request) -> None:
        """Kills the operator and cuts the connection, so that nothing more of this request reaches anybody."""
        self.faults.struck = True
        if self.faults.crash is not Crash.AFTER:
            assert request.transport is not None
            request.transport.abort()
        self.faults.kill()
        if self.faults.crash is not Crash.AFTER:
            raise asyncio.CancelledError

    async def _forward(self, request: web.Request, hold: bool) -> web.StreamResponse:
        headers = {key: value for key, value in request.headers.items() if key.lower() not in _HOP}
        upstream = self._session.request(
            request.method, self._upstream + request.raw_path, headers=headers, data=await request.read() or None
        )
        async with upstream as response:
            kept = {key: value for key, value in response.headers.items() if key.lower() not in (_HOP - {"content-encoding"})}
            if "watch" not in request.query:
                return web.Response(status=response.status, body=await response.read(), headers=kept)
            stream = web.StreamResponse(status=response.status, headers=kept)
            await stream.prepare(request)
            with contextlib.suppress(ConnectionError, aiohttp.ClientError):
                async for line in response.content:
                    if not self.faults.swallow(request.path, line):
                        await stream.write(line)
            return stream


def _client_context(cluster: dict[str, str], user: dict[str, str], folder: Path) -> ssl.SSLContext:
    """TLS as the kubeconfig's user, whose key the proxy keeps to itself."""
    import base64

    for name, text in (
        ("ca", cluster["certificate-authority-data"]),
        ("crt", user["client-certificate-data"]),
        ("key", user["client-key-data"]),
    ):
        (folder / f"proxy.{name}").write_bytes(base64.b64decode(text))
    context = ssl.create_default_context(cafile=str(folder / "proxy.ca"))
    context.load_cert_chain(folder / "proxy.crt", folder / "proxy.key")
    return context
