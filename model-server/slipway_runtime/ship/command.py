"""`slipway-ship`: the sidecar that empties the spool, until SIGTERM."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
from threading import Event

from slipway_runtime.ship.light import lighten

logger = logging.getLogger(__name__)
SAY_AGAIN_SECONDS = 60.0


def main() -> None:
    """Ship until the pod ends; exit 0 whatever happens, since a sidecar that fails makes its pod unready."""
    stopping = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    _give_way()
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    lighten()
    while True:
        try:
            return run(stopping)
        except Exception:
            logger.exception("nothing is shipped")
            if stopping.wait(SAY_AGAIN_SECONDS):
                return None


def run(stopping: Event) -> None:
    """Ship until the pod ends. Raises ValueError for a wrong environment."""
    import pyarrow as pa

    from slipway_runtime.capture.spool import Spool
    from slipway_runtime.ship.sender import Sender
    from slipway_runtime.ship.settings import ShipSettings
    from slipway_runtime.ship.shipper import Shipper

    pa.set_memory_pool(pa.system_memory_pool())  # gives back what it frees, unlike the default
    pa.set_cpu_count(1)
    settings = ShipSettings.load(os.environ)
    sender = Sender(settings.collector_url, settings.token_path)
    logger.info("shipping %s to %s", settings.spool.path, settings.collector_url)
    Shipper(Spool(settings.spool.path), settings.spool.limit, sender, settings.identity, stopping, settings.end_seconds).run()


def _give_way() -> None:
    """Predictions go first: run only where nothing else would."""
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
