"""`slipway-monitor`: one run of one ModelMonitor."""

from __future__ import annotations

import asyncio
import sys

from slipway.monitor.run import run
from slipway.monitor.settings import settings_from
from slipway.telemetry import logs


def main() -> None:
    try:
        settings = settings_from()
    except ValueError as error:
        sys.exit(f"slipway-monitor: {error}")
    logs.configure(settings.log_level)
    sys.exit(asyncio.run(run(settings)))


if __name__ == "__main__":
    main()
