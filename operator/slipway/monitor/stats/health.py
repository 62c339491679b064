"""Checks how the calls of the window went."""

from __future__ import annotations

import math

from slipway.api.v1alpha1.model_monitor import CheckStatus, ServiceHealth, Verdict
from slipway.monitor.performance.numbers import Z95, wilson
from slipway.monitor.stats.window import Calls, WindowProfile

PERCENTILE = 0.99


def health_checks(window: WindowProfile, spec: ServiceHealth) -> list[CheckStatus]:
    """Of what the spec limits. Critical only where the whole 95 % interval is above the limit."""
    checks = []
    if spec.max_error_rate is not None:
        checks.append(_errors(window.calls, spec.max_error_rate))
    if spec.max_latency_p99_milliseconds is not None:
        checks.append(_latency(window.calls, spec.max_latency_p99_milliseconds))
    return checks


def _errors(calls: Calls, most: float) -> CheckStatus:
    if not calls.total:
        return CheckStatus(check="ServiceHealth", measure="errorRate", threshold=most, verdict="NoData", message="no calls")
    lower, upper = wilson(calls.failed, calls.total, Z95)
    return CheckStatus(
        check="ServiceHealth",
        measure="errorRate",
        value=calls.failed / calls.total,
        lower=lower,
        upper=upper,
        threshold=most,
        rows=calls.total,
        verdict=_verdict(lower, most),
        message=f"{calls.failed:,} of {calls.total:,} calls failed",
    )


def _latency(calls: Calls, most: float) -> CheckStatus:
    total = calls.latencies.total
    if not total:
        return CheckStatus(check="ServiceHealth", measure="latencyP99", threshold=most, verdict="NoData", message="no calls")
    low, middle, high = ranks(total, PERCENTILE)
    lower, value, upper = (calls.latencies.at_rank(rank) for rank in (low, middle, high))
    return CheckStatus(
        check="ServiceHealth",
        measure="latencyP99",
        value=value,
        lower=lower,
        upper=upper,
        threshold=most,
        rows=total,
        verdict=_verdict(lower, most),
        message=f"99 % of {total:,} calls took at most {value:.4g} ms",
    )


def _verdict(lower: float, most: float) -> Verdict:
    return "Critical" if lower > most else "Healthy"


def ranks(total: int, share: float) -> tuple[int, int, int]:
    """Ranks of a percentile and of the ends of its 95 % interval, from 1: how many values lie below it is binomial."""
    half = Z95 * math.sqrt(total * share * (1 - share))
    low, high = math.floor(total * share - half), math.ceil(total * share + half) + 1
    return max(1, low), max(1, math.ceil(total * share)), min(total, high)
