"""What `/metrics` says of capture: this process's counters, those of its predecessors in the pod, and the shipper's."""

from __future__ import annotations

import time
from collections.abc import Iterable

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from slipway_runtime.capture.counters import REASONS, Counters, Totals
from slipway_runtime.capture.progress import Progress
from slipway_runtime.capture.spool import Spool


class CaptureMetrics(Collector):
    """Read anew at each scrape."""

    def __init__(self, spool: Spool, counters: Counters) -> None:
        self._spool = spool
        self._counters = counters

    def collect(self) -> Iterable[Metric]:
        """The families of docs/prediction-log.md."""
        totals, own = Totals.load(self._spool.totals), self._counters.values()
        yield _counter("slipway_capture_records", "Calls handed to the prediction log", totals.records + own["records"])
        dropped = CounterMetricFamily("slipway_capture_dropped", "Calls that the prediction log does not have", labels=["reason"])
        for reason in REASONS:
            dropped.add_metric([reason], totals.dropped[reason] + own.get(reason, 0))
        yield dropped
        yield from self._shipping()

    def _shipping(self) -> Iterable[Metric]:
        usage, progress = self._spool.usage(), Progress.load(self._spool.progress)
        lag = 0.0 if usage.oldest is None else max(0.0, time.time() - usage.oldest)
        yield GaugeMetricFamily("slipway_capture_spool_bytes", "What the spool holds on disk", usage.bytes)
        yield GaugeMetricFamily("slipway_capture_lag_seconds", "Age of the oldest segment that was not shipped yet", lag)
        yield _counter("slipway_capture_shipped_rows", "Rows that the collector acknowledged", progress.rows)
        yield _counter("slipway_capture_refused", "Batches refused for good, or unreadable", progress.refused)
        failures = CounterMetricFamily("slipway_capture_send_failures", "Batches to be sent again", labels=["code"])
        for code, count in progress.failures.items():
            failures.add_metric([code], count)
        yield failures


def _counter(name: str, text: str, value: float) -> CounterMetricFamily:
    return CounterMetricFamily(name, text, value)
