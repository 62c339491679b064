"""The thread that writes records into segments: the event loop never touches the disk. In Durable one fsync serves all that wait."""

from __future__ import annotations

import errno
import logging
import os
import time
from collections import deque
from collections.abc import Callable
from threading import Event, Thread

from slipway_runtime.capture.counters import Counters
from slipway_runtime.capture.record import Header, Record, pack
from slipway_runtime.capture.segment import OpenSegment, Write
from slipway_runtime.capture.settings import MIB, CaptureSettings
from slipway_runtime.capture.spool import COUNTERS, Spool
from slipway_runtime.failure import last_line
from slipway_runtime.identifiers import uuid7

logger = logging.getLogger(__name__)
SEGMENT_BYTES = 4 * MIB
SEGMENT_SECONDS = 1.0
WAITING_SEGMENTS = 8
"""So many closed segments wait for the shipper before age no longer closes another: a long outage makes few large files."""
GATHER_SECONDS = 0.02
"""BestEffort writes what came in such a time at once: fewer turns of the thread, which the event loop would wait for."""
BATCH_RECORDS = 32
"""In one write, so that packing holds Python's lock shortly; far below the vectored write's limit of 1024 buffers."""
BATCH_BYTES = 4 * MIB
MEMORY_BYTES = 16 * MIB
"""Of records that wait for the thread."""
BLOCKED_SECONDS = 0.25
"""After a failed write, before the next is tried."""
Done = Callable[[OSError | None], None]
Describe = Callable[[], tuple[list[str] | None, list[str] | None]]


class Writer:
    """One process's records. `put` and the properties belong to one thread, the event loop's."""

    def __init__(self, settings: CaptureSettings, describe: Describe, write: Write = os.writev) -> None:
        """Recover what earlier writers left, and begin. `describe`: the model's feature names and classes, when the first call comes."""
        self.id = uuid7()
        self.spool = Spool(settings.spool.path)
        self._limit = settings.spool.limit
        self._durable = settings.durable
        self._describe = describe
        self._write_buffers = write
        self.counters = self._begin()
        self._queue: deque[tuple[Record, Done | None]] = deque()
        self._put_bytes = self._taken_bytes = 0
        self._wake, self._closing = Event(), Event()
        self._segment: OpenSegment | None = None
        self._number, self._used, self._waiting, self._looked = 0, 0, 0, float("-inf")
        self._blocked_until = float("-inf")
        self._thread = Thread(target=self._work, name="capture", daemon=True)
        self._thread.start()

    @property
    def is_blocked(self) -> bool:
        """Whether the last write failed, just now."""
        return time.monotonic() < self._blocked_until

    @property
    def has_memory(self) -> bool:
        """Whether another record may wait."""
        return self._put_bytes - self._taken_bytes < MEMORY_BYTES

    def put(self, record: Record, done: Done | None = None) -> None:
        """Have the record written; `done` is called in the thread, with what went wrong."""
        self._put_bytes += record.size
        self._queue.append((record, done))
        if not self._wake.is_set():
            self._wake.set()

    def close(self) -> None:
        """Write what waits, close the segment, end. Blocks."""
        self._closing.set()
        self._wake.set()
        self._thread.join()
        try:
            self.spool.recover()
            self.counters.clear()
        except OSError as error:
            logger.error("the spool is left for the next process to recover: %s", error)

    def _begin(self) -> Counters:
        try:
            self.spool.recover()
            with self.spool.locked():
                return Counters(self.spool.folder(self.id) / COUNTERS)
        except OSError as error:
            logger.error("the spool cannot be recovered: %s", error)
            return Counters(self.spool.folder(self.id) / COUNTERS)

    def _work(self) -> None:
        while self._queue or not self._closing.is_set():
            self._wait()
            batch = self._take()
            if batch:
                self._write(batch)
            if self._is_due():
                self._close_segment()
        self._close_segment()
        self.counters.release()

    def _wait(self) -> None:
        if len(self._queue) >= BATCH_RECORDS:
            return
        self._wake.clear()
        if not self._queue and not self._closing.is_set():
            self._wake.wait(SEGMENT_SECONDS if self._segment else None)
        if not self._durable:
            self._closing.wait(GATHER_SECONDS)

    def _take(self) -> list[tuple[Record, Done | None]]:
        taken: list[tuple[Record, Done | None]] = []
        size = 0
        while self._queue and len(taken) < BATCH_RECORDS and size < BATCH_BYTES:
            taken.append(self._queue.popleft())
            size += taken[-1][0].size
        self._taken_bytes += size
        return taken

    def _write(self, batch: list[tuple[Record, Done | None]]) -> None:
        failure = None
        try:
            buffers = [buffer for record, _ in batch for buffer in pack(record)]
            size = sum(map(len, buffers))
            self._require_room(size)
            if self._segment is None:
                self._segment = self._open()
            self._segment.append(buffers)
            self._used += size
            self.counters.add(self.counters.written, len(batch))
        except Exception as error:  # whatever it is, the thread must go on
            failure = error if isinstance(error, OSError) else OSError(errno.EIO, last_line(error))
            self._failed(failure)
            if not self._durable:
                self.counters.add(self.counters.disk, len(batch))
        for _, done in batch:
            if done:
                done(failure)

    def _failed(self, error: OSError) -> None:
        if time.monotonic() > self._blocked_until + 60:
            logger.error("a record cannot be written: %s", error)
        self._blocked_until = time.monotonic() + BLOCKED_SECONDS
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            self._close_segment()  # the next write gets a file of its own

    def _open(self) -> OpenSegment:
        self._number += 1
        written = self.counters.values()["written"]
        header = Header(self.id, self._number, written + 1, *self._describe())
        return OpenSegment(self.spool.folder(self.id), header, self._durable, self._write_buffers)

    def _require_room(self, size: int) -> None:
        """Raises OSError where the spool is full, after a look at what the shipper has deleted."""
        if self._segment is None or self._used + size > self._limit:
            self._look(BLOCKED_SECONDS)
        if self._used + size > self._limit:
            raise OSError(errno.ENOSPC, f"the spool holds its {self._limit} bytes: the collector does not keep up")

    def _is_due(self) -> bool:
        segment = self._segment
        if segment is None or segment.size >= SEGMENT_BYTES:
            return segment is not None
        if time.monotonic() - segment.began < SEGMENT_SECONDS:
            return False
        self._look(SEGMENT_SECONDS)
        return self._waiting < WAITING_SEGMENTS

    def _look(self, every: float) -> None:
        if time.monotonic() - self._looked >= every:
            usage = self.spool.usage()
            self._used, self._waiting, self._looked = usage.bytes, usage.waiting, time.monotonic()

    def _close_segment(self) -> None:
        if self._segment:
            segment, self._segment = self._segment, None
            try:
                segment.close()
            except OSError as error:
                logger.error("a segment stays open until the next process: %s", error)
