"""A stretch of time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta


@dataclass(frozen=True)
class Span:
    """From `start` until just before `end`, both with a time zone."""

    start: datetime
    end: datetime

    @classmethod
    def before(cls, end: datetime, length: timedelta) -> Span:
        """The span of that length that ends there."""
        return cls(end - length, end)

    def has_day(self, day: date) -> bool:
        """Whether rows of that UTC day may be in it."""
        return self.start.astimezone(UTC).date() <= day <= self.end.astimezone(UTC).date()

    def covers(self, least: datetime, greatest: datetime) -> bool:
        """Whether all that lies between the two is in it."""
        return self.start <= least and greatest < self.end

    def misses(self, least: datetime, greatest: datetime) -> bool:
        """Whether nothing between the two is in it."""
        return greatest < self.start or self.end <= least

    def __str__(self) -> str:
        return f"{text(self.start)}/{text(self.end)}"


def precise(moment: datetime) -> str:
    """RFC 3339 in UTC, to the millisecond."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def text(moment: datetime) -> str:
    """RFC 3339 in UTC, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
