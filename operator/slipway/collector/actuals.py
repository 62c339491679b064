"""Ground truth into its table, once, with what is known of the predictions it is about."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa

from slipway.collector import metrics
from slipway.collector.batch.casting import cast
from slipway.collector.batch.layout import Columns
from slipway.collector.find import Finder
from slipway.collector.ingest import Proposal
from slipway.collector.log.table import Table
from slipway.collector.settings import Limits
from slipway.collector.truth import Row

Subject = str
"""A prediction's id, or a key as JSON: what ground truth is about."""
Times = dict[Subject, datetime]
"""When the newest prediction of a subject was made."""


@dataclass(frozen=True)
class Truth:
    """A request's rows, for the table."""

    application: str
    sequence: int
    rows: pa.Table


def store(predictions: Table, actuals: Table, finder: Finder, truth: Truth, late_days: int, limits: Limits) -> dict[str, Any]:
    """Stores the rows and counts them: `{"accepted", "duplicate", "unmatched", "late", "state"}`. Blocks: for threads.

    Unmatched, late and duplicate rows are stored like all others; of duplicates the one that came last holds. Sent again under the same
    writer and sequence, nothing is counted: `Known`.
    """
    subjects = [_subject(row) for row in truth.rows.select(_about(truth.rows)).to_pylist()]
    made = _made(predictions, finder, truth.rows)
    arrived = truth.rows["arrived"].to_pylist()
    matched = [subject in made for subject in subjects]
    late = [subject in made and at - made[subject] > timedelta(days=late_days) for subject, at in zip(subjects, arrived, strict=True)]
    duplicates = _duplicates(actuals, finder, truth.rows, subjects)
    rows = truth.rows.append_column("late", pa.array(late, pa.bool_())).append_column("matched", pa.array(matched, pa.bool_()))
    done = actuals.commit(Proposal(actuals, [Truth(truth.application, truth.sequence, rows)], {}, limits), create=True)
    counts = {"duplicate": duplicates, "unmatched": matched.count(False), "late": late.count(True)}
    if not done:
        return {"accepted": len(rows), "state": "Known"} | dict.fromkeys(counts, 0)
    for kind, count in {**counts, "matched": matched.count(True)}.items():
        metrics.ACTUALS.labels(kind).inc(count)
    metrics.ROWS.labels("actuals").inc(len(rows))
    return {"accepted": len(rows), "state": "Stored"} | counts


def _about(rows: pa.Table) -> list[str]:
    return ["prediction_id", *sorted(name for name in rows.column_names if name.startswith("key_"))]


def _subject(row: Row) -> Subject:
    """Numbers are the same as text: the table may have either."""
    if row.get("prediction_id") is not None:
        return str(row["prediction_id"])
    return json.dumps({name: str(value) for name, value in sorted(row.items()) if value is not None and name != "prediction_id"})


def _made(predictions: Table, finder: Finder, rows: pa.Table) -> Times:
    found: Times = {}
    for columns, part in _parts(predictions, finder, rows, ("time",)):
        for row in part.to_pylist():
            subject = _subject({name: row.get(name) for name in columns})
            found[subject] = max(found.get(subject, row["time"]), row["time"])
    return found


def _duplicates(actuals: Table, finder: Finder, rows: pa.Table, subjects: list[Subject]) -> int:
    """Rows about something that is known already, by the table or by a row before."""
    known = {
        (_subject({name: row.get(name) for name in columns}), row["row"], row["output"])
        for columns, part in _parts(actuals, finder, rows, ("row", "output"))
        for row in part.to_pylist()
    }
    count = 0
    for about in zip(subjects, rows["row"].to_pylist(), rows["output"].to_pylist(), strict=True):
        count += about in known
        known.add(about)
    return count


def _parts(table: Table, finder: Finder, rows: pa.Table, more: Iterable[str]) -> Iterable[tuple[list[str], pa.Table]]:
    """Rows of the table that may be about the same: once by id, once for each set of key columns, with the columns that say so."""
    ids = rows["prediction_id"].combine_chunks().drop_null().unique()
    yield ["prediction_id"], finder.select(table, "prediction_id", ids, ["prediction_id", *more])
    snapshot = table.snapshot()
    if snapshot is None:
        return
    for keys in {
        tuple(sorted(name for name, value in row.items() if value is not None)) for row in rows.select(_about(rows)[1:]).to_pylist()
    }:
        if keys and all(key in _columns(snapshot.columns) for key in keys):
            names = _columns(snapshot.columns)
            first = rows[keys[0]].combine_chunks()
            values, _ = cast(first, snapshot.columns.types[names[keys[0]]])
            wanted = [names[key] for key in keys]
            found = finder.select(table, wanted[0], values.drop_null().unique(), [*wanted, *more])
            yield list(keys), found.rename_columns({names[key]: key for key in keys}) if len(found) else found


def _columns(columns: Columns) -> dict[str, str]:
    """Column by original name."""
    return {original: column for column, original in columns.originals.items()}
