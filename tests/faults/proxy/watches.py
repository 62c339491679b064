"""What happens to watch streams: events that are lost, streams that expire or fall silent."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.faults.proxy.call import Call

EXPIRED = (
    json.dumps(
        {
            "type": "ERROR",
            "object": {
                "kind": "Status",
                "apiVersion": "v1",
                "status": "Failure",
                "code": 410,
                "reason": "Expired",
                "message": "The resourceVersion for the provided watch is too old.",
            },
        }
    ).encode()
    + b"\n"
)

Event = dict[str, Any]
"""`type` and `object`, as the apiserver sends them."""


@dataclass
class Gap:
    """Events number `first` to `last` of a resource are lost, bookmarks aside; then the stream says that it has expired."""

    resource: str
    first: int
    last: int


@dataclass(eq=False)
class Stream:
    """One open watch; `running` is cleared while it is frozen, `expired` set when it is to end as one that lags too far behind."""

    call: Call
    running: asyncio.Event = field(default_factory=asyncio.Event)
    expired: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.running.set()


@dataclass
class Watches:
    """Faults of watch streams. `lost` tells of each event of a resource whether it is lost on its way."""

    lost: Callable[[str, Event], bool] = lambda _resource, _event: False
    gap: Gap | None = None
    streams: list[Stream] = field(default_factory=list)
    """Those open now."""
    opened: Counter[str] = field(default_factory=Counter)
    """Watches begun so far, by resource."""
    swallowed: list[Event] = field(default_factory=list)
    events: Counter[str] = field(default_factory=Counter)

    def open(self, call: Call) -> Stream:
        stream = Stream(call)
        self.streams.append(stream)
        self.opened[call.resource] += 1
        return stream

    def close(self, stream: Stream) -> None:
        self.streams.remove(stream)

    def freeze(self, resource: str) -> int:
        """The streams of a resource that are open now fall silent, connections up; how many. One opened anew works."""
        frozen = [stream for stream in self.streams if stream.call.resource == resource]
        for stream in frozen:
            stream.running.clear()
        return len(frozen)

    def expire(self) -> int:
        """The streams that are open now say that they have expired, and end: all is to be listed anew. How many."""
        for stream in self.streams:
            stream.expired.set()
        return len(self.streams)

    def passed(self, resource: str, line: bytes) -> tuple[bytes, bool]:
        """What of an event's line goes on, and whether the stream ends after it."""
        event = json.loads(line)
        if event["type"] in ("BOOKMARK", "ERROR"):
            return line, False
        self.events[resource] += 1
        number, gap = self.events[resource], self.gap
        in_gap = gap is not None and gap.resource == resource and gap.first <= number <= gap.last
        if in_gap or self.lost(resource, event):
            self.swallowed.append(event)
            ends = in_gap and gap is not None and number == gap.last
            return (EXPIRED if ends else b""), ends
        return line, False
