"""What a window looks like, and how far it is from its baseline: pure, and apart from reading Arrow batches without I/O.

`profile.build` freezes a baseline, `scan.scan` counts a window against it in one pass, and `drift`, `quality`, `health` and `staleness`
draw their checks from these counts alone. Estimators, bins and edge cases: docs/monitors/statistics.md.
"""
