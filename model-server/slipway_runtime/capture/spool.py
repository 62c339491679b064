"""The spool's folder: where things lie in it, what they take, and what is done about a writer that died.

lock                          held while writers come and are recovered
totals.json, progress.json    counts of ended writers; the shipper's
WRITER/counters               of a writer that lives or died; locked while it lives
WRITER/0000000001.open        the segment it writes
WRITER/0000000001.segment     a closed one: never changed again, deleted once it is in the log
refused/WRITER-1.segment      what the collector refused for good
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from slipway_runtime.capture.counters import Totals, read_counters
from slipway_runtime.capture.record import frames, read_header

logger = logging.getLogger(__name__)
OPEN, CLOSED = ".open", ".segment"
COUNTERS = "counters"
REFUSED = "refused"
WRITER = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, order=True)
class Segment:
    """A closed segment; in the order in which they are shipped (writers' ids begin with their time)."""

    writer: str
    number: int
    path: Path


@dataclass(frozen=True)
class Usage:
    """What the spool holds."""

    bytes: int = 0
    """On disk, in all segments."""
    waiting: int = 0
    """Closed segments that were not shipped yet."""
    oldest: float | None = None
    """When the oldest of those was last written, seconds since 1970."""


class Spool:
    """One pod's spool."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.totals = root / "totals.json"
        self.progress = root / "progress.json"
        self.refused = root / REFUSED

    def folder(self, writer: str) -> Path:
        return self.root / writer

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Alone among the pod's processes. Raises OSError."""
        self.root.mkdir(parents=True, exist_ok=True)
        file = os.open(self.root / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
        finally:
            os.close(file)

    def writers(self) -> list[str]:
        """The ids of all that left something here, oldest first."""
        with contextlib.suppress(FileNotFoundError):
            return sorted(name for name in os.listdir(self.root) if WRITER.fullmatch(name))
        return []

    def closed(self) -> list[Segment]:
        """What waits to be shipped, in order."""
        found: list[Segment] = []
        for writer in self.writers():
            with contextlib.suppress(FileNotFoundError):
                paths = sorted(self.folder(writer).glob(f"*{CLOSED}"))
                found += [Segment(writer, int(path.stem), path) for path in paths]
        return found

    def usage(self) -> Usage:
        """Look at every segment; one that vanishes meanwhile counts as gone."""
        size, waiting, oldest = 0, 0, None
        for folder in (*map(self.folder, self.writers()), self.refused):
            with contextlib.suppress(FileNotFoundError):
                for entry in (entry for entry in os.scandir(folder) if entry.name.endswith((OPEN, CLOSED))):
                    with contextlib.suppress(FileNotFoundError):
                        found = entry.stat()
                        size += found.st_blocks * 512
                        if entry.name.endswith(CLOSED) and folder != self.refused:
                            waiting += 1
                            oldest = min(found.st_mtime, oldest or found.st_mtime)
        return Usage(size, waiting, oldest)

    def recover(self) -> bool:
        """Close what dead writers left open and count what they lost. Whether a writer lives. Raises OSError."""
        living = False
        with self.locked():
            for writer in self.writers():
                if _lives(self.folder(writer) / COUNTERS):
                    living = True
                else:
                    self._recover(writer)
        return living

    def _recover(self, writer: str) -> None:
        """Safe to be ended anywhere and begun again."""
        folder = self.folder(writer)
        counters = folder / COUNTERS
        if counters.exists():
            counted = read_counters(counters)
            written = max([counted["written"], *map(_cut, folder.glob(f"*{OPEN}"))])
            totals = Totals.load(self.totals)
            totals.fold(writer, counted, written)
            totals.folded = [name for name in totals.folded if (self.folder(name) / COUNTERS).exists()]
            totals.save(self.totals)
            for path in folder.glob(f"*{OPEN}"):
                path.rename(path.with_suffix(CLOSED))
            counters.unlink()
        with contextlib.suppress(OSError):
            folder.rmdir()


def _lives(counters: Path) -> bool:
    try:
        file = os.open(counters, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False


def _cut(path: Path) -> int:
    """Cut the torn tail of an open segment; how many records its writer had written up to its end."""
    with path.open("r+b") as file:
        try:
            first = read_header(file).first
        except ValueError:
            file.truncate(0)
            return 0
        count = sum(1 for _ in frames(file))
        file.truncate(file.tell())
        return first - 1 + count
