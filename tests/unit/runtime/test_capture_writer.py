"""The writer's thread: group commit, disks that fill up or break, bounds, what a dead process leaves."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from slipway_runtime.capture import writer as module
from slipway_runtime.capture.counters import Totals, read_counters
from slipway_runtime.capture.progress import Progress
from slipway_runtime.capture.record import REST, Record, frames, read_header, unpack
from slipway_runtime.capture.settings import CaptureSettings, SpoolSettings
from slipway_runtime.capture.spool import Spool
from slipway_runtime.capture.writer import Writer
from tests.wait import until

SETTINGS = {"mode": "Full", "samplePercent": 100, "delivery": "BestEffort"}


def record(number: int, size: int = 10) -> Record:
    return Record(str(number), number, REST, request=b"q" * size, answer=b"a")


def ids(spool: Spool) -> list[str]:
    found: list[str] = []
    for segment in spool.closed():
        with segment.path.open("rb") as file:
            header = read_header(file)
            assert header.first == len(found) + 1
            found += [unpack(payload).id for payload in frames(file)]
    return found


class Disk:
    """Writes as `os.writev`, or fails as told."""

    def __init__(self) -> None:
        self.failure: int | None = None
        self.short = False
        self.gate = threading.Event()
        self.gate.set()
        self.writes = 0

    def write(self, file: int, buffers: Sequence[bytes]) -> int:
        self.gate.wait()
        self.writes += 1
        if self.failure:
            raise OSError(self.failure, os.strerror(self.failure))
        return os.writev(file, [b"".join(buffers)[:-1]] if self.short else buffers)


def begin(path: Path, disk: Disk, durable: bool = False, limit: int = 1 << 20) -> Writer:
    return Writer(CaptureSettings(SpoolSettings(path, limit), durable=durable), lambda: (["x"], None), disk.write)


class Waiting:
    """What Durable calls were told."""

    def __init__(self) -> None:
        self.told: list[int | None] = []

    def done(self, failure: OSError | None) -> None:
        self.told.append(failure.errno if failure else None)


def test_one_fsync_serves_all_that_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fdatasync", synced.append)
    disk, waiting = Disk(), Waiting()
    writer = begin(tmp_path, disk, durable=True)
    disk.gate.clear()
    for number in range(30):
        writer.put(record(number), waiting.done)
    disk.gate.set()
    until(lambda: len(waiting.told) == 30, 10, "all answers", every=0.01)
    assert len(synced) <= 4  # the header's, whatever the first turn took, and the rest
    writer.close()
    assert waiting.told == [None] * 30
    assert ids(writer.spool) == [str(number) for number in range(30)]


@pytest.mark.parametrize("fault", [errno.ENOSPC, errno.EIO, "short"])
def test_a_write_that_fails_leaves_nothing_and_the_next_works(fault: int | str, tmp_path: Path) -> None:
    disk, waiting = Disk(), Waiting()
    writer = begin(tmp_path, disk, durable=True)
    for number, failing in enumerate((False, True, False)):
        disk.failure = fault if failing and isinstance(fault, int) else None
        disk.short = failing and fault == "short"
        writer.put(record(number), waiting.done)
        while len(waiting.told) == number:
            pass
        assert writer.is_blocked or not failing
    writer.close()
    assert waiting.told == [None, fault if isinstance(fault, int) else errno.ENOSPC, None]
    assert ids(writer.spool) == ["0", "2"]


def test_an_fsync_that_fails_is_no_success(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer, waiting = begin(tmp_path, Disk(), durable=True), Waiting()
    writer.put(record(0), waiting.done)
    until(lambda: waiting.told, 10, "an answer", every=0.01)

    def broken(file: int) -> None:
        raise OSError(errno.EIO, "broken")

    monkeypatch.setattr(os, "fdatasync", broken)
    writer.put(record(1), waiting.done)
    until(lambda: len(waiting.told) == 2, 10, "an answer", every=0.01)
    writer.close()
    assert waiting.told == [None, errno.EIO]
    assert ids(writer.spool) == ["0"]


def test_best_effort_counts_what_it_drops(tmp_path: Path) -> None:
    disk = Disk()
    writer = begin(tmp_path, disk)
    disk.failure = errno.ENOSPC
    writer.put(record(0))
    until(lambda: writer.counters.values()["disk"] == 1, 10, "a drop")
    disk.failure = None
    writer.put(record(1))
    writer.close()
    assert ids(writer.spool) == ["1"]


def test_what_earlier_writers_left_counts(tmp_path: Path) -> None:
    earlier = begin(tmp_path, Disk())
    earlier.put(record(0, 50_000))
    earlier.close()
    writer = begin(tmp_path, Disk(), limit=60_000)
    writer.put(record(1, 20_000))
    until(lambda: writer.counters.values()["disk"] == 1, 10, "a drop")
    writer.close()
    assert ids(writer.spool) == ["0"]


def test_memory_has_a_bound(tmp_path: Path) -> None:
    disk = Disk()
    disk.gate.clear()
    writer = begin(tmp_path, disk, limit=1 << 30)
    while writer.has_memory:
        writer.put(record(0, 1 << 20))
    assert writer._put_bytes - writer._taken_bytes <= module.MEMORY_BYTES + (2 << 20)
    disk.gate.set()
    until(lambda: writer.has_memory, 10, "memory again")
    writer.close()


def test_a_long_outage_makes_few_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SEGMENT_SECONDS", 0.0)
    writer = begin(tmp_path, Disk())
    for number in range(60):
        writer.put(record(number))
        while writer.counters.values()["written"] == number:
            pass
    writer.close()
    assert len(writer.spool.closed()) == module.WAITING_SEGMENTS + 1
    assert len(ids(writer.spool)) == 60


def test_a_spool_that_cannot_be_made_does_not_end_the_server(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    writer = begin(tmp_path / "file", Disk())
    writer.counters.add(writer.counters.records)
    writer.put(record(0))
    until(lambda: writer.counters.values()["disk"] == 1, 10, "a drop")
    writer.close()


def dead(path: Path, written: int, tail: bytes, accepted: int) -> Spool:
    """A spool as a killed process leaves it: a segment that is open, a torn record, more handed over than written."""
    writer = begin(path, Disk())
    for number in range(written):
        writer.put(record(number))
    writer.close()
    spool = writer.spool
    spool.totals.unlink()
    (segment,) = spool.closed()
    segment.path.rename(segment.path.with_suffix(".open")).open("ab").write(tail)
    slots = [accepted, written - 1, 1, 0, 0]  # killed between the write and the count
    (segment.path.parent / "counters").write_bytes(b"".join(slot.to_bytes(8, "little") for slot in slots))
    return spool


@pytest.mark.parametrize("tail", [b"", b"\x10", b"\x05\0\0\0\0\0\0\0abc", b"\xff" * 40])
def test_a_dead_writer_is_recovered_once(tail: bytes, tmp_path: Path) -> None:
    spool = dead(tmp_path, 3, tail, 10)
    assert spool.recover() is False
    assert spool.recover() is False
    assert ids(spool) == ["0", "1", "2"]
    totals = Totals.load(spool.totals)
    assert (totals.records, totals.dropped["memory"], totals.dropped["killed"]) == (10, 1, 6)


def test_a_recovery_that_was_killed_is_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = dead(tmp_path, 3, b"", 10)

    def killed(self: Path, target: Path) -> Path:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("slipway_runtime.capture.spool.OPEN", ".open")
        patch.setattr(Path, "unlink", lambda self: killed(self, self))
        with pytest.raises(KeyboardInterrupt):
            spool.recover()
    spool.recover()
    assert Totals.load(spool.totals).dropped["killed"] == 6
    assert ids(spool) == ["0", "1", "2"]


def test_a_living_writer_is_left_alone(tmp_path: Path) -> None:
    writer = begin(tmp_path, Disk())
    writer.put(record(0))
    until(lambda: writer.counters.values()["written"], 10, "a write")
    assert Spool(tmp_path).recover() is True
    assert read_counters(writer.spool.folder(writer.id) / "counters")["written"] == 1
    writer.close()
    assert Spool(tmp_path).recover() is False


@pytest.mark.parametrize("content", ["", "null", "[]", '{"rows": "x"}'])
def test_files_of_counts_that_are_broken_are_zeros(content: str, tmp_path: Path) -> None:
    (tmp_path / "f").write_text(content)
    assert Totals.load(tmp_path / "f") == Totals()
    assert Progress.load(tmp_path / "f") == Progress()


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("[]", "not a JSON object"),
        ("{", "Expecting"),
        ('{"mode": "All"}', "mode is 'All', not one of Full, Metadata"),
        ('{"delivery": "Sure"}', "delivery is 'Sure', not one of BestEffort, Durable"),
        ('{"samplePercent": 0}', "samplePercent is 0"),
        ('{"samplePercent": true}', "samplePercent is True"),
    ],
)
def test_settings_that_are_wrong(asked: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CaptureSettings.load({"SLIPWAY_CAPTURE": asked})


def test_settings_and_sampling() -> None:
    assert CaptureSettings.load({}) is None
    half = CaptureSettings.load({"SLIPWAY_CAPTURE": '{"samplePercent": 50, "mode": "Metadata"}'})
    assert half is not None
    assert not half.bodies
    kept = [number for number in range(2000) if half.samples(f"order-{number}")]
    assert 900 < len(kept) < 1100
    assert kept == [number for number in range(2000) if half.samples(f"order-{number}")]
