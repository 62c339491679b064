"""Users who edit ModelDeployments at a steady rate, and how long each waits until the child Deployment says so."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import orjson

from slipway.cluster.http import MERGE, ApiServer, Request
from slipway.cluster.resources import DEPLOYMENT, MODEL_DEPLOYMENT
from slipway.cluster.store import Key, key_of

EVERY = 0.1
"""Seconds between the beginnings of two edits, whether or not the first is done."""
LIMIT_SECONDS = 120
LONGEST_LINE = 2**20


class Edits:
    """Edits one after another of the objects."""

    def __init__(self, server: ApiServer, keys: list[Key]) -> None:
        self._server = server
        self._keys = itertools.cycle(keys)
        self._millicores = itertools.count(1001, 2)  # odd, since the apiserver writes 1000m as 1
        self._awaited: dict[Key, tuple[str, asyncio.Future[float]]] = {}

    @asynccontextmanager
    async def followed(self) -> AsyncIterator[None]:
        """Deployments are watched within the block."""
        listed = await self._server(Request("GET", DEPLOYMENT.path(), {"limit": "1"}))
        query = {"watch": "true", "resourceVersion": listed["metadata"]["resourceVersion"]}
        url = self._server.address + DEPLOYMENT.path()
        response = await self._server.open("GET", url, params=query, read_bufsize=LONGEST_LINE)
        async with response:
            following = asyncio.create_task(self._follow(response.content))
            try:
                yield
            finally:
                following.cancel()
                await asyncio.gather(following, return_exceptions=True)

    async def during(self, going: Callable[[], Awaitable[bool]]) -> list[float]:
        """Begins an edit every tenth of a second as long as it is `going` on; the seconds of each, once all are done."""
        begun = []
        while await going():
            begun.append(asyncio.create_task(self._one()))
            await asyncio.sleep(EVERY)
        return await asyncio.gather(*begun)

    async def _one(self) -> float:
        """From the moment the user sends the edit to the moment the apiserver tells of the changed child."""
        namespace, name = key = next(self._keys)
        cpu = f"{next(self._millicores)}m"
        self._awaited[key] = cpu, asyncio.get_running_loop().create_future()
        began = time.monotonic()
        change = {"spec": {"resources": {"requests": {"cpu": cpu, "memory": "512Mi"}}}}
        await self._server(Request("PATCH", MODEL_DEPLOYMENT.path(namespace, name), {"fieldManager": "user"}, change, MERGE))
        async with asyncio.timeout(LIMIT_SECONDS):
            return await self._awaited[key][1] - began

    async def _follow(self, lines: Any) -> None:
        async for line in lines:
            child = orjson.loads(line)["object"]
            cpu, seen = self._awaited.get(key_of(child), ("", None))
            requests = child["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"]
            if seen is not None and not seen.done() and requests["cpu"] == cpu:
                seen.set_result(time.monotonic())
