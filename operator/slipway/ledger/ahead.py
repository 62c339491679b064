"""Reading ahead: some requests under way while the answers are used in order."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")

DEPTH = 8


async def in_order(items: Iterable[A], fetch: Callable[[A], Awaitable[B]], depth: int = DEPTH) -> AsyncGenerator[B]:
    """`fetch` of each item, in order, at most `depth` at a time. What is under way is cancelled when the reader stops."""
    under_way: deque[asyncio.Future[B]] = deque()
    left = iter(items)
    try:
        while True:
            while len(under_way) < depth and (item := next(left, None)) is not None:
                under_way.append(asyncio.ensure_future(fetch(item)))
            if not under_way:
                return
            yield await under_way[0]
            under_way.popleft()
    finally:
        for future in under_way:
            future.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)


async def aligned(items: Iterable[A], answers: AsyncIterator[B]) -> AsyncIterator[tuple[A, B]]:
    """Each item with its answer."""
    left = iter(items)
    async for answer in answers:
        yield next(left), answer
