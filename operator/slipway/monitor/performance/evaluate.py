"""Answers against the truth: metrics, verdicts, segments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from slipway.api.v1alpha1.model import Task
from slipway.api.v1alpha1.model_monitor import CheckStatus, Performance, Segment, Truths
from slipway.monitor.performance.classes import find_classes
from slipway.monitor.performance.measure import family
from slipway.monitor.performance.numbers import Unusable
from slipway.monitor.performance.report import drawn
from slipway.monitor.performance.sample import Labelled, Numeric, labelled, numeric
from slipway.monitor.performance.segments import Group, groups, judged, worst
from slipway.monitor.performance.verdict import Judge, counted_out
from slipway.monitor.result import PerformanceReport, SegmentReport


@dataclass(frozen=True)
class Evaluation:
    """What the truth says about the answers."""

    checks: list[CheckStatus]
    """Of all rows, then of the segments."""
    report: PerformanceReport
    segments: list[SegmentReport]
    worst_segment: str
    """`plan=basic`; empty where no group has a value."""


def evaluate(table: pa.Table, task: Task, spec: Performance, segments: Sequence[Segment] = (), truths: Truths | None = None) -> Evaluation:
    """Of matched rows. Columns: `truth_label` (text), `truth_value` (float64), `prediction` (any scalar), `p_CLASS` (a class's probability;
    may be absent), and one by the name of each segment. `truths` is passed on to the report. Never raises for what rows hold.
    """
    try:
        sample = read(table, family(task, [metric.name for metric in spec.metrics]), spec.positive_class)
    except Unusable as reason:
        return _nothing([Judge().no_data(metric, str(reason)) for metric in spec.metrics], len(table), truths)
    except Exception as error:
        return _nothing([Judge().broken(metric, error) for metric in spec.metrics], len(table), truths)
    left_out = counted_out(sample.left_out)
    judge = Judge(min_rows=spec.ground_truth.min_matched, left_out=left_out)
    checks = [judge.measured(metric, sample) for metric in spec.metrics]
    reports, broken = _segmented(table, sample, spec, segments, judge)
    checks += [check for report in reports for check in report.checks]
    report = drawn(sample, left_out).model_copy(update={"truths": truths})
    return Evaluation(checks + broken, report, reports, worst(reports))


def read(table: pa.Table, task: Task, positive_class: str | None) -> Labelled | Numeric:
    """The rows that can be compared. Raises Unusable."""
    if task == "Regression":
        return numeric(table)
    return labelled(table, find_classes(table, task == "BinaryClassification", positive_class))


def _nothing(checks: list[CheckStatus], rows: int, truths: Truths | None) -> Evaluation:
    return Evaluation(checks, PerformanceReport(rows=rows, truths=truths, note=checks[0].message), [], "")


def _segmented(
    table: pa.Table, sample: Labelled | Numeric, spec: Performance, segments: Sequence[Segment], judge: Judge
) -> tuple[list[SegmentReport], list[CheckStatus]]:
    """Reports of all groups, and a check for each column that forms none."""
    found: list[Group] = []
    without: list[CheckStatus] = []
    for segment in segments:
        try:
            found += _groups(table, sample, segment)
        except Unusable as reason:
            without.append(_of_column(judge.no_data(spec.metrics[0], str(reason)), segment))
        except Exception as error:
            without.append(_of_column(judge.broken(spec.metrics[0], error), segment))
    return judged(found, spec.metrics, judge), without


def _groups(table: pa.Table, sample: Labelled | Numeric, segment: Segment) -> list[Group]:
    if segment.column not in table.column_names:
        raise Unusable(f"there is no column {segment.column} to form groups by")
    return list(groups(table, sample, segment))


def _of_column(check: CheckStatus, segment: Segment) -> CheckStatus:
    return check.model_copy(update={"column": segment.column})
