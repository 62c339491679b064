"""The life of a model server: load, serve, drain, end."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal

from mlserver.registry import MultiModelRegistry

from slipway_runtime.capture.recorder import NoRecorder
from slipway_runtime.serve.capture import Capture
from slipway_runtime.serve.dataplane import SlipwayDataPlane
from slipway_runtime.serve.grpc_server import SlipwayGrpcServer
from slipway_runtime.serve.http_server import SlipwayMetricsServer, SlipwayRestServer
from slipway_runtime.serve.identity import origin
from slipway_runtime.serve.settings import ServeSettings, model_settings, server_settings

logger = logging.getLogger(__name__)
GRACE_SECONDS = 25.0
"""For calls under way after the drain; the pod's termination grace period is the drain and 30 s."""


class ModelServer:
    """One model behind three ports. Made inside a running event loop."""

    def __init__(self, settings: ServeSettings) -> None:
        mlserver = server_settings(settings)
        self._settings = settings
        self._registry = MultiModelRegistry()
        self._data_plane = SlipwayDataPlane(mlserver, self._registry)
        named = origin(settings)
        self._capture = Capture(settings.capture, self._data_plane) if settings.capture else None
        recorder = self._capture.recorder if self._capture else NoRecorder()
        self._rest = SlipwayRestServer(mlserver, self._data_plane, settings.max_request_bytes, GRACE_SECONDS, named, recorder)
        self._grpc = SlipwayGrpcServer(mlserver, self._data_plane, GRACE_SECONDS, named, recorder)
        self._metrics = SlipwayMetricsServer(mlserver)
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Serve until a signal ends it. Raises LoadFailed, and OSError or RuntimeError where a port is taken."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._on_signal, number)
        servers = [asyncio.ensure_future(server.start()) for server in (self._rest, self._grpc, self._metrics)]
        life = asyncio.ensure_future(self._live())
        await asyncio.wait([life, *servers], return_when=asyncio.FIRST_COMPLETED)
        for ended in [task for task in servers if task.done()]:
            ended.result()
            raise RuntimeError("a server ended by itself")
        await life
        await asyncio.gather(self._rest.stop(), self._grpc.stop(), servers[0])
        if self._capture:
            await asyncio.to_thread(self._capture.writer.close)
        await asyncio.gather(self._metrics.stop(), servers[2])

    async def _live(self) -> None:
        stopping = asyncio.ensure_future(self._stopping.wait())
        loading = asyncio.ensure_future(self._registry.load(model_settings(self._settings)))
        await asyncio.wait([loading, stopping], return_when=asyncio.FIRST_COMPLETED)
        if not loading.done():
            return  # never ready, so nobody was sent here: nothing to drain
        await loading
        gc.collect()
        gc.freeze()  # the model and all modules stay: a full collection that looks through them stops every call for 0.1 s
        logger.info("serving %s version %s", self._settings.model_name, self._settings.model_version)
        await stopping
        logger.info("draining for %g s", self._settings.drain_seconds)
        await asyncio.sleep(self._settings.drain_seconds)

    def _on_signal(self, number: int) -> None:
        """The first signal begins the drain, a second ends the process at once."""
        if self._stopping.is_set():
            os._exit(128 + number)
        self._data_plane.draining = True
        self._stopping.set()
