"""What the request path does for the log: hand over one record a call, and in Durable wait for it. No disk, no decoding."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from http import HTTPStatus
from types import TracebackType
from typing import Protocol

from slipway_runtime.capture.record import NO_HEADER, Record
from slipway_runtime.capture.settings import CaptureSettings
from slipway_runtime.capture.writer import Writer
from slipway_runtime.failure import last_line
from slipway_runtime.serve.errors import NotKept
from slipway_runtime.serve.identity import current_id

CALLER = "x-slipway-caller"
CLIENT_GONE = 499
"""The status of a call whose client left before its answer, as proxies log it."""


class Call(Protocol):
    """One call under way: `async with` hands its record over at the end, however it ends."""

    async def __aenter__(self) -> Call: ...

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None: ...

    def received(self, body: bytes, header: int = NO_HEADER) -> None:
        """The whole request is there."""

    def answered(self, rows: int, body: bytes, header: int = NO_HEADER) -> None:
        """The answer is made."""


class Uncaptured:
    """A call that is not kept."""

    async def __aenter__(self) -> Uncaptured:
        return self

    async def __aexit__(self, *_: object) -> None:
        return

    def received(self, body: bytes, header: int = NO_HEADER) -> None: ...

    def answered(self, rows: int, body: bytes, header: int = NO_HEADER) -> None: ...


UNCAPTURED = Uncaptured()


class Recording(Protocol):
    """What the servers know of capture."""

    def call(self, protocol: int, caller: str) -> Call:
        """The call that begins now, under the current id."""


class NoRecorder:
    """Captures nothing."""

    def call(self, protocol: int, caller: str) -> Call:
        """A call that is not kept."""
        return UNCAPTURED


class Recorder:
    """Captures the calls of one server; belongs to the event loop."""

    def __init__(self, settings: CaptureSettings, writer: Writer) -> None:
        self._settings = settings
        self._writer = writer

    def call(self, protocol: int, caller: str) -> Call:
        """The call that begins now, under the current id."""
        identifier = current_id.get()
        if not self._settings.samples(identifier):
            return UNCAPTURED
        return _Captured(self, Record(identifier, time.time_ns() // 1000, protocol, caller))

    async def admit(self) -> None:
        """Raises NotKept where a call need not be begun, since its record could not be kept."""
        if self._settings.durable and (self._writer.is_blocked or not self._writer.has_memory):
            counters = self._writer.counters
            counters.add(counters.records)
            counters.add(counters.refused)
            raise NotKept()

    async def keep(self, record: Record) -> None:
        """Hand the record over. Raises NotKept in Durable, where it cannot be written."""
        self._fit(record)
        counters = self._writer.counters
        counters.add(counters.records)
        if self._settings.durable:
            await self._written(record)
        elif self._writer.has_memory:
            self._writer.put(record)
        else:
            counters.add(counters.memory)

    async def _written(self, record: Record) -> None:
        loop = asyncio.get_running_loop()
        kept: asyncio.Future[None] = loop.create_future()

        def settle(failure: OSError | None) -> None:
            if failure:
                self._writer.counters.add(self._writer.counters.refused)
            if not kept.done():  # else the client is gone
                kept.set_exception(NotKept()) if failure else kept.set_result(None)

        self._writer.put(record, lambda failure: _call_in(loop, settle, failure))
        await kept

    def _fit(self, record: Record) -> None:
        """Leave the bodies out where they are not wanted, or too large."""
        settings = self._settings
        record.truncated = settings.bodies and record.size > settings.max_record_bytes
        if record.truncated or not settings.bodies or record.status != HTTPStatus.OK:
            record.request = record.answer = None


def _call_in(loop: asyncio.AbstractEventLoop, settle: Callable[[OSError | None], None], failure: OSError | None) -> None:
    try:
        loop.call_soon_threadsafe(settle, failure)
    except RuntimeError:  # the loop has ended, and whoever waited with it
        return


class _Captured:
    __slots__ = ("_began", "_record", "_recorder")

    def __init__(self, recorder: Recorder, record: Record) -> None:
        self._recorder = recorder
        self._record = record
        self._began = time.perf_counter()

    async def __aenter__(self) -> _Captured:
        await self._recorder.admit()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        record = self._record
        record.latency_ms = (time.perf_counter() - self._began) * 1000
        if error is not None:
            record.status, record.error = _outcome(error)
        await self._recorder.keep(record)

    def received(self, body: bytes, header: int = NO_HEADER) -> None:
        self._began = time.perf_counter()
        self._record.request, self._record.request_header = body, header

    def answered(self, rows: int, body: bytes, header: int = NO_HEADER) -> None:
        self._record.rows, self._record.answer, self._record.answer_header = rows, body, header


def _outcome(error: BaseException) -> tuple[int, str]:
    if isinstance(error, asyncio.CancelledError):
        return CLIENT_GONE, "the client left before its answer"
    status = getattr(error, "status_code", None)
    return (500, last_line(error)) if status is None else (int(status), str(error))
