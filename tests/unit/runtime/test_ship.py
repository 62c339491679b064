"""The shipper against a collector that refuses, loses answers and comes back; one that is killed; one told nonsense."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest

from slipway_runtime.capture.progress import Progress
from slipway_runtime.capture.record import REST, Record
from slipway_runtime.capture.settings import CaptureSettings, SpoolSettings
from slipway_runtime.capture.spool import Spool
from slipway_runtime.capture.writer import Writer
from slipway_runtime.ship import shipper as module
from slipway_runtime.ship.sender import Sender
from slipway_runtime.ship.settings import Identity
from slipway_runtime.ship.shipper import Shipper
from tests.unit.runtime.capturing import collecting, shipping, wait_empty
from tests.wait import until

IDENTITY = Identity("ns", "churn", "churn-model", "3", "sha256:0")


def fill(root: Path, *ids: str, segments: int = 1) -> Spool:
    """A spool in which an ended writer left these calls, as many times."""
    for _ in range(segments):
        writer = Writer(CaptureSettings(SpoolSettings(root)), lambda: (None, None))
        for identifier in ids:
            writer.counters.add(writer.counters.records)
            writer.put(Record(identifier, 1_000_000, REST, status=400, error="no"))
        writer.close()
    return Spool(root)


@pytest.fixture
def shipper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Shipper]:
    monkeypatch.setattr("slipway_runtime.ship.pace.FIRST_SECONDS", 0.01)
    (tmp_path / "token").write_text("t")

    def make(url: str) -> Shipper:
        return Shipper(Spool(tmp_path / "spool"), 1 << 20, Sender(url, tmp_path / "token"), IDENTITY, Event(), end_seconds=0.5)

    return make


def test_whatever_the_collector_says_each_row_arrives_once(tmp_path: Path, shipper: Callable[[str], Shipper]) -> None:
    spool = fill(tmp_path / "spool", "a", "b", segments=2)
    with collecting(refusals=[503, 401, 429, 403, 500], lost_answers=2) as collector:
        shipper(collector.url).step()
        assert collector.ids == ["a", "b", "a", "b"]
        assert collector.repeated == 2
    assert spool.closed() == []
    assert Progress.load(spool.progress) == Progress(4, 0, {"503": 1, "401": 1, "429": 1, "403": 1, "500": 1, "connection": 2})


def test_what_is_refused_for_good_is_kept_aside(tmp_path: Path, shipper: Callable[[str], Shipper]) -> None:
    spool = fill(tmp_path / "spool", "a", segments=3)
    with collecting(refusals=[400, 413]) as collector:
        shipper(collector.url).step()
        assert collector.ids == ["a"]
    assert len(list(spool.refused.iterdir())) == 2
    assert Progress.load(spool.progress).refused == 2


def test_refused_segments_have_a_bound(tmp_path: Path, shipper: Callable[[str], Shipper], monkeypatch: pytest.MonkeyPatch) -> None:
    spool = fill(tmp_path / "spool", "a", segments=3)
    monkeypatch.setattr(module, "REFUSED_SHARE", 1 << 12)  # of 1 MiB: 256 bytes, less than two segments
    with collecting(refusals=[400] * 3) as collector:
        shipper(collector.url).step()
    assert len(list(spool.refused.iterdir())) == 1


@pytest.mark.parametrize("content", [b"garbage", b"\0" * 100, b"\xff" * 100])
def test_a_segment_that_cannot_be_read_holds_nothing_up(content: bytes, tmp_path: Path, shipper: Callable[[str], Shipper]) -> None:
    spool = fill(tmp_path / "spool", "a", "b", segments=2)
    first, _ = spool.closed()
    first.path.write_bytes(content)
    with collecting() as collector:
        shipper(collector.url).step()
        assert collector.ids == ["a", "b"]
    assert [path.read_bytes() for path in spool.refused.iterdir()] == [content]


def test_a_torn_segment_gives_what_it_has(tmp_path: Path, shipper: Callable[[str], Shipper]) -> None:
    spool = fill(tmp_path / "spool", "a", "b")
    (segment,) = spool.closed()
    segment.path.write_bytes(segment.path.read_bytes()[:-1])
    with collecting() as collector:
        shipper(collector.url).step()
        assert collector.ids == ["a"]
    assert len(list(spool.refused.iterdir())) == 1


def test_batches_have_a_bound_and_sequences_rise(
    tmp_path: Path, shipper: Callable[[str], Shipper], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("slipway_runtime.ship.batches.MAX_ROWS", 2)
    fill(tmp_path / "spool", "a", "b", "c", "d", "e")
    with collecting() as collector:
        shipper(collector.url).step()
        assert [sequence for _, sequence in collector.batches] == [65536, 65537, 65538]
        assert collector.ids == ["a", "b", "c", "d", "e"]


def test_the_token_is_read_anew(tmp_path: Path) -> None:
    with collecting() as collector, shipping(tmp_path / "spool", collector.url, tmp_path) as shipper:
        fill(tmp_path / "spool", "a")
        until(lambda: collector.ids == ["a"], 30, "the first row")
        shipper.token.write_text("second\n")
        fill(tmp_path / "spool", "b")
        until(lambda: collector.ids == ["a", "b"], 30, "the second row")
        assert collector.tokens == ["Bearer first", "Bearer second"]


def test_a_killed_shipper_sends_the_same_again(tmp_path: Path) -> None:
    with collecting(lost_answers=1) as collector:
        with shipping(tmp_path / "spool", collector.url, tmp_path) as first:
            fill(tmp_path / "spool", "a", "b")
            until(lambda: collector.ids == ["a", "b"], 30, "the rows")
            first.process.send_signal(signal.SIGKILL)
            first.process.wait()
        with shipping(tmp_path / "spool", collector.url, tmp_path):
            wait_empty(tmp_path / "spool")
        assert collector.ids == ["a", "b"]
        assert collector.repeated <= 1  # the first may have been told by its second try


def test_sigterm_flushes_and_ends(tmp_path: Path) -> None:
    fill(tmp_path / "spool", "a", segments=5)
    with collecting(refusals=[503]) as collector, shipping(tmp_path / "spool", collector.url, tmp_path) as shipper:
        until(lambda: "shipping" in shipper.log_path.read_text(), 30, "a start")
        assert shipper.end() == 0
        assert len(collector.ids) == 5


def test_without_a_collector_it_ends_in_time(tmp_path: Path, shipper: Callable[[str], Shipper]) -> None:
    spool = fill(tmp_path / "spool", "a")
    one = shipper("http://127.0.0.1:9")
    one._stopping.set()
    one.run()
    assert len(spool.closed()) == 1


def test_a_wrong_environment_does_not_end_it(tmp_path: Path) -> None:
    with shipping(tmp_path / "spool", "ftp://nowhere", tmp_path) as shipper:
        until(lambda: "not a URL of http or https" in shipper.log_path.read_text(), 30, "its log")
        assert shipper.process.poll() is None
        assert shipper.end() == 0
