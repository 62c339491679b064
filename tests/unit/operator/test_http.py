"""The transport: what each answer means, and that streams leave room for requests. A real HTTP server on this machine answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import yaml
from aiohttp import web

from slipway.cluster.http import (
    CONNECTIONS,
    ApiError,
    ApiServer,
    Conflict,
    NamespaceEnding,
    NotFound,
    Refused,
    Request,
    Unavailable,
    api_error,
)


@pytest.mark.parametrize(
    ("code", "body", "kind"),
    [
        (401, '{"reason": "Unauthorized"}', Unavailable),  # nobody has to change anything: a new token is on its way
        (403, '{"reason": "Forbidden", "message": "exceeded quota: q"}', Refused),
        (403, '{"reason": "Forbidden", "message": "unable to create in n because it is being terminated"}', NamespaceEnding),
        (404, "{}", NotFound),
        (409, '{"reason": "Conflict"}', Conflict),
        (409, '{"reason": "AlreadyExists"}', Refused),
        (422, '{"reason": "Invalid"}', Refused),
        (429, "{}", Unavailable),
        (500, '{"reason": "InternalError", "message": "Internal error occurred: etcdserver: leader changed"}', Unavailable),
        (500, '{"reason": "InternalError", "message": "Internal error occurred: failed calling webhook \\"w\\": refused"}', Refused),
        (503, "a proxy's own words", Unavailable),
    ],
)
def test_what_an_answer_means(code: int, body: str, kind: type[ApiError]) -> None:
    assert type(api_error(code, body.encode())) is kind


@asynccontextmanager
async def connected(app: web.Application, folder: Path, monkeypatch: pytest.MonkeyPatch, watches: int = 0) -> AsyncIterator[ApiServer]:
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    address = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"  # type: ignore[union-attr]
    named = {"clusters": [{"name": "c", "cluster": {"server": address}}], "users": [{"name": "u", "user": {"token": "t"}}]}
    context = {"current-context": "x", "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}]}
    (folder / "config").write_text(yaml.safe_dump(named | context))
    monkeypatch.setenv("KUBECONFIG", str(folder / "config"))
    server = await ApiServer.connect(watches)
    try:
        yield server
    finally:
        await server.close()
        await runner.cleanup()


async def test_open_watches_leave_room_for_requests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten kinds in seven namespaces are more streams than a pool of its usual size has connections: nobody would ever lead."""
    opened = 0

    async def stream(request: web.Request) -> web.StreamResponse:
        nonlocal opened
        response = web.StreamResponse()
        await response.prepare(request)
        opened += 1
        await asyncio.Event().wait()
        return response

    async def lease(_: web.Request) -> web.Response:
        return web.json_response({"kind": "Lease"})

    app = web.Application()
    app.router.add_get("/watch", stream)
    app.router.add_get("/lease", lease)
    watches = CONNECTIONS + 6
    async with connected(app, tmp_path, monkeypatch, watches) as server:
        streams = [asyncio.create_task(server.open("GET", server.address + "/watch")) for _ in range(watches)]
        async with asyncio.timeout(60):
            await asyncio.gather(*streams)
            assert await server(Request("GET", "/lease")) == {"kind": "Lease"}
        assert opened == watches


async def test_an_answer_that_is_no_json_is_no_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def page(_: web.Request) -> web.Response:
        return web.Response(text="<html>Please log in</html>")

    app = web.Application()
    app.router.add_get("/lease", page)
    async with connected(app, tmp_path, monkeypatch) as server:
        with pytest.raises(Unavailable):
            await server(Request("GET", "/lease"))
