"""`slipway-operator`: the operator's process."""

from __future__ import annotations

import asyncio
import sys

from slipway.handlers.process import run
from slipway.settings import settings_from
from slipway.telemetry import logs


def main() -> None:
    try:
        settings = settings_from()
    except ValueError as error:
        sys.exit(f"slipway-operator: {error}")
    logs.configure(settings.log_level)
    sys.exit(asyncio.run(run(settings)))


if __name__ == "__main__":
    main()
