"""Checks of calls."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from slipway.api.v1alpha1.model_monitor import CheckStatus, ServiceHealth
from slipway.monitor.performance.numbers import Z95, wilson
from slipway.monitor.stats.health import health_checks, ranks
from slipway.monitor.stats.latency import Latencies
from tests.unit.monitor.stats.counted import window_of

SPEC = ServiceHealth(max_error_rate=0.05, max_latency_p99_milliseconds=100)


def _checks(**rows: Any) -> dict[str, CheckStatus]:
    return {check.measure: check for check in health_checks(window_of(rows, None, {}), SPEC)}


def test_failures_of_the_server_alone_are_errors() -> None:
    check = _checks(status=[200] * 96 + [500, 503, 499, 422])["errorRate"]
    assert (check.value, check.rows, check.verdict) == (0.02, 100, "Healthy")


def test_critical_once_the_whole_interval_is_above() -> None:
    few, many = _checks(status=[200] * 18 + [500] * 2)["errorRate"], _checks(status=[200] * 1800 + [500] * 200)["errorRate"]
    assert (few.value, few.verdict) == (0.1, "Healthy")
    assert (many.value, many.verdict) == (0.1, "Critical")


@pytest.mark.parametrize(("hits", "total"), [(0, 10), (1, 1), (3, 50), (500, 1000)])
def test_the_interval_is_scipys(hits: int, total: int) -> None:
    expected = stats.binomtest(hits, total).proportion_ci(method="wilson")
    assert wilson(hits, total, Z95) == pytest.approx((expected.low, expected.high))


def test_the_99th_percentile_is_within_a_hundredth() -> None:
    latencies = np.random.default_rng(1).lognormal(3, 1, 20_000)
    check = _checks(status=[200] * 20_000, latency_ms=latencies)["latencyP99"]
    exact = np.quantile(latencies, 0.99, method="inverted_cdf")
    assert check.value is not None
    assert exact <= check.value <= exact * 1.01
    assert check.verdict == "Critical"


def test_the_percentiles_interval_covers_it_in_95_of_100() -> None:
    low, _, high = ranks(2000, 0.99)
    covered = stats.binom.cdf(high - 1, 2000, 0.99) - stats.binom.cdf(low - 1, 2000, 0.99)
    assert 0.95 <= covered < 0.98


def test_a_few_slow_calls_are_no_verdict() -> None:
    check = _checks(status=[200] * 50, latency_ms=[10.0] * 48 + [500.0] * 2)["latencyP99"]
    assert (check.value, check.verdict) == (500.0, "Healthy")


def test_no_calls_are_no_data() -> None:
    assert {check.verdict for check in _checks(status=np.zeros(0, np.int32), latency_ms=np.zeros(0)).values()} == {"NoData"}


def test_only_what_the_spec_limits() -> None:
    assert health_checks(window_of({"status": [200]}, None, {}), ServiceHealth()) == []


def test_latencies_beyond_all_bins() -> None:
    found = Latencies()
    found.add(np.array([0.0, 1e9, np.nan, -1.0, np.inf]))
    assert (found.total, found.at_rank(2), found.at_rank(1)) == (2, 1e9, 0.01)
