"""The download engine over a source in memory: resumption, bounded attempts, unsafe names, a full disk."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from slipway_runtime.failure import ArtifactInvalid, FetchFailed
from slipway_runtime.fetch import download as engine
from slipway_runtime.fetch.download import ATTEMPTS, LONGEST_PAUSE, PARALLEL_FILES, PartialFile, download, empty_folder
from slipway_runtime.fetch.source import Body, PassingFault, RemoteFile
from tests.unit.runtime.fetching import CONTENT, Pauses, digest_of, files_of


class MemorySource:
    """Files in memory; each read sends at most `step` bytes, then breaks off unless the file is complete."""

    def __init__(self, files: dict[str, bytes], step: int = 1 << 30, resumes: bool = True) -> None:
        self.contents = files
        self.step = step
        self.resumes = resumes
        self.reads: list[tuple[str, int]] = []
        self.open = self.most_open = 0
        self.list_faults = 0

    async def files(self) -> list[RemoteFile]:
        if self.list_faults:
            self.list_faults -= 1
            raise PassingFault("503")
        return [RemoteFile(name, name, len(content)) for name, content in self.contents.items()]

    @asynccontextmanager
    async def read(self, file: RemoteFile, offset: int) -> AsyncIterator[Body]:
        self.reads.append((file.name, offset))
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        start = offset if self.resumes else 0
        content = self.contents[file.key]
        yield Body(start, len(content), self._chunks(content[start : start + self.step], start + self.step >= len(content)))
        self.open -= 1

    async def _chunks(self, content: bytes, complete: bool) -> AsyncIterator[bytes]:
        for begin in range(0, len(content), 1000):
            await asyncio.sleep(0)
            yield content[begin : begin + 1000]
        if not complete:
            self.open -= 1
            raise PassingFault("connection reset")


async def test_files_arrive_with_their_digest_and_modes(tmp_path: Path) -> None:
    files = {"model.joblib": CONTENT, "vocab/words.txt": b"one", "vocab/empty": b""}
    assert (await download(MemorySource(files), tmp_path, Pauses())).digest() == digest_of(files)
    assert files_of(tmp_path) == files
    assert (tmp_path / "vocab" / "words.txt").stat().st_mode & 0o777 == 0o644


async def test_a_broken_download_resumes_where_it_broke(tmp_path: Path) -> None:
    source = MemorySource({"model": CONTENT}, step=100_000)
    pauses = Pauses()
    assert (await download(source, tmp_path, pauses)).digest() == digest_of({"model": CONTENT})
    assert source.reads == [("model", 0), ("model", 100_000), ("model", 200_000)]
    assert len(pauses) == 2


async def test_a_source_that_cannot_resume_starts_again(tmp_path: Path) -> None:
    source = MemorySource({"model": CONTENT}, step=100_000, resumes=False)
    with pytest.raises(FetchFailed, match=f"connection reset; gave up after {ATTEMPTS} attempts"):
        await download(source, tmp_path, Pauses())
    assert len(source.reads) == ATTEMPTS


async def test_attempts_are_bounded_with_growing_pauses(tmp_path: Path) -> None:
    pauses = Pauses()
    with pytest.raises(FetchFailed):
        await download(MemorySource({"model": CONTENT}, step=0), tmp_path, pauses)
    assert len(pauses) == ATTEMPTS - 1
    assert pauses == sorted(pauses)
    assert pauses[-1] <= LONGEST_PAUSE * 1.25


async def test_progress_earns_new_attempts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "PROGRESS_BYTES", 10_000)
    source = MemorySource({"model": CONTENT}, step=10_000)
    assert (await download(source, tmp_path, Pauses())).digest() == digest_of({"model": CONTENT})
    assert len(source.reads) == 27


async def test_listing_is_attempted_again(tmp_path: Path) -> None:
    source = MemorySource({"model": b"x"})
    source.list_faults = 2
    assert (await download(source, tmp_path, Pauses())).digest() == digest_of({"model": b"x"})


async def test_a_few_files_at_a_time(tmp_path: Path) -> None:
    source = MemorySource({f"part-{number}": CONTENT[:5000] for number in range(20)})
    await download(source, tmp_path, Pauses())
    assert source.most_open == PARALLEL_FILES


async def test_a_file_that_shrank_starts_again(tmp_path: Path) -> None:
    class Shrinking(MemorySource):
        @asynccontextmanager
        async def read(self, file: RemoteFile, offset: int) -> AsyncIterator[Body]:
            async with super().read(file, offset) as body:
                yield Body(body.offset, 10 if not offset and len(self.reads) == 1 else body.size, body.chunks)

    source = Shrinking({"model": CONTENT})
    assert (await download(source, tmp_path, Pauses())).digest() == digest_of({"model": CONTENT})
    assert source.reads == [("model", 0), ("model", 0)]


@pytest.mark.parametrize("names", [["../escape"], ["/etc/passwd"], ["a/../../b"], ["a", "a/b"], [""], ["ok", "bad\nname"]])
async def test_unsafe_names_are_refused_before_a_byte_is_written(names: list[str], tmp_path: Path) -> None:
    source = MemorySource(dict.fromkeys(names, b"x"))
    with pytest.raises(ArtifactInvalid):
        await download(source, tmp_path / "target", Pauses())
    assert source.reads == []
    assert not (tmp_path / "target").exists()


@pytest.mark.parametrize(
    ("code", "message"), [(errno.ENOSPC, "volume is full: raise the pod's ephemeral-storage"), (errno.EIO, "volume cannot be written")]
)
async def test_a_full_disk_says_so(code: int, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: PartialFile, chunk: bytes) -> None:
        raise OSError(code, "disk trouble")

    monkeypatch.setattr(PartialFile, "write", full)
    with pytest.raises(FetchFailed, match=message):
        await download(MemorySource({"model": b"x"}), tmp_path, Pauses())


def test_empty_folder_removes_everything_but_the_folder(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("stays")
    target = tmp_path / "target"
    (target / "deep" / "er").mkdir(parents=True)
    (target / "deep" / "er" / "file").write_text("goes")
    (target / "link").symlink_to(outside)
    (target / "folder-link").symlink_to(tmp_path)
    empty_folder(target)
    assert list(target.iterdir()) == []
    assert outside.read_text() == "stays"
