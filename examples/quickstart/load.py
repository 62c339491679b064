"""Steady load on a model from inside the cluster, without retries: half of the callers keep their connection, half open new ones.

Runs until a file called `stop` appears beside it or SECONDS have passed, then prints one line of JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections import Counter
from pathlib import Path
from typing import Any

import aiohttp

URL = os.environ["URL"]
ROW = json.loads(os.environ["ROW"])
SECONDS = float(os.environ.get("SECONDS", "240"))
CALLERS = int(os.environ.get("CALLERS", "4"))
PAUSE = float(os.environ.get("PAUSE", "0.02"))
STOP = Path("/tmp/stop")

REQUEST = {"inputs": [{"name": "input", "datatype": "FP64", "shape": [1, len(ROW)], "data": ROW}]}


class Tally:
    """What callers saw."""

    def __init__(self) -> None:
        self.versions: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()

    def as_json(self) -> str:
        return json.dumps(
            {"ok": sum(self.versions.values()), "versions": self.versions, "failed": sum(self.failures.values()), "failures": self.failures}
        )


async def caller(tally: Tally, until: float, keep_alive: bool) -> None:
    connector = aiohttp.TCPConnector(force_close=not keep_alive)
    async with aiohttp.ClientSession(connector=connector) as session:
        while time.monotonic() < until and not STOP.exists():
            await one(session, tally)
            await asyncio.sleep(PAUSE)


async def one(session: aiohttp.ClientSession, tally: Tally) -> None:
    try:
        async with session.post(URL, json=REQUEST, timeout=aiohttp.ClientTimeout(total=10)) as response:
            body: dict[str, Any] = await response.json(content_type=None)
            if response.status == 200:
                tally.versions[body["model_version"]] += 1
            else:
                tally.failures[f"HTTP {response.status}: {body.get('error')}"] += 1
    except Exception as error:
        tally.failures[f"{type(error).__name__}: {error}"] += 1


async def report(tally: Tally, until: float) -> None:
    """A line a second, so that whoever watches knows that the load runs."""
    while time.monotonic() < until and not STOP.exists():
        print(tally.as_json(), flush=True)
        await asyncio.sleep(1)


async def main() -> None:
    tally, until = Tally(), time.monotonic() + SECONDS
    await asyncio.gather(report(tally, until), *(caller(tally, until, number % 2 == 0) for number in range(CALLERS)))
    print(f"FINAL {tally.as_json()}", flush=True)


if __name__ == "__main__":
    asyncio.run(main())
