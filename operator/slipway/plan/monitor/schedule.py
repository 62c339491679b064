"""When a monitor runs: spread over the hour by its uid, and how long its schedule's longest pause can be. In cron's notation, UTC."""

from __future__ import annotations

import hashlib
import re
from datetime import timedelta

_STEP = re.compile(r"\*/([0-9]{1,2})")


def spread(schedule: str | None, uid: str) -> str:
    """The CronJob's schedule. Left out: hourly, at a minute of the monitor's own. `*/N` minutes: from a minute below N on.

    Whoever names minutes gets these. So a thousand monitors that say nothing more exact do not start in the same minute.
    """
    own = int.from_bytes(hashlib.sha256(uid.encode()).digest()[:8], "big")
    if schedule is None:
        return f"{own % 60} * * * *"
    minute, _, rest = schedule.partition(" ")
    step = _STEP.fullmatch(minute)
    if step is None or int(step[1]) < 2:
        return schedule
    first = own % min(int(step[1]), 60)
    return f"{first}-59/{step[1]} {rest}"


def longest_pause(schedule: str) -> timedelta:
    """The longest time between two runs, as a bound from above: an hour, a day, a week, a month or a year."""
    _, hour, day, month, weekday = schedule.split(" ")
    if month != "*":
        return timedelta(days=366)
    if day != "*":
        return timedelta(days=31)
    if weekday != "*":
        return timedelta(days=7)
    return timedelta(hours=1) if hour == "*" else timedelta(days=1)
