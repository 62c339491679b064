"""`Result` to HTML."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from slipway.api.v1alpha1.model_monitor import WORST_FIRST, CheckStatus, Verdict, worst_of
from slipway.monitor.report.distribution import distribution, residuals
from slipway.monitor.report.plots import calibration, histories, matrix
from slipway.monitor.report.shapes import clipped, number, percent
from slipway.monitor.result import ColumnReport, PerformanceReport, Result, SegmentReport

DRAWN_COLUMNS = 50
"""The others are in the table alone."""
SHOWN_COLUMNS, SHOWN_CHECKS, SHOWN_SEGMENTS = 1000, 500, 50
"""The JSON beside has them all."""


def page(result: Result) -> str:
    """The whole page. Everything that users wrote is escaped."""
    checks = sorted(result.checks, key=lambda check: WORST_FIRST.index(check.verdict))
    columns = _by_worst(result.columns, checks)
    performance = [one for one in (result.performance, result.estimate) if one is not None]
    return (
        _environment()
        .get_template("report.html")
        .render(
            result=result,
            run=result.run,
            about=result.monitored,
            checks=checks[:SHOWN_CHECKS],
            verdicts={(column.role, column.name): _verdict_of(column, checks) for column in columns},
            drawn=[(column, distribution(column)) for column in columns[:DRAWN_COLUMNS]],
            columns=columns[:SHOWN_COLUMNS],
            histories=histories(result.history, checks),
            performance=[(one, _plots(one)) for one in performance],
            segments=_worst_segments(result.segments),
        )
    )


@cache
def _environment() -> Environment:
    found = Environment(
        loader=PackageLoader("slipway.monitor.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    found.filters |= {"number": number, "percent": percent, "clipped": clipped}
    return found


def _plots(report: PerformanceReport) -> dict[str, object]:
    return {
        "calibration": calibration(report.calibration),
        "matrix": matrix(report),
        "residuals": residuals(report.residuals) if report.residuals else None,
    }


def _by_worst(columns: Sequence[ColumnReport], checks: Sequence[CheckStatus]) -> list[ColumnReport]:
    """Those with the worst checks first, and among them those that drifted most."""
    drift = {check.column: check.value or 0.0 for check in checks if check.check in ("Drift", "PredictionDrift")}
    return sorted(columns, key=lambda column: (WORST_FIRST.index(_verdict_of(column, checks)), -drift.get(column.name, 0.0)))


def _verdict_of(column: ColumnReport, checks: Sequence[CheckStatus]) -> Verdict:
    kinds = ("Drift", "DataQuality") if column.role == "Feature" else ("PredictionDrift",)
    found = {check.verdict for check in checks if check.column == column.name and check.check in kinds}
    return worst_of(found)


def _worst_segments(segments: Sequence[SegmentReport]) -> list[SegmentReport]:
    """The worst verdicts first, then as performance has them."""
    return sorted(segments, key=lambda one: min((WORST_FIRST.index(check.verdict) for check in one.checks), default=9))[:SHOWN_SEGMENTS]
