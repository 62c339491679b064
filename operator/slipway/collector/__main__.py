"""`slipway-collector`: the collector's process."""

from __future__ import annotations

import asyncio
import sys

from slipway.collector.process import run
from slipway.collector.settings import settings_from
from slipway.telemetry import logs


def main() -> None:
    try:
        settings = settings_from()
    except ValueError as error:
        sys.exit(f"slipway-collector: {error}")
    logs.configure(settings.log_level)
    asyncio.run(run(settings))


if __name__ == "__main__":
    main()
