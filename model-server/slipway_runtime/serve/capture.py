"""Ties capture to a server: what the model says of its columns, the thread that writes, the metrics."""

from __future__ import annotations

from prometheus_client import REGISTRY

from slipway_runtime.capture.metrics import CaptureMetrics
from slipway_runtime.capture.recorder import Recorder
from slipway_runtime.capture.settings import CaptureSettings
from slipway_runtime.capture.writer import Writer
from slipway_runtime.serve.dataplane import SlipwayDataPlane


class Capture:
    """One server's."""

    def __init__(self, settings: CaptureSettings, data_plane: SlipwayDataPlane) -> None:
        self.writer = Writer(settings, data_plane.columns)
        self.recorder = Recorder(settings, self.writer)
        REGISTRY.register(CaptureMetrics(self.writer.spool, self.writer.counters))
