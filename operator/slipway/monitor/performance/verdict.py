"""From an estimate to a check: a metric is bad where its whole interval is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from slipway.api.v1alpha1.model_monitor import HIGHER_IS_BETTER, CheckKind, CheckStatus, MetricThresholds, Verdict
from slipway.monitor.performance.measure import OF_PROBABILITIES, measure
from slipway.monitor.performance.numbers import Z95, Estimate, Undefined
from slipway.monitor.performance.sample import Labelled, Numeric

MAX_MESSAGE = 512


@dataclass(frozen=True)
class Judge:
    """How metrics are judged."""

    check: CheckKind = "Performance"
    min_rows: int = 0
    z: float = Z95
    """Of the interval that decides; wider than 95 % where many groups are looked at."""
    segment: str = ""
    worst: Verdict = "Critical"
    """No verdict is worse."""
    left_out: str = ""
    """Said with every check."""

    def measured(self, metric: MetricThresholds, sample: Labelled | Numeric) -> CheckStatus:
        """The metric of these rows. Never raises: what breaks is a check with verdict Error."""
        if sample.rows < self.min_rows:
            return self.no_data(metric, f"{sample.rows:,} rows with truth and prediction, {self.min_rows:,} are needed", sample.rows)
        try:
            estimate, remark = measure(metric.name, sample), self._unusable(metric, sample)
            if estimate.rows < self.min_rows:
                return self.no_data(metric, f"{estimate.rows:,} rows {remark}, {self.min_rows:,} are needed", estimate.rows)
            return self.judged(metric, estimate, remark)
        except Undefined as reason:
            return self.no_data(metric, str(reason), sample.rows)
        except Exception as error:
            return self.broken(metric, error, sample.rows)

    def judged(self, metric: MetricThresholds, estimate: Estimate, remark: str = "") -> CheckStatus:
        """The verdict on an estimate."""
        low, high = estimate.between(Z95)
        if not all(map(math.isfinite, (estimate.value, low, high))):
            return self.no_data(metric, "its value is no finite number", estimate.rows)
        verdict, threshold = _verdict(metric, *estimate.between(self.z))
        if verdict == "Critical":
            verdict = self.worst
        text = f"{metric.name} {estimate.value:.4g} ({low:.4g} to {high:.4g}, {estimate.rows:,} rows)"
        if verdict != "Healthy":
            text += f": worse than {threshold:g}, chance aside"
        return CheckStatus(
            check=self.check,
            measure=metric.name,
            segment=self.segment,
            value=float(estimate.value),
            lower=float(low),
            upper=float(high),
            threshold=threshold,
            rows=estimate.rows,
            verdict=verdict,
            message=_sentence(text, estimate.note, remark, self.left_out),
        )

    def no_data(self, metric: MetricThresholds, reason: str, rows: int = 0) -> CheckStatus:
        """There is no value, and why."""
        return self._without("NoData", metric, f"{metric.name}: {reason}", rows)

    def broken(self, metric: MetricThresholds, error: Exception, rows: int = 0) -> CheckStatus:
        """Something went wrong here."""
        return self._without("Error", metric, f"{metric.name}: {type(error).__name__}: {error}", rows)

    def _without(self, verdict: Verdict, metric: MetricThresholds, text: str, rows: int) -> CheckStatus:
        return CheckStatus(
            check=self.check,
            measure=metric.name,
            segment=self.segment,
            threshold=metric.critical if metric.warning is None else metric.warning,
            rows=rows,
            verdict=verdict,
            message=_sentence(text, self.left_out),
        )

    @staticmethod
    def _unusable(metric: MetricThresholds, sample: Labelled | Numeric) -> str:
        """How many rows a metric of probabilities did without."""
        if isinstance(sample, Numeric) or sample.probabilities is None or metric.name not in OF_PROBABILITIES:
            return ""
        unusable = sample.rows - int((sample.probabilities[:, 0] >= 0).sum())
        return f"without {unusable:,} rows that have no usable probabilities" if unusable else ""


def counted_out(left_out: Mapping[str, int]) -> str:
    """`left out: 3 without a truth, 1 with an unknown true label`, or nothing."""
    return "left out: " + ", ".join(f"{count:,} {reason}" for reason, count in left_out.items()) if left_out else ""


def _verdict(metric: MetricThresholds, low: float, high: float) -> tuple[Verdict, float | None]:
    """With the threshold that was crossed, or else the first that would be."""
    levels: tuple[tuple[Verdict, float | None], ...] = (("Critical", metric.critical), ("Warning", metric.warning))
    for verdict, threshold in levels:
        if threshold is not None and (high < threshold if metric.name in HIGHER_IS_BETTER else low > threshold):
            return verdict, threshold
    return "Healthy", metric.critical if metric.warning is None else metric.warning


def _sentence(*parts: str) -> str:
    return "; ".join(part for part in parts if part)[:MAX_MESSAGE]
