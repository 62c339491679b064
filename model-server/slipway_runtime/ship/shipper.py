"""The shipper's loop: segment by segment, oldest first, each deleted once the collector has all of it. No failure ends it."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterator
from enum import Enum
from threading import Event
from typing import IO

from slipway_runtime.capture.progress import Progress
from slipway_runtime.capture.record import Header, frames, read_header, unpack
from slipway_runtime.capture.spool import Segment, Spool
from slipway_runtime.failure import last_line
from slipway_runtime.ship.batches import batches, to_stream
from slipway_runtime.ship.decode import Call, decode
from slipway_runtime.ship.pace import Pauses, Seldom
from slipway_runtime.ship.sender import Sender, Unreachable
from slipway_runtime.ship.settings import END_SECONDS, Identity

logger = logging.getLogger(__name__)
LOOK_SECONDS = 0.25
PARTS = 1 << 16
"""A segment's batches have sequences from its number times this on."""
FOR_GOOD = (400, 413)
REFUSED_SHARE = 4
"""One part in so many of the spool may be segments that were refused."""


class Fate(Enum):
    """Of a batch."""

    STORED = 1
    REFUSED = 2
    UNSENT = 3


class Shipper:
    """Empties one spool."""

    def __init__(
        self, spool: Spool, limit: int, sender: Sender, identity: Identity, stopping: Event, end_seconds: float = END_SECONDS
    ) -> None:
        self._spool = spool
        self._limit = limit
        self._sender = sender
        self._identity = identity
        self._stopping = stopping
        self._pauses = Pauses(stopping)
        self._seldom = Seldom()
        self._progress = Progress.load(spool.progress)
        self._end_seconds = end_seconds
        self._end: float | None = None

    def run(self) -> None:
        """Until the pod ends and everything is sent, or the time for that is over."""
        failures = 0
        while not self._is_over():
            try:
                self.step()
                failures = 0
            except Exception as error:  # a sidecar that ends makes its pod unready
                self._seldom.warn(last_line(error), f"shipping goes on after {last_line(error)}")
                self._pauses.after_failure(failures)
                failures += 1

    def step(self) -> None:
        """Ship what is closed; rest where nothing is. Raises OSError, and whatever a bug may raise."""
        self._spool.recover()
        segments = self._spool.closed()
        for segment in segments:
            if self._is_over() or not self.ship(segment):
                return
        if not segments:
            self._pauses.pause(LOOK_SECONDS)

    def ship(self, segment: Segment) -> bool:
        """Send all of one segment; whether that was done before the end."""
        torn, refused = False, 0
        with segment.path.open("rb") as file:
            try:
                header = read_header(file)
            except ValueError:
                torn = segment.path.stat().st_size > 0
            else:
                for part, batch in enumerate(batches(_calls(file, header), self._identity)):
                    fate = self._deliver(to_stream(batch), batch.num_rows, segment.writer, segment.number * PARTS + part)
                    if fate is Fate.UNSENT:
                        return False
                    refused += fate is Fate.REFUSED
                torn = file.read(1) != b""
        self._put_away(segment, refused + torn)
        return True

    def _deliver(self, body: bytes, rows: int, writer: str, sequence: int) -> Fate:
        """The same bytes again and again, until the collector has decided."""
        attempt = 0
        while True:
            code, text, retry_after = self._send(body, writer, sequence)
            if code == "200":
                self._progress.rows += rows
                self._save()
                return Fate.STORED
            if code.isdigit() and int(code) in FOR_GOOD:
                logger.error("the collector refuses batch %s of %s for good, it is kept in refused/: %s", sequence, writer, text)
                return Fate.REFUSED
            self._progress.failures[code] = self._progress.failures.get(code, 0) + 1
            self._save()
            self._seldom.warn(code, f"the collector does not take batch {sequence} of {writer} now ({code}): {text}")
            if self._is_over():
                return Fate.UNSENT
            self._pauses.after_failure(attempt, retry_after)
            attempt += 1

    def _send(self, body: bytes, writer: str, sequence: int) -> tuple[str, str, float]:
        try:
            answer = self._sender.send(body, writer, sequence)
        except Unreachable as error:
            return "connection", str(error), 0.0
        return str(answer.status), answer.text, answer.retry_after

    def _put_away(self, segment: Segment, refused: int) -> None:
        """Delete it, or keep it aside where part of it was refused or could not be read."""
        if not refused:
            segment.path.unlink()
            return
        self._progress.refused += refused
        self._save()
        self._spool.refused.mkdir(exist_ok=True)
        segment.path.rename(self._spool.refused / f"{segment.writer}-{segment.number}.segment")
        kept = sorted(self._spool.refused.iterdir())
        while kept and sum(path.stat().st_size for path in kept) > self._limit // REFUSED_SHARE:
            logger.error("%s is deleted: refused/ has its bound", kept[0].name)
            kept.pop(0).unlink()

    def _save(self) -> None:
        with contextlib.suppress(OSError):  # a full disk must not hold up what empties it
            self._progress.save(self._spool.progress)

    def _is_over(self) -> bool:
        """Whether to end: the pod does, no writer lives, and nothing is left or the time is up."""
        if not self._stopping.is_set():
            return False
        with contextlib.suppress(OSError):
            if self._spool.recover():
                return False
        if self._end is None:
            self._end = time.monotonic() + self._end_seconds
        return not self._spool.closed() or time.monotonic() > self._end


def _calls(file: IO[bytes], header: Header) -> Iterator[Call]:
    return (decode(unpack(payload), header) for payload in frames(file))
