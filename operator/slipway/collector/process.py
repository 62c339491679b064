"""The process: opens what it needs, serves until it is asked to end, and ends with nothing half done."""

from __future__ import annotations

import asyncio
import logging

import uvicorn

from slipway.cluster.http import ApiServer
from slipway.collector.http.app import application
from slipway.collector.log.place import trust
from slipway.collector.service import Service
from slipway.collector.settings import Settings

BACKLOG = 2048
GRACE_SECONDS = 25
"""For requests under way when it is asked to end."""


async def run(settings: Settings) -> None:
    """Serves until SIGTERM."""
    trust(settings.log)
    apiserver = await ApiServer.connect()
    service = Service(settings, apiserver)
    upkeep = asyncio.create_task(service.maintenance.run()) if settings.maintenance_seconds else None
    try:
        await _server(settings, service).serve()
    finally:
        if upkeep:
            upkeep.cancel()
        await service.close()
        await apiserver.close()


def _server(settings: Settings, service: Service) -> uvicorn.Server:
    logging.getLogger("uvicorn.access").setLevel(logging.WARNING)
    config = uvicorn.Config(
        application(service),
        host="0.0.0.0",
        port=settings.http_port,
        backlog=BACKLOG,
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    return uvicorn.Server(config)
