"""Performance: answers of `windowDays` against the truth, or an estimate while too little of it is known."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pyarrow as pa

from slipway.api.v1alpha1.model_monitor import CheckStatus, Performance, Truths
from slipway.monitor.baseline.choose import Reference
from slipway.monitor.baseline.names import TRUTH
from slipway.monitor.checking import failed, log
from slipway.monitor.log.reading import LogTable
from slipway.monitor.log.sample import sampled
from slipway.monitor.log.span import Span
from slipway.monitor.log.truth import Question, join
from slipway.monitor.objects import Objects
from slipway.monitor.performance.evaluate import evaluate
from slipway.monitor.result import PerformanceReport, SegmentReport
from slipway.monitor.window import SEED, answered

ESTIMATE_ROWS = 50_000
"""Of reference rows and of the window, for an estimate: of more, a random sample."""


@dataclass(frozen=True)
class Performed:
    """What is known of the answers' quality."""

    checks: tuple[CheckStatus, ...] = ()
    truths: Truths | None = None
    report: PerformanceReport | None = None
    estimate: PerformanceReport | None = None
    segments: tuple[SegmentReport, ...] = ()
    worst_segment: str = ""


def performed(objects: Objects, predictions: LogTable, actuals: LogTable, reference: Reference, now: datetime) -> Performed:
    """Checks of kind `Performance` and, where the spec wants them, `EstimatedPerformance`. Raises nothing."""
    spec = objects.spec.performance
    if spec is None:
        return Performed()
    try:
        found = _measured(objects, spec, predictions, actuals, now)
    except Exception as error:
        log.exception("performance")
        return Performed((failed("Performance", "groundTruth", error),))
    known = found.truths.matched if found.truths else 0
    if spec.estimate == "Never" or known >= spec.ground_truth.min_matched:
        return found
    try:
        return _estimated(found, objects, spec, predictions, reference, now)
    except Exception as error:
        log.exception("estimate")
        return replace(found, checks=(*found.checks, failed("EstimatedPerformance", "estimate", error)))


def _measured(objects: Objects, spec: Performance, predictions: LogTable, actuals: LogTable, now: datetime) -> Performed:
    names = renamed(predictions, objects)
    delay = timedelta(days=spec.ground_truth.max_delay_days)
    joined = join(predictions, actuals, Question(_span(spec, now), spec.output, list(names), delay, now))
    rows = joined.matched.rename_columns([names.get(name, name) for name in joined.matched.column_names])
    found = evaluate(rows, objects.model["spec"]["task"], spec, objects.spec.segments, joined.truths)
    return Performed(tuple(found.checks), joined.truths, found.report, None, tuple(found.segments), found.worst_segment)


def _estimated(
    found: Performed, objects: Objects, spec: Performance, predictions: LogTable, reference: Reference, now: datetime
) -> Performed:
    from slipway.monitor.performance.estimate import estimate  # with scikit-learn, which most runs do not need

    names = {**renamed(predictions, objects), **{name: name for name in predictions.columns.types if name.startswith("in_")}}
    batches = predictions.padded_batches(_span(spec, now), [*names, "status"])
    window = sampled((answered(batch) for batch in batches), ESTIMATE_ROWS, SEED)
    made = estimate(_reference(reference, names), _named(window, names), objects.model["spec"]["task"], spec)
    return replace(found, checks=(*found.checks, *made.checks), estimate=made.report)


def renamed(predictions: LogTable, objects: Objects) -> dict[str, str]:
    """The log's columns that performance needs, with the names that it knows them by: `prediction`, `p_CLASS`, and each segment's."""
    spec, own = objects.spec.performance, predictions.by_original
    if spec is None:
        return {}
    answer, probability = f"out_{spec.output}", f"out_{spec.probability}"
    names = {own.get(answer, answer): "prediction"}
    if probability in own and own[probability] not in names:
        names[own[probability]] = f"p_{spec.positive_class or 1}"
    names |= {column: f"p_{column[len(probability) + 1 :]}" for column in own.values() if column.startswith(f"{probability}_")}
    for segment in objects.spec.segments:
        names.setdefault(own.get(f"in_{segment.column}", f"in_{segment.column}"), segment.column)
    return names


def _reference(reference: Reference, names: dict[str, str]) -> pa.Table:
    """Reference rows with truth; none where the baseline has no column `truth`."""
    rows = sampled(reference.rows(), ESTIMATE_ROWS, SEED) if reference.rows else pa.table({})
    if TRUTH not in rows.column_names:
        return pa.table({})
    truth = rows[TRUTH]
    numeric = pa.types.is_integer(truth.type) or pa.types.is_floating(truth.type) or pa.types.is_boolean(truth.type)
    labels = truth.cast(pa.string()) if not pa.types.is_floating(truth.type) else pa.chunked_array([_labels(truth)])
    values = truth.cast(pa.float64()) if numeric else pa.nulls(len(rows), pa.float64())
    return _named(rows.drop_columns([TRUTH]), names).append_column("truth_label", labels).append_column("truth_value", values)


def _labels(truth: pa.ChunkedArray) -> pa.Array:
    """Whole numbers without `.0`, as ground truth has them."""
    shown = [None if value is None else str(int(value)) if value == value // 1 else str(value) for value in truth.to_pylist()]
    return pa.array(shown, pa.string())


def _named(rows: pa.Table, names: dict[str, str]) -> pa.Table:
    there = [name for name in rows.column_names if name in names]
    return rows.select(there).rename_columns([names[name] for name in there])


def _span(spec: Performance, now: datetime) -> Span:
    return Span.before(now, timedelta(days=spec.window_days))
