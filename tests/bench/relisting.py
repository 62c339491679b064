"""The fault proxy in a process of its own, so that it takes nothing from whoever measures; it makes an operator list everything anew."""

from __future__ import annotations

import asyncio
import multiprocessing
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from aiohttp import web

from slipway.cluster.resources import WATCHED
from tests.faults.proxy import Call, FaultProxy

_PLURALS = {resource.plural for resource in WATCHED}


class _Counting(FaultProxy):
    """Counts the lists it was asked for: pages of watched resources, but not the questions for the present version alone."""

    def __init__(self, admin: Path, folder: Path) -> None:
        super().__init__(admin, folder)
        self.pages: Counter[str] = Counter()
        self.respond = self._count

    def _count(self, call: Call) -> web.Response | None:
        if call.listing and call.resource in _PLURALS and call.limit != "1":
            self.pages[call.resource] += 1
        return None


_proxies: list[_Counting] = []  # of the process that the pool starts


def _start(admin: Path, folder: Path) -> Path:
    _proxies.append(_Counting(admin, folder))
    return _proxies[0].start().kubeconfig


def _pages() -> int:
    return _proxies[0].pages.total()


def _expire() -> int:
    _proxies[0].pages.clear()
    return _proxies[0].expire()


class Relisting:
    """What a bench asks of that proxy; `kubeconfig` leads through it."""

    def __init__(self, pool: ProcessPoolExecutor, kubeconfig: Path) -> None:
        self._pool = pool
        self.kubeconfig = kubeconfig

    async def begin(self) -> None:
        """All watches expire."""
        expired = await asyncio.get_running_loop().run_in_executor(self._pool, _expire)
        assert expired >= len(WATCHED), f"only {expired} watches were open"

    async def pages(self) -> int:
        """How many pages of lists were asked for since."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, _pages)


@contextmanager
def relisting(admin: Path) -> Iterator[Relisting]:
    folder = Path(tempfile.mkdtemp(prefix="slipway-bench-proxy-"))
    pool = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))
    try:
        yield Relisting(pool, pool.submit(_start, admin, folder).result(120))
    finally:
        pool.submit(_stop).result(120)
        pool.shutdown()
        shutil.rmtree(folder, ignore_errors=True)


def _stop() -> None:
    for proxy in _proxies:
        proxy.stop()
