"""The groups that a column forms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from slipway.api.v1alpha1.model_monitor import HIGHER_IS_BETTER, CheckStatus, MetricThresholds, Segment
from slipway.monitor.performance.labels import canonical
from slipway.monitor.performance.numbers import IntArray, z_of
from slipway.monitor.performance.sample import Labelled, Numeric
from slipway.monitor.performance.verdict import Judge
from slipway.monitor.result import SegmentReport

OTHER, ABSENT = "(other)", "(missing)"
MAX_VALUE = 60
"""Characters of a value that a group's name shows."""


@dataclass(frozen=True)
class Group:
    """The rows with one value."""

    name: str
    sample: Labelled | Numeric
    min_rows: int


def groups(table: pa.Table, sample: Labelled | Numeric, segment: Segment) -> Iterator[Group]:
    """The most frequent values, then the others together, then rows without a value; none is empty."""
    names, codes = _values(table[segment.column].take(pa.array(sample.index)))
    counts = np.bincount(codes, minlength=len(names) + 1)
    order = sorted(range(len(names)), key=lambda code: (-counts[code], names[code]))
    top = order[: segment.max_values]
    chosen = [(names[code], codes == code) for code in top]
    chosen += [(OTHER, (codes < len(names)) & ~np.isin(codes, top)), (ABSENT, codes == len(names))]
    for name, rows in chosen:
        if rows.any():
            yield Group(f"{segment.column}={name[:MAX_VALUE]}", sample.take(rows), segment.min_rows)


def _values(column: pa.ChunkedArray) -> tuple[list[str], IntArray]:
    """Each distinct value as text, and each row's place in that list; the place after the last for none."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    coded = pc.dictionary_encode(column.cast(pa.string()) if pa.types.is_null(column.type) else column).combine_chunks()
    texts = [_text(value) for value in coded.dictionary.to_pylist()]
    names = list(dict.fromkeys(text for text in texts if text is not None))
    place = {text: number for number, text in enumerate(names)}
    table = np.array([*(len(names) if text is None else place[text] for text in texts), len(names)], dtype=np.int64)
    return names, np.asarray(table[coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)], dtype=np.int64)


def _text(value: object) -> str | None:
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else canonical(value)


def judged(found: Sequence[Group], metrics: Sequence[MetricThresholds], judge: Judge) -> list[SegmentReport]:
    """Every metric of every group. What decides is an interval wide enough for all groups together (Bonferroni), so that many groups
    raise no more false alarms than one.
    """
    looked_at = sum(group.sample.rows >= group.min_rows for group in found)
    z = z_of(1 - 0.05 / max(1, looked_at))
    reports = []
    for group in found:
        own = replace(judge, min_rows=group.min_rows, z=z, segment=group.name, left_out="")
        checks = [own.measured(metric, group.sample) for metric in metrics]
        reports.append(SegmentReport(segment=group.name, rows=group.sample.rows, checks=checks))
    return reports


def worst(reports: Sequence[SegmentReport]) -> str:
    """The group whose first metric is worst, of those that have a value; empty where none has."""
    found = [(report.segment, report.checks[0]) for report in reports if report.checks and report.checks[0].value is not None]
    return min(found, key=lambda item: _goodness(item[1]))[0] if found else ""


def _goodness(check: CheckStatus) -> float:
    value = check.value or 0.0
    return value if check.measure in HIGHER_IS_BETTER else -value
