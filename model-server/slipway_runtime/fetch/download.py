"""Copies an artifact from a source to a folder: a few files in parallel, resumed after a break, hashed while written."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import random
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from slipway_runtime.failure import ArtifactInvalid, Failure, FetchFailed
from slipway_runtime.fetch.digest import TreeDigest, canonical_path
from slipway_runtime.fetch.source import PassingFault, RemoteFile, Source

PARALLEL_FILES = 4
ATTEMPTS = 6
"""Faults in a row, without progress between them, after which a fetch gives up."""
PROGRESS_BYTES = 1 << 20
"""So many new bytes count as progress."""
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 15.0
"""Seconds."""

T = TypeVar("T")
Pause = Callable[[float], Awaitable[None]]


async def download(source: Source, target: Path, pause: Pause = asyncio.sleep) -> TreeDigest:
    """Copy all files of the source below an empty target and answer what was written. Raises Failure."""
    files = await persist(source.files, lambda: 0, pause)
    _refuse_unsafe_names(files)
    tree = TreeDigest()
    slots = asyncio.Semaphore(PARALLEL_FILES)

    async def one(file: RemoteFile) -> None:
        async with slots:
            partial = PartialFile(target / canonical_path(file.name))
            try:
                await persist(lambda: _copy(source, file, partial), lambda: partial.size, pause)
            finally:
                partial.close()
            tree.add(file.name, partial.size, partial.sha256)

    try:
        async with asyncio.TaskGroup() as tasks:
            for file in files:
                tasks.create_task(one(file))
    except ExceptionGroup as group:
        raise _first_failure(group) from group
    return tree


async def persist(attempt: Callable[[], Awaitable[T]], progress: Callable[[], int], pause: Pause) -> T:
    """Repeat the attempt after passing faults, with back-off; give up after ATTEMPTS in a row without progress."""
    faults, mark = 0, progress()
    while True:
        try:
            return await attempt()
        except PassingFault as fault:
            if progress() >= mark + PROGRESS_BYTES:
                faults, mark = 0, progress()
            faults += 1
            if faults >= ATTEMPTS:
                raise FetchFailed(f"{fault}; gave up after {ATTEMPTS} attempts: check the store and the network") from fault
        await pause(min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (faults - 1)) * random.uniform(0.75, 1.25))


class PartialFile:
    """A file that is being written, with the SHA-256 of what it holds so far."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = open(path, "xb", buffering=0)  # noqa: SIM115 (`close` closes it, after the last attempt)
        os.fchmod(self._file.fileno(), 0o644)
        self._hasher = hashlib.sha256()
        self.size = 0

    def write(self, chunk: bytes) -> None:
        """Append; a full disk raises FetchFailed."""
        view = memoryview(chunk)
        while view:
            view = view[self._file.write(view) :]
        self._hasher.update(chunk)
        self.size += len(chunk)

    def restart(self) -> None:
        """Forget everything written."""
        self._file.seek(0)
        self._file.truncate()
        self._hasher = hashlib.sha256()
        self.size = 0

    @property
    def sha256(self) -> str:
        return self._hasher.hexdigest()

    def close(self) -> None:
        self._file.close()


async def _copy(source: Source, file: RemoteFile, partial: PartialFile) -> None:
    async with source.read(file, partial.size) as body:
        if body.offset != partial.size:
            partial.restart()
        async for chunk in body.chunks:
            partial.write(chunk)
    if body.size is not None and partial.size != body.size:
        arrived = partial.size
        if arrived > body.size:
            partial.restart()
        raise PassingFault(f"{file.name} ended after {arrived} of {body.size} bytes")


def empty_folder(folder: Path) -> None:
    """Remove everything below the folder, which may be a mount point, and make it if it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def _refuse_unsafe_names(files: list[RemoteFile]) -> None:
    """The digest's own rules, applied before the first byte is written: no traversal, no two files in one place."""
    rehearsal = TreeDigest()
    for file in files:
        rehearsal.add(file.name, 0, "")
    rehearsal.digest()


def _first_failure(group: ExceptionGroup[Exception]) -> Exception:
    errors = _leaves(group)
    failure = next((error for error in errors if isinstance(error, Failure)), errors[0])
    return _disk_failure(failure) if isinstance(failure, OSError) else failure


def _leaves(group: ExceptionGroup[Exception]) -> list[Exception]:
    nested = (_leaves(error) if isinstance(error, ExceptionGroup) else [error] for error in group.exceptions)
    return [error for errors in nested for error in errors]


def _disk_failure(error: OSError) -> Failure:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return FetchFailed("the model volume is full: raise the pod's ephemeral-storage limit or push a smaller artifact")
    if error.errno in (errno.EEXIST, errno.ENOTDIR, errno.ENAMETOOLONG, errno.EISDIR):
        return ArtifactInvalid(f"the artifact's names do not fit a file system: {error.strerror}: {error.filename}")
    return FetchFailed(f"the model volume cannot be written: {error.strerror}")
