"""How answers compare with the truth, or are expected to: metrics with intervals, segments, estimates (docs/monitors/performance.md)."""
