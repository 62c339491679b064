"""When to try again, and how often to say why."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from threading import Event

logger = logging.getLogger(__name__)
FIRST_SECONDS, LONGEST_SECONDS = 0.5, 30.0
LAST_SECONDS = 2.0
"""The longest pause once the pod is to end."""
SAY_SECONDS = 60.0


class Pauses:
    """Pauses that an end cuts short."""

    def __init__(self, stopping: Event, sleep: Callable[[float], None] = time.sleep) -> None:
        self._stopping = stopping
        self._sleep = sleep

    def after_failure(self, attempt: int, at_least: float = 0.0) -> None:
        """Exponential with jitter; attempts count from 0."""
        longest = min(LONGEST_SECONDS, FIRST_SECONDS * 2.0 ** min(attempt, 10))
        self.pause(max(at_least, random.uniform(longest / 2, longest)))

    def pause(self, seconds: float) -> None:
        """Wait so long, or less when the end comes near."""
        if self._stopping.is_set():
            self._sleep(min(seconds, LAST_SECONDS))
        else:
            self._stopping.wait(seconds)


class Seldom:
    """Logs each sort of trouble once a minute."""

    def __init__(self) -> None:
        self._said: dict[str, float] = {}

    def warn(self, sort: str, message: str) -> None:
        now = time.monotonic()
        if now - self._said.get(sort, float("-inf")) >= SAY_SECONDS:
            self._said[sort] = now
            logger.warning("%s", message)
