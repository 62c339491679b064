"""A request's body, no more of it than is allowed."""

from __future__ import annotations

import asyncio

from starlette.requests import ClientDisconnect, Request

from slipway.collector.errors import Refused, malformed


def announced(request: Request, limit: int) -> int:
    """Bytes that the body may take: its length if it says that, else the limit. Raises Refused: 413, 400."""
    text = request.headers.get("content-length")
    if text is None:
        return limit
    if not text.isdigit():
        raise malformed("content-length is no number")
    if int(text) > limit:
        raise too_large(limit)
    return int(text)


async def read(request: Request, limit: int, seconds: float) -> bytes:
    """The whole body. Raises Refused: 413 when it is longer, 408 when it takes longer, 400 when its sender is gone."""
    body = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.stream():
                body += chunk
                if len(body) > limit:
                    raise too_large(limit)
    except TimeoutError as error:
        raise Refused(408, f"the body took longer than {seconds:.0f} s") from error
    except ClientDisconnect as error:
        raise malformed("the body ended too early") from error
    return bytes(body)


async def drain(request: Request, limit: int, seconds: float = 10.0) -> None:
    """Reads on, keeping nothing, so that a sender who sends first and listens then hears the refusal."""
    left = limit
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.stream():
                left -= len(chunk)
                if left < 0:
                    return
    except (TimeoutError, ClientDisconnect, RuntimeError):
        return


def too_large(limit: int) -> Refused:
    return Refused(413, f"a request may have {limit} bytes: send fewer rows at once")
