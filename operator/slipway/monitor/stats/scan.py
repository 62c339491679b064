"""The one pass over a window's rows."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from slipway.monitor.stats.convert import Kind, as_floats, as_mask, as_whole, flat
from slipway.monitor.stats.profile import CategoryProfile, NumberProfile, Profile
from slipway.monitor.stats.tally import Numbers, Tally, Texts
from slipway.monitor.stats.window import Calls, WindowProfile

Range = tuple[float | None, float | None]
HEALTH_COLUMNS = ("status", "row", "latency_ms")
"""What a batch should have beside features and outputs. Without `status` all rows were answered; without `row` each is a call."""
UNKNOWN, OK, SERVER_ERROR = 0, 200, 500
CHUNK_ROWS = 131_072
"""Batches are counted in pieces of so many rows: a megabyte a column, which stays in the cache while it is sorted."""


class Scanner:
    """Counts batches against a baseline's bins. Not for several threads at once: `fork` one for each, and merge their windows."""

    def __init__(
        self,
        profile: Profile | None,
        columns: Mapping[str, Kind],
        ranges: Mapping[str, Range] | None = None,
        categories: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        known = profile.columns if profile else {}
        self._window = WindowProfile(
            {
                name: _texts(known.get(name), (categories or {}).get(name))
                if kind == "Category"
                else _numbers(known.get(name), (ranges or {}).get(name, (None, None)))
                for name, kind in columns.items()
            }
        )

    def fork(self) -> Scanner:
        """One that has counted nothing yet."""
        other = Scanner(None, {})
        other._window = WindowProfile({name: tally.empty() for name, tally in self._window.columns.items()})
        return other

    def add(self, batch: pa.RecordBatch) -> None:
        """Counts the batch. A column that cannot be counted is among `errors`, and left out from there on."""
        for start in range(0, len(batch), CHUNK_ROWS):
            self._add_chunk(batch.slice(start, CHUNK_ROWS))

    def window(self) -> WindowProfile:
        return self._window

    def _add_chunk(self, chunk: pa.RecordBatch) -> None:
        count_calls(self._window.calls, chunk)
        answered = _answered(chunk)
        rows = len(chunk) if answered is None else pc.sum(answered).as_py() or 0
        self._window.rows += rows
        for name, tally in self._window.columns.items():
            if name not in self._window.errors:
                self._add_column(tally, name, chunk, answered, rows)

    def _add_column(self, tally: Tally, name: str, chunk: pa.RecordBatch, answered: pa.Array | None, rows: int) -> None:
        try:
            place = chunk.schema.get_field_index(name)
            if place < 0:
                tally.add_absent(rows)
                return
            column = flat(chunk.column(place))
            tally.add(column if answered is None else column.filter(answered))
        except Exception as error:  # one bad column is no reason to know nothing of the others
            self._window.errors[name] = f"{type(error).__name__}: {error}"[:200]


def scan(scanner: Scanner, batches: Iterable[pa.RecordBatch], threads: int = 2) -> WindowProfile:
    """Counts all batches, by several threads that take turns at asking for the next one; no batch is kept."""
    shared, lock = iter(batches), threading.Lock()
    forks = [scanner.fork() for _ in range(threads)]
    with ThreadPoolExecutor(threads, thread_name_prefix="scan") as pool:
        list(pool.map(lambda fork: _drain(fork, shared, lock), forks))
    for fork in forks:
        scanner.window().merge(fork.window())
    return scanner.window()


def _drain(scanner: Scanner, batches: Iterator[pa.RecordBatch], lock: threading.Lock) -> None:
    while True:
        with lock:
            batch = next(batches, None)
        if batch is None:
            return
        scanner.add(batch)


def count_calls(calls: Calls, chunk: pa.RecordBatch) -> None:
    """Adds the calls of these rows: those whose `row` is 0."""
    fields = {name: chunk.column(name) for name in HEALTH_COLUMNS if chunk.schema.get_field_index(name) >= 0}
    first = as_whole(fields["row"]) == 0 if "row" in fields else np.ones(len(chunk), np.bool_)
    calls.total += int(np.count_nonzero(first))
    if "status" in fields:
        status = as_whole(fields["status"])[first]
        calls.failed += int(np.count_nonzero(status >= SERVER_ERROR))
        calls.refused += int(np.count_nonzero((status < SERVER_ERROR) & (status != OK) & (status != UNKNOWN)))
    if "latency_ms" in fields:
        calls.latencies.add(as_floats(fields["latency_ms"] if first.all() else fields["latency_ms"].filter(as_mask(first))))


def _answered(chunk: pa.RecordBatch) -> pa.Array | None:
    """Which rows were answered; None for all."""
    if chunk.schema.get_field_index("status") < 0:
        return None
    answered = as_whole(chunk.column("status")) == OK
    return None if answered.all() else as_mask(answered)


def _numbers(profile: NumberProfile | CategoryProfile | None, bounds: Range) -> Numbers:
    known = profile if isinstance(profile, NumberProfile) else None
    lowest, highest = bounds
    if bounds == (None, None) and known:
        lowest, highest = known.minimum, known.maximum
    return Numbers(
        np.array(known.points if known else (), np.float64),
        -math.inf if lowest is None else float(lowest),
        math.inf if highest is None else float(highest),
    )


def _texts(profile: NumberProfile | CategoryProfile | None, declared: Sequence[str] | None) -> Texts:
    known = [*profile.categories, *profile.others] if isinstance(profile, CategoryProfile) else []
    if declared:
        return Texts(list(dict.fromkeys([*known, *declared])), frozenset(declared))
    complete = isinstance(profile, CategoryProfile) and profile.complete
    return Texts(known, frozenset(known) if complete else None)
