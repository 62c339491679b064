"""The segment that is being written."""

from __future__ import annotations

import contextlib
import errno
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from slipway_runtime.capture.record import Header
from slipway_runtime.capture.spool import CLOSED, OPEN

Write = Callable[[int, Sequence[bytes]], int]


class OpenSegment:
    """Appends whole records or nothing."""

    def __init__(self, folder: Path, header: Header, durable: bool, write: Write = os.writev) -> None:
        """Make the file. Raises OSError and leaves none."""
        self.number = header.number
        self.size = 0
        self.began = time.monotonic()
        self._durable = durable
        self._write = write
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / f"{header.number:010}{OPEN}"
        self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            self.append([header.pack()])
            self._sync_folder()
        except OSError:
            self._path.unlink()
            os.close(self._file)
            raise

    def append(self, buffers: Sequence[bytes]) -> None:
        """Write, and wait for the disk where it is durable. Raises OSError; then nothing was appended."""
        size = sum(map(len, buffers))
        try:
            if self._write(self._file, buffers) != size:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            if self._durable:
                os.fdatasync(self._file)
        except OSError:
            os.ftruncate(self._file, self.size)
            raise
        self.size += size

    def close(self) -> None:
        """Give it to the shipper. Raises OSError."""
        with contextlib.suppress(OSError):  # what `close` says of a file on a local disk was said before
            os.close(self._file)
        self._path.rename(self._path.with_suffix(CLOSED))
        self._sync_folder()

    def _sync_folder(self) -> None:
        if not self._durable:
            return
        folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
