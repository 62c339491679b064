"""The one scan over a window."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from slipway.monitor.features import Columns
from slipway.monitor.log.reading import LogTable
from slipway.monitor.log.sample import Sample
from slipway.monitor.log.span import Span
from slipway.monitor.stats.profile import Profile
from slipway.monitor.stats.scan import HEALTH_COLUMNS, Scanner, scan
from slipway.monitor.stats.window import WindowProfile

SAMPLE_ROWS = 10_000
"""Rows of window and baseline that a classifier tells apart."""
SEED = 8
OK = 200


@dataclass(frozen=True)
class Scanned:
    """A window, counted."""

    profile: WindowProfile
    version: str
    """With most rows; empty without any."""
    sample: pa.Table | None
    """Answered rows, of the features alone, where they were asked for."""


def scanned(predictions: LogTable, span: Span, columns: Columns, baseline: Profile | None, sample: bool) -> Scanned:
    """Counts the window's rows. Raises whatever the store does."""
    scanner = Scanner(baseline, columns.kinds, columns.ranges, columns.categories)
    versions, kept = Counter[str](), Sample(SAMPLE_ROWS, SEED) if sample else None
    features = [name for name in columns.features if predictions.type_of(name)]

    def watched() -> Iterator[pa.RecordBatch]:
        for batch in predictions.batches(span, [*columns.kinds, *HEALTH_COLUMNS, "version"]):
            _count(versions, batch)
            if kept is not None:
                kept.add(answered(batch).select([name for name in features if name in batch.schema.names]))
            yield batch

    profile = scan(scanner, watched())
    common = versions.most_common(1)
    return Scanned(profile, common[0][0] if common else "", kept.rows() if kept is not None else None)


def answered(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Its rows with status 200."""
    return batch.filter(pc.fill_null(pc.equal(batch["status"], OK), False))


def _count(versions: Counter[str], batch: pa.RecordBatch) -> None:
    if "version" not in batch.schema.names:
        return
    for one in pc.value_counts(batch["version"]):
        if one["values"].is_valid:
            versions[one["values"].as_py()] += one["counts"].as_py()
