"""The operator's metrics. Each is described in docs/metrics.md; a test compares the two."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

RECONCILES = Counter("slipway_reconciles", "Finished reconciles by kind and how they ended.", ["kind", "result"])
DURATION = Histogram(
    "slipway_reconcile_duration_seconds",
    "Time of one reconcile.",
    ["kind"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
QUEUE_DEPTH = Gauge("slipway_queue_depth", "Objects waiting to be reconciled.")
QUEUE_DELAY = Histogram(
    "slipway_queue_delay_seconds",
    "Time from due to picked up.",
    buckets=(0.001, 0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60),
)
QUEUE_RATIONED = Counter("slipway_queue_rationed", "Objects put off because they had come too often in a short time.")
WRITES = Counter("slipway_writes", "Accepted writes to the apiserver.", ["verb", "kind"])
CONFLICTS = Counter("slipway_conflicts", "Writes refused because the object had changed.", ["kind"])
EVENTS_DROPPED = Counter(
    "slipway_events_dropped", "Kubernetes Events not recorded, because the object had said enough for the reason.", ["reason"]
)
ERRORS = Counter("slipway_errors", "Reconciles that failed, by the error's type or the condition's reason.", ["reason"])
LEADER = Gauge("slipway_leader", "1 on the replica that writes.")
WATCH_EVENTS = Counter("slipway_watch_events", "Watch events received.", ["kind"])
OBJECTS = Gauge("slipway_objects", "Objects in memory.", ["kind"])
REPAIRS = Counter("slipway_full_pass_repairs", "Differences that a full pass found: watch events that were missed.", ["kind"])
DEPLOYMENT_INFO = Gauge(
    "slipway_deployment_info",
    "1 for every ModelDeployment, with what it serves.",
    ["namespace", "deployment", "model", "version", "serving", "task", "team", "importance"],
)
DEPLOYMENT_CONDITION = Gauge(
    "slipway_deployment_condition",
    "1 while the condition is True.",
    ["namespace", "deployment", "condition", "reason"],
)
APPROVAL_PENDING = Gauge(
    "slipway_approval_pending_seconds",
    "How long a ModelDeployment has waited for approval; absent while it does not.",
    ["namespace", "deployment"],
)
OVERRIDES = Counter("slipway_overrides", "Revisions that were started without the approvals they need.", ["namespace", "deployment"])
GOVERNS = Gauge("slipway_governs", "1 where ApprovalPolicies govern.")
POLICIES_IN_EFFECT = Gauge("slipway_policies_in_effect", "1 while the admission policies hold that make approvals worth something.")
LEDGER_SIZE = Gauge("slipway_ledger_size", "Entries of the ledger, as far as this replica has seen it.")
LEDGER_APPEND = Histogram(
    "slipway_ledger_append_seconds",
    "Time until appended entries are durable.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
LEDGER_CHECKPOINT_AGE = Gauge("slipway_ledger_checkpoint_age_seconds", "How long the oldest entry without a checkpoint has waited for one.")
LEDGER_FAILURES = Counter("slipway_ledger_failures", "What the ledger could not do.", ["reason"])
for _reason in ("anchor", "append", "behind", "bug", "forked", "open"):
    LEDGER_FAILURES.labels(_reason)  # from 0 on: of a series that begins at 1, increase() sees nothing
MONITOR_VERDICT = Gauge(
    "slipway_monitor_verdict",
    "1 for the verdict that a ModelMonitor has, 0 for the others.",
    ["namespace", "name", "deployment", "model", "team", "importance", "verdict"],
)
MONITOR_KIND_VERDICT = Gauge(
    "slipway_monitor_kind_verdict",
    "1 for the worst verdict of a kind of check in the last run, 0 for the others.",
    ["namespace", "name", "deployment", "importance", "team", "check", "verdict"],
)
MONITOR_CHECK = Gauge(
    "slipway_monitor_check",
    "What a check of the last run measured, over all rows.",
    ["namespace", "name", "deployment", "check", "measure", "column"],
)
MONITOR_LAST_RUN = Gauge(
    "slipway_monitor_last_run_timestamp_seconds",
    "When the last run of a ModelMonitor ended.",
    ["namespace", "name", "deployment", "importance"],
)
_OF_A_MONITOR = ["namespace", "name", "deployment"]
MONITOR_TRUTH_MATCHED = Gauge("slipway_monitor_truth_matched_rows", "Predictions of the last run whose truth is known.", _OF_A_MONITOR)
MONITOR_TRUTH_WAITING = Gauge(
    "slipway_monitor_truth_waiting_rows", "Predictions of the last run whose truth may still come in time.", _OF_A_MONITOR
)
MONITOR_TRUTH_UNMATCHED = Gauge(
    "slipway_monitor_truth_unmatched_rows", "Predictions of the last run whose truth should have come by now.", _OF_A_MONITOR
)
