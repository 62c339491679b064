"""Requests that go wrong: the apiserver's own errors, slow answers, cut connections."""

from __future__ import annotations

import random
import threading
from collections import Counter
from dataclasses import dataclass, field
from enum import Enum

from aiohttp import web

from tests.faults.proxy.call import Call


class Fault(Enum):
    """What happens to a request."""

    DELAY = "delay"
    CONFLICT = "409"
    TOO_MANY = "429"
    INTERNAL = "500"
    UNAVAILABLE = "503"
    RESET = "reset"
    ANSWER_LOST = "answer lost"


_STATUS = {
    Fault.CONFLICT: (409, "Conflict", "the object has been modified; please apply your changes to the latest version and try again"),
    Fault.TOO_MANY: (429, "TooManyRequests", "too many requests, please try again later"),
    Fault.INTERNAL: (500, "InternalError", "etcdserver: request timed out"),
    Fault.UNAVAILABLE: (503, "ServiceUnavailable", "the server is currently unable to handle the request"),
}


@dataclass
class Errors:
    """A share of all requests, watches and Leases too, has one of the faults; chosen by a seeded generator."""

    share: float = 0.0
    faults: tuple[Fault, ...] = tuple(Fault)
    seed: int = 1
    delay_seconds: float = 0.5
    struck: Counter[Fault] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def draw(self, call: Call) -> Fault | None:
        """What happens to this call; a read cannot conflict, and a watch has no answer to lose."""
        if self._random.random() >= self.share:
            return None
        fitting = [fault for fault in self.faults if _fits(fault, call)]
        if not fitting:
            return None
        fault = self._random.choice(fitting)
        self.struck[fault] += 1
        return fault


def _fits(fault: Fault, call: Call) -> bool:
    return call.write if fault in (Fault.CONFLICT, Fault.ANSWER_LOST) else True


def status_of(fault: Fault) -> web.Response | None:
    """The apiserver's answer for the faults that are one."""
    if fault not in _STATUS:
        return None
    code, reason, message = _STATUS[fault]
    status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "message": message, "code": code}
    return web.json_response(status, status=code, headers={"Retry-After": "1"} if code == 429 else None)
