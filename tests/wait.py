"""Waiting for conditions, never for seconds."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 3
"""Limits are written for an idle machine; one that builds or tests other things at the same time gets this many times as long."""


def until(condition: Callable[[], T | None], seconds: float, what: str, every: float = 0.1) -> T:
    """The condition's first true value; AssertionError that names `what` when it does not come in time."""
    end = time.monotonic() + PATIENCE * seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {PATIENCE * seconds:.0f} s for {what}; last seen: {value!r}")
        time.sleep(every)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
