"""Finds what a monitor compares with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from obstore.store import ObjectStore

from slipway.api.v1alpha1.model_monitor import Baseline, BaselineWindow
from slipway.collector.settings import LogPlace
from slipway.monitor.baseline import frozen, rows
from slipway.monitor.baseline.names import columns_for
from slipway.monitor.log.reading import LogTable
from slipway.monitor.log.span import Span
from slipway.monitor.objects import Objects
from slipway.monitor.result import BaselineUsed
from slipway.monitor.stats.convert import kind_of
from slipway.monitor.stats.profile import Profile, build

Rows = Callable[[], Iterator[pa.RecordBatch]]
"""Reads the rows anew, under the log's names."""


@dataclass(frozen=True)
class Reference:
    """What the window is compared with."""

    used: BaselineUsed
    profile: Profile | None = None
    rows: Rows | None = None
    """Those of a version may have a column `truth`."""


@dataclass(frozen=True)
class Sources:
    """Where baselines are looked for."""

    predictions: LogTable
    log: ObjectStore
    """Of everything below the log's URI."""
    store: LogPlace | None
    folder: Path
    """For the file of reference rows."""


def choose(objects: Objects, window: Span, sources: Sources) -> Reference:
    """What the monitor's spec asks for. Raises Unusable, and whatever the stores do."""
    wanted = objects.spec.baseline or Baseline()
    if wanted.type == "Window" and wanted.window:
        return past_window(sources.predictions, window, wanted.window)
    stated = (objects.version.get("spec") or {}).get("baseline")
    if not stated:
        note = "the version has no reference rows: `kubectl slipway push --baseline`, or `baseline.type: Window`"
        return Reference(BaselineUsed(kind="None", note=note))
    return of_version(stated, objects, sources)


def past_window(predictions: LogTable, window: Span, wanted: BaselineWindow) -> Reference:
    """A profile of the answered rows of an earlier span."""
    span = Span.before(window.start - timedelta(days=wanted.end_days_ago), timedelta(days=wanted.days))
    columns = {name: kind_of(kind) for name, kind in predictions.columns.types.items() if not name.startswith("key_")}

    def read() -> Iterator[pa.RecordBatch]:
        for batch in predictions.batches(span, [*columns, "status"]):
            yield batch.filter(pc.fill_null(pc.equal(batch["status"], 200), False))

    profile = build(read(), columns)
    note = "" if profile.rows else "the past window has no rows"
    return Reference(BaselineUsed(kind="Window", rows=profile.rows, source=str(span), note=note), profile, read)


def of_version(stated: Mapping[str, Any], objects: Objects, sources: Sources) -> Reference:
    """The frozen profile of the version's reference rows; frozen now if it is not yet, once the log knows its columns."""
    meant = rows.Stated(objects.namespace, str(stated["uri"]), str(stated["digest"]))
    rows.own(sources.store, meant.namespace, meant.uri)
    path = frozen.path_of(f"{objects.namespace}/{objects.spec.deployment}", meant.digest)
    profile = frozen.kept(sources.log, path)
    file = _Once(sources, meant)
    if profile is None:
        profile = _profile(file.path, objects, sources)
        if sources.predictions.columns.types:
            profile = frozen.freeze(sources.log, path, profile)

    def read() -> Iterator[pa.RecordBatch]:
        yield from rows.batches(file.path, _names(file.path, objects, sources), sources.predictions.columns.types)

    return Reference(BaselineUsed(kind="Version", rows=profile.rows, source=meant.uri), profile, read)


def _profile(path: Path, objects: Objects, sources: Sources) -> Profile:
    names, types = _names(path, objects, sources), rows.types_in(path)
    logged = sources.predictions.columns.types
    kinds = {column: kind_of(logged.get(column, types[name])) for name, column in names.items()}
    return build(rows.batches(path, names, logged), kinds)


def _names(path: Path, objects: Objects, sources: Sources) -> dict[str, str]:
    return columns_for(rows.types_in(path), objects.model, sources.predictions.by_original)


class _Once:
    """The file, fetched when it is first needed."""

    def __init__(self, sources: Sources, stated: rows.Stated) -> None:
        self._sources, self._stated = sources, stated
        self._path: Path | None = None

    @property
    def path(self) -> Path:
        if self._path is None:
            self._path = rows.fetch(self._stated, self._sources.store, self._sources.folder)
        return self._path
