"""The collector: batches against a bare loop of `write_deltalake` over the same ones on the same S3 server; one id among many rows.

`ROWS` (100 million) is the size of the table in which one id is looked for; its files are made as compaction makes them.
"""

from __future__ import annotations

import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.ipc as ipc
from deltalake import DeltaTable, write_deltalake

from slipway.collector.batch.layout import Columns
from slipway.collector.find import Finder
from slipway.collector.ingest import Batch, store
from slipway.collector.log.files import put
from slipway.collector.log.place import storage_options
from slipway.collector.log.table import Change, Table
from slipway.collector.settings import Limits, LogPlace
from slipway.collector.tables import Tables
from slipway.collector.who import Pod
from tests.bench.table import Row
from tests.bench.table import Table as Figures
from tests.integration.collector.samples import rows, stream, uuid7
from tests.s3 import Server, start_store

ROWS = int(os.environ.get("ROWS", "100000000"))
PAIRS = int(os.environ.get("PAIRS", "5"))
BATCHES = 20
BATCH_ROWS = 10_000
FEATURES = 20
FILE_ROWS = 500_000
LOOKUPS = 20
BUCKET, POD = "log", Pod("bench", "churn", "uid")


async def run() -> Figures:
    home = Path(tempfile.mkdtemp(prefix="slipway-bench-collector-"))
    try:
        with start_store(home / "buckets") as server:
            place = _place(home, server)
            figures = [*_ingest(home), *_lookup(place)]
    finally:
        shutil.rmtree(home, ignore_errors=True)
    about = (
        f"versitygw on the same machine; {PAIRS} pairs of {BATCHES} batches of {BATCH_ROWS:,} rows with {FEATURES} features, each side in "
        f"a process of its own; the table of the lookups has {ROWS:,} rows in {ROWS // FILE_ROWS} files over 30 days."
    )
    return Figures("Collector", about, figures)


def _place(home: Path, server: Server) -> LogPlace:
    server.bucket(BUCKET)
    secret = home / "secret"
    secret.mkdir()
    for name, value in server.secret.items():
        (secret / name).write_text(value)
    return LogPlace(f"s3://{BUCKET}/log", secret)


# ---- ingest


def _ingest(home: Path) -> list[Row]:
    found: dict[str, list[tuple[float, float]]] = {"bare": [], "collector": []}
    for number in range(PAIRS):
        for side in ("bare", "collector") if number % 2 else ("collector", "bare"):
            command = [sys.executable, "-m", "tests.bench.collector", side, str(home / "secret"), f"{side}-{number}"]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            rate, memory = map(float, done.stdout.split())
            found[side].append((rate, memory))
    rates = {side: [rate for rate, _ in pairs] for side, pairs in found.items()}
    peaks = {side: statistics.median(peak for _, peak in pairs) for side, pairs in found.items()}
    ratio = statistics.median(ours / bare for ours, bare in zip(rates["collector"], rates["bare"], strict=True))
    return [
        Row("bare `write_deltalake`", statistics.median(rates["bare"]), "rows a second of one core"),
        Row("collector: decoded, checked, typed, committed", statistics.median(rates["collector"]), "rows a second of one core"),
        Row("collector ÷ bare", ratio, at_least=0.7),
        Row("memory of the bare loop", peaks["bare"], "MiB"),
        Row("memory of the collector", peaks["collector"], "MiB"),
        Row("memory: collector ÷ bare", peaks["collector"] / peaks["bare"], at_most=1.5),
    ]


def _bodies() -> list[bytes]:
    rng = np.random.default_rng(1)
    made = []
    for _ in range(BATCHES):
        ids = [uuid7() for _ in range(BATCH_ROWS)]
        features: dict[str, Any] = {f"in_f{index}": rng.normal(size=BATCH_ROWS) for index in range(FEATURES)}
        made.append(stream(rows("bench", "churn", ids, **features, out_predict=rng.random(BATCH_ROWS)), "lz4"))
    return made


def _side(side: str, secret: Path, name: str) -> None:
    """Prints rows a second of CPU time, and the peak of memory in MiB, of one side."""
    place = LogPlace(f"s3://{BUCKET}/{name}", secret)
    bodies = _bodies()
    before = time.process_time()
    if side == "bare":
        _bare(place, bodies)
    else:
        _ours(place, bodies)
    print(BATCHES * BATCH_ROWS / (time.process_time() - before), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def _bare(place: LogPlace, bodies: list[bytes]) -> None:
    for body in bodies:
        table = ipc.open_stream(body).read_all()
        days = pa.array(table["time"].combine_chunks().cast(pa.date32()))
        options = storage_options(place)
        write_deltalake(
            f"{place.uri}/table", table.append_column("date", days), mode="append", partition_by=["date"], storage_options=options
        )


def _ours(place: LogPlace, bodies: list[bytes]) -> None:
    table = Tables(place).get("bench", "churn", "predictions")
    for sequence, body in enumerate(bodies, 1):
        (outcome,) = store(table, [Batch(POD, "writer", sequence, body)], {}, Limits())
        assert (outcome.rows, outcome.error) == (BATCH_ROWS, None)


# ---- lookup


def _lookup(place: LogPlace) -> list[Row]:
    table = Tables(place).get("bench", "large", "predictions")
    timed, foreign = _fill(table)
    finder = Finder(8)
    first = _seconds(Tables(place).get("bench", "large", "predictions"), Finder(8), timed[:1])[0]
    known = _seconds(table, finder, timed)
    unknown = _seconds(table, finder, foreign)
    finder.close()
    return [
        Row("one id among them, the table just opened", first, "s", at_most=1),
        Row("one id that carries its time (UUIDv7), median", statistics.median(known), "s", at_most=1),
        Row("one id that carries its time, slowest", max(known), "s", at_most=1),
        Row("one id of another kind, median", statistics.median(unknown), "s", at_most=1),
        Row("one id of another kind, slowest (footers not read before)", max(unknown), "s"),
    ]


def _seconds(table: Table, finder: Finder, ids: list[str]) -> list[float]:
    found = []
    for one in ids:
        began = time.monotonic()
        (row,) = finder.predictions(table, one)
        found.append(time.monotonic() - began)
        assert row["prediction_id"] == one
    return found


def _fill(table: Table) -> tuple[list[str], list[str]]:
    """Ids to look for: of each file one UUIDv7, and one random id."""
    count = max(1, ROWS // FILE_ROWS)
    wanted: tuple[list[str], list[str]] = ([], [])

    def write(number: int) -> object:
        ids, part = _part(number, count)
        for kind, one in zip(wanted, ids, strict=True):
            kind.append(one)
        return put(table.store, _day(number, count), part)

    with ThreadPoolExecutor(2) as threads:
        adds = list(threads.map(write, range(count)))
    new = Columns({f"in_f{index}": pa.float64() for index in range(5)}, {f"in_f{index}": f"in_f{index}" for index in range(5)})
    changes: Iterator[Change] = iter([Change(new=new), Change(adds)])  # type: ignore[arg-type]

    def propose(_: DeltaTable) -> Change:
        return next(changes)

    table.commit(propose, create=True)
    return tuple(kind[:: max(1, len(kind) // LOOKUPS)] for kind in wanted)  # type: ignore[return-value]


def _day(number: int, count: int) -> date:
    return (datetime.now(UTC) - timedelta(days=29 - 30 * number // count)).date()


def _part(number: int, count: int) -> tuple[tuple[str, str], pa.Table]:
    """A file's rows, sorted by id: half have UUIDv7 of the file's part of the day, half have random ids."""
    rng = np.random.default_rng(number)
    day = datetime.combine(_day(number, count), datetime.min.time(), UTC)
    stamps = (day.timestamp() * 1000 + np.sort(rng.integers(0, 86_400_000, FILE_ROWS // 2))).astype(">u8")
    timed, foreign = (rng.integers(0, 256, (FILE_ROWS // 2, 16), np.uint8) for _ in range(2))
    timed[:, :6] = stamps.view(np.uint8).reshape(-1, 8)[:, 2:]
    ids = _texts(np.concatenate([_versioned(timed, 7), _versioned(foreign, 4)]))
    features: dict[str, Any] = {f"in_f{index}": rng.random(FILE_ROWS) for index in range(5)}
    table = rows("bench", "large", [""] * FILE_ROWS, day, **features)
    table = table.set_column(table.column_names.index("prediction_id"), "prediction_id", ids)
    wanted = ids[7].as_py(), ids[FILE_ROWS // 2 + 7].as_py()
    return wanted, table.take(pa.compute.sort_indices(ids)).replace_schema_metadata(None)


def _versioned(uuids: Any, version: int) -> Any:
    """The UUIDs, as rows of 16 bytes, with version and variant in their places."""
    uuids[:, 6] = uuids[:, 6] & 0x0F | version << 4
    uuids[:, 8] = uuids[:, 8] & 0x3F | 0x80
    return uuids


def _texts(uuids: Any) -> pa.Array:
    """The UUIDs as text, all at once: 36 characters each."""
    digits = np.frombuffer(b"0123456789abcdef", np.uint8)
    characters = np.full((len(uuids), 36), ord("-"), np.uint8)
    places = [place for place in range(36) if place not in (8, 13, 18, 23)]
    characters[:, places[::2]], characters[:, places[1::2]] = digits[uuids >> 4], digits[uuids & 15]
    offsets = np.arange(0, 36 * len(uuids) + 1, 36, dtype=np.int32)
    return pa.StringArray.from_buffers(len(uuids), pa.py_buffer(offsets.tobytes()), pa.py_buffer(characters.tobytes()))


if __name__ == "__main__":
    _side(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
