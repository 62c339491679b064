"""What was handed over, written and dropped: numbers that outlive a killed process, in a small mapped file of its own."""

from __future__ import annotations

import fcntl
import json
import logging
import mmap
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

logger = logging.getLogger(__name__)
SLOTS = ("records", "written", "memory", "disk", "refused")
REASONS = ("memory", "disk", "refused", "killed")
"""Why a record was dropped: too many wait in memory; the disk or the spool is full; the same in Durable, so the caller got a 503;
the process ended before it was written.
"""
SIZE = 8 * len(SLOTS)


class Counters:
    """Of one process. Each slot has one thread that writes it. The lock on the file tells others that the process lives."""

    def __init__(self, path: Path) -> None:
        """Map the file, made and locked; where that cannot be, count in memory alone."""
        self.records, self.written, self.memory, self.disk, self.refused = range(len(SLOTS))
        self._file: int | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._file, fcntl.LOCK_EX)
            os.posix_fallocate(self._file, 0, SIZE)  # a full disk must not be met by a store into the map: that is a SIGBUS
            with path.open("r+b") as file:  # a map keeps a copy of its descriptor, and with it would keep the lock
                self._map = mmap.mmap(file.fileno(), SIZE)
        except OSError as error:
            logger.error("the spool cannot be written, nothing is captured: %s", error)
            self._map = mmap.mmap(-1, SIZE)
        self._values = memoryview(self._map).cast("Q")

    def add(self, slot: int, count: int = 1) -> None:
        self._values[slot] += count

    def release(self) -> None:
        """Say that the process is done: what it counted may be folded. The numbers stay readable here."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def clear(self) -> None:
        """They were folded into the totals."""
        for slot in range(len(SLOTS)):
            self._values[slot] = 0

    def values(self) -> dict[str, int]:
        return dict(zip(SLOTS, self._values, strict=True))


def read_counters(path: Path) -> dict[str, int]:
    """What an ended process counted; zeros where the file is short."""
    content = path.read_bytes()[:SIZE].ljust(SIZE, b"\0")
    return dict(zip(SLOTS, memoryview(content).cast("Q"), strict=True))


@dataclass
class Totals:
    """Of all ended processes of this pod."""

    records: int = 0
    dropped: dict[str, int] = field(default_factory=lambda: dict.fromkeys(REASONS, 0))
    folded: list[str] = field(default_factory=list)
    """Writers that are in these numbers already, though their file may still be there."""

    @classmethod
    def load(cls, path: Path) -> Totals:
        """From the file; zeros where there is none that can be read."""
        try:
            content = json.loads(path.read_text())
            return cls(int(content["records"]), {reason: int(content["dropped"][reason]) for reason in REASONS}, list(content["folded"]))
        except (OSError, ValueError, KeyError, TypeError):
            return cls()

    def fold(self, writer: str, counted: Mapping[str, int], written: int) -> None:
        """Take up an ended writer that has `written` records in segments; what is missing was lost with its process."""
        if writer in self.folded:
            return
        dropped = {reason: counted.get(reason, 0) for reason in REASONS}
        dropped["killed"] = max(0, counted["records"] - written - sum(dropped.values()))
        self.records += max(counted["records"], written)
        for reason, count in dropped.items():
            self.dropped[reason] += count
        self.folded.append(writer)

    def save(self, path: Path) -> None:
        replace(path, json.dumps(vars(self)).encode())


def replace(path: Path, content: bytes) -> None:
    """Write the file whole or not at all."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.write_bytes(content)
    fresh.replace(path)
