"""uvicorn as both HTTP servers run it: signals are left to us, and idle connections end without losing a request."""

from __future__ import annotations

import asyncio
import select
import socket
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import uvicorn
from mlserver.metrics import MetricsServer
from mlserver.rest import RESTServer
from mlserver.settings import Settings

from slipway_runtime.capture.recorder import Recording
from slipway_runtime.serve.dataplane import SlipwayDataPlane
from slipway_runtime.serve.identity import Names
from slipway_runtime.serve.rest import RestApp

KEEP_ALIVE_SECONDS = 620
"""Longer than the idle time of the usual clients and balancers, so that they close a connection first."""
IDLE_CLOSE_SECONDS = 5.0


class GracefulServer(uvicorn.Server):
    """A uvicorn server that does not touch the process's signals."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Uvicorn would end at the first SIGTERM; the drain decides instead."""
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening, close idle connections, let calls under way end."""
        for server in self.servers:
            server.close()
        deadline = time.monotonic() + IDLE_CLOSE_SECONDS
        while self._close_idle() and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        await super().shutdown(sockets)

    def _close_idle(self) -> bool:
        """Close each connection that holds no part of a request; whether any idle one with unread bytes is left."""
        left = False
        for connection in list(self.server_state.connections):
            if not _is_idle(connection):
                continue
            if _has_unread(connection):
                left = True
            else:
                connection.shutdown()
        return left


class SlipwayRestServer(RESTServer):  # type: ignore[misc]
    """MLServer's REST server behind our ASGI application."""

    def __init__(
        self,
        settings: Settings,
        data_plane: SlipwayDataPlane,
        max_request_bytes: int,
        grace_seconds: float,
        origin: Names,
        recorder: Recording,
    ) -> None:
        super().__init__(settings, data_plane, None)
        app = RestApp(self._app, data_plane, max_request_bytes, recorder)
        self._server = GracefulServer(http_config(app, settings.host, settings.http_port, grace_seconds, origin))

    async def start(self) -> None:
        """Serve until `stop`."""
        await self._server.serve()

    async def stop(self, sig: int | None = None) -> None:
        """End; `start` returns when the calls under way have."""
        self._server.should_exit = True


class SlipwayMetricsServer(MetricsServer):  # type: ignore[misc]
    """MLServer's metrics server."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._server = GracefulServer(http_config(self._app, settings.host, settings.metrics_port, 1))

    async def start(self) -> None:
        """Serve until `stop`."""
        await self._server.serve()

    async def stop(self, sig: int | None = None) -> None:
        """End."""
        self._server.should_exit = True


def http_config(app: Any, host: str, port: int, grace_seconds: float, headers: Names = ()) -> uvicorn.Config:
    """Uvicorn's settings for both servers; each answer has the headers, uvicorn's own too."""
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        access_log=False,
        log_config=None,
        log_level="warning",
        lifespan="off",
        ws="none",
        server_header=False,
        headers=list(headers),
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=max(1, round(grace_seconds)),
    )


def _is_idle(connection: Any) -> bool:
    return connection.cycle is None or connection.cycle.response_complete


def _has_unread(connection: Any) -> bool:
    """Whether bytes of a request wait, in the parser or still in the kernel."""
    parser = getattr(connection, "conn", None)  # h11's; httptools keeps no such view
    if parser is not None and parser.trailing_data[0]:
        return True
    transport_socket = connection.transport.get_extra_info("socket")
    if transport_socket is None or transport_socket.fileno() < 0:
        return False
    poll = select.poll()
    poll.register(transport_socket.fileno(), select.POLLIN)
    return bool(poll.poll(0))
