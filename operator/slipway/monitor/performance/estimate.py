"""How good answers are expected to be while their truth is not known. Marked as an estimate, refused where it has no ground."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from slipway.api.v1alpha1.model import Task
from slipway.api.v1alpha1.model_monitor import CheckStatus, Metric, MetricThresholds, Performance
from slipway.monitor.performance import cbpe, dle
from slipway.monitor.performance.classes import find_classes
from slipway.monitor.performance.features import Encoder, drawn, encoder
from slipway.monitor.performance.measure import OF_NUMBERS, family, measure, scored
from slipway.monitor.performance.numbers import Z95, Estimate, Undefined, Unusable, around
from slipway.monitor.performance.probability import Scored
from slipway.monitor.performance.report import calibration, confusion
from slipway.monitor.performance.sample import Labelled, Numeric, labelled, numeric
from slipway.monitor.performance.verdict import Judge, counted_out
from slipway.monitor.result import PerformanceReport

MAX_REFERENCE = 50_000
"""Rows that a model of the error is learned of; of more, so many are drawn."""


@dataclass(frozen=True)
class Estimation:
    """What is expected of the answers."""

    checks: list[CheckStatus]
    report: PerformanceReport


def estimate(reference: pa.Table | None, window: pa.Table, task: Task, spec: Performance) -> Estimation:
    """Of a window without truth, by reference rows with truth. Columns as in evaluate(), and for regression the features `in_*`.

    Nothing where `spec.estimate` is Never. Never raises for what rows hold.
    """
    if spec.estimate == "Never":
        return Estimation([], PerformanceReport(estimated=True, rows=len(window), note="not asked for"))
    judge = Judge(check="EstimatedPerformance", worst="Warning", min_rows=spec.ground_truth.min_matched)
    try:
        if reference is None or not len(reference):
            raise Unusable("there are no reference rows with truth (kubectl slipway push --baseline)")
        if family(task, [metric.name for metric in spec.metrics]) == "Regression":
            return _of_numbers(reference, window, spec, judge)
        return _of_classes(reference, window, task, spec, judge)
    except (Unusable, Undefined) as reason:
        checks = [judge.no_data(metric, f"no estimate: {reason}") for metric in spec.metrics]
    except Exception as error:
        checks = [judge.broken(metric, error) for metric in spec.metrics]
    return Estimation(checks, PerformanceReport(estimated=True, rows=len(window), note=checks[0].message))


def _of_classes(reference: pa.Table, window: pa.Table, task: Task, spec: Performance, judge: Judge) -> Estimation:
    classes = find_classes(reference, task == "BinaryClassification", spec.positive_class)
    known, asked = labelled(reference, classes), labelled(window, classes, with_truth=False)
    _enough(known, asked, judge)
    rows, ahead = scored(known), scored(asked)
    _enough(rows, ahead, judge)
    calibrator = cbpe.learned(rows)
    if not calibrator.error <= cbpe.MAX_ERROR:
        raise Undefined(
            f"calibration is not shown: the error is {calibrator.error:.3f} on held-out reference rows, {cbpe.MAX_ERROR} at most is needed"
        )
    shares = calibrator(ahead.probabilities)
    judge = replace(judge, left_out=counted_out(asked.left_out))
    checks = [_check(judge, metric, known, ahead.rows, lambda name: cbpe.expected(name, shares, ahead)) for metric in spec.metrics]
    return Estimation(checks, _report(calibrator, ahead, cbpe.expected_matrix(shares, ahead.predicted), known))


def _report(calibrator: cbpe.Calibrator, ahead: Scored, matrix: np.typing.NDArray[np.float64], known: Labelled) -> PerformanceReport:
    names, counts = confusion(list(known.classes.names), matrix)
    how = "isotonic calibration" if calibrator.curves else "the model's own probabilities"
    note = f"CBPE with {how} on {known.rows:,} reference rows, error {calibrator.error:.3f} on a held-out half (shown)"
    return PerformanceReport(
        estimated=True, rows=ahead.rows, calibration=calibration(calibrator.held_out), classes=names, confusion=counts, note=note
    )


def _of_numbers(reference: pa.Table, window: pa.Table, spec: Performance, judge: Judge) -> Estimation:
    known, asked = numeric(drawn(reference, MAX_REFERENCE, cbpe.SEED)), numeric(window, with_truth=False)
    learned_of = drawn(reference, MAX_REFERENCE, cbpe.SEED).take(pa.array(known.index))
    _enough(known, asked, judge)
    ahead = window.take(pa.array(asked.index))
    how = encoder([learned_of, ahead], [name for name in learned_of.column_names if name.startswith("in_")])
    before, after = _inputs(how, learned_of, known), _inputs(how, ahead, asked)
    errors = np.abs(known.predicted - known.truth)
    categorical = [*how.categorical, False]
    judge = replace(judge, left_out=counted_out(asked.left_out))

    def expected(name: Metric) -> float:
        return dle.expected(name, before, errors, after, categorical)

    checks = [_check(judge, metric, known, asked.rows, expected) for metric in spec.metrics]
    note = f"DLE with {len(how.columns)} features on {known.rows:,} reference rows"
    if how.left_out:
        note += f"; left out: {', '.join(how.left_out)}"
    return Estimation(checks, PerformanceReport(estimated=True, rows=asked.rows, note=note[:1000]))


def _inputs(how: Encoder, table: pa.Table, sample: Numeric) -> np.typing.NDArray[np.float64]:
    """The features and, last, the prediction."""
    return np.column_stack([*([how.matrix(table)] if how.columns else []), sample.predicted])


def _enough(known: Labelled | Numeric | Scored, asked: Labelled | Numeric | Scored, judge: Judge) -> None:
    if known.rows < cbpe.MIN_REFERENCE:
        raise Undefined(f"{known.rows:,} usable reference rows with truth, {cbpe.MIN_REFERENCE} are needed to show calibration")
    if asked.rows < judge.min_rows:
        raise Undefined(f"the window has {asked.rows:,} usable rows, {judge.min_rows:,} are needed")


def _check(
    judge: Judge, metric: MetricThresholds, known: Labelled | Numeric, rows: int, expected: Callable[[Metric], float]
) -> CheckStatus:
    """The expected value. Its interval is that of the metric on the reference rows, made wider or narrower for the window's rows."""
    try:
        value, realised = expected(metric.name), measure(metric.name, known)
    except Undefined as reason:
        return judge.no_data(metric, str(reason), rows)
    except Exception as problem:
        return judge.broken(metric, problem, rows)
    low, high = realised.between(Z95)
    error = (high - low) / 2 / Z95 * math.sqrt(1 + realised.rows / rows)
    top = math.inf if metric.name in {*OF_NUMBERS, "logLoss", "brier"} else 1.0
    return judge.judged(metric, Estimate(value, rows, around(value, error, 0.0, top), "an estimate, without truth"))
