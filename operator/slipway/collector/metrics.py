"""The collector's metrics. Each is described in docs/metrics.md; a test compares the two."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

REGISTRY = CollectorRegistry()
"""Not the common one: that has the operator's metrics as well."""
ProcessCollector(registry=REGISTRY)

BATCHES = Counter(
    "slipway_collector_batches", "Batches by what became of them: Stored, Known, Refused, Behind, Failed.", ["result"], registry=REGISTRY
)
ROWS = Counter("slipway_collector_rows", "Rows stored.", ["table"], registry=REGISTRY)
BYTES = Counter("slipway_collector_bytes", "Bytes of the requests whose rows were stored.", ["table"], registry=REGISTRY)
COMMIT = Histogram(
    "slipway_collector_commit_seconds",
    "Time of one commit, with its files and repetitions.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
    registry=REGISTRY,
)
CONFLICTS = Counter("slipway_collector_conflicts", "Commits that met another one and were made again.", registry=REGISTRY)
GROUP = Histogram("slipway_collector_group_batches", "Batches in one commit.", buckets=(1, 2, 4, 8, 16, 32, 64, 128), registry=REGISTRY)
LAG = Histogram(
    "slipway_collector_lag_seconds",
    "Age of the oldest row of a commit when it was stored.",
    buckets=(0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 86400),
    registry=REGISTRY,
)
PENDING = Gauge("slipway_collector_pending_bytes", "Bodies that wait for their commit.", registry=REGISTRY)
OVERFLOW = Counter(
    "slipway_collector_overflow", "Rows of which a value went to the column `other`.", ["namespace", "deployment"], registry=REGISTRY
)
ACTUALS = Counter(
    "slipway_collector_actuals", "Ground truth taken, by what it is: matched, unmatched, late, duplicate.", ["kind"], registry=REGISTRY
)
FILES = Gauge("slipway_collector_table_files", "Data files of a table.", ["namespace", "deployment", "table"], registry=REGISTRY)
MAINTENANCE = Counter("slipway_collector_maintenance", "Maintenance of tables by task and result.", ["task", "result"], registry=REGISTRY)
ERASED = Counter("slipway_collector_erased_rows", "Rows erased on demand.", registry=REGISTRY)
FIND = Histogram(
    "slipway_collector_find_seconds",
    "Time of one lookup by id.",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
    registry=REGISTRY,
)
