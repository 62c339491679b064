"""`/healthz`, `/readyz` and `/metrics` on one port."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

Check = Callable[[], str | None]
"""What is wrong, or None."""


async def serve(port: int, healthy: Check, ready: Check) -> web.AppRunner:
    """Starts the endpoints; the caller cleans the runner up."""

    def probe(check: Check) -> Callable[[web.Request], object]:
        async def handler(_: web.Request) -> web.Response:
            trouble = check()
            return web.Response(text=trouble or "ok", status=503 if trouble else 200)

        return handler

    async def metrics(_: web.Request) -> web.Response:
        body = await asyncio.to_thread(generate_latest)  # thousands of series take a while: reconciles go on meanwhile
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})

    app = web.Application()
    app.router.add_get("/healthz", probe(healthy))  # type: ignore[arg-type]
    app.router.add_get("/readyz", probe(ready))  # type: ignore[arg-type]
    app.router.add_get("/metrics", metrics)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, port=port).start()
    return runner
