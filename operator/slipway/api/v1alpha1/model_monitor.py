"""ModelMonitor: what to watch about a deployment, how often, and whom to tell."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from slipway.api.conditions import Conditions
from slipway.api.kind import Kind, PrinterColumn
from slipway.api.types import ApiModel, Name, ObjectMeta, Rule, short_name_rule, unique_by

Verdict = Literal["Healthy", "Warning", "Critical", "NoData", "Error"]
WORST_FIRST: tuple[Verdict, ...] = ("Critical", "Error", "Warning", "NoData", "Healthy")
"""A check that broke outranks a warning."""
RUN_REQUESTED = "slipway.dev/run-requested"
"""Annotation of a ModelMonitor: each new value (the time, mostly) asks for one run beside the schedule."""
CheckKind = Literal[
    "ServiceHealth",
    "Drift",
    "MultivariateDrift",
    "PredictionDrift",
    "DataQuality",
    "Performance",
    "EstimatedPerformance",
    "Staleness",
]
Occasion = Literal["Any", CheckKind]
"""A kind of check, or any of them: one Literal, since a union has no structural schema."""
NumericMeasure = Literal["PSI", "JensenShannon", "KolmogorovSmirnov", "Wasserstein"]
CategoricalMeasure = Literal["PSI", "JensenShannon", "ChiSquare"]
Metric = Literal["accuracy", "precision", "recall", "f1", "auc", "logLoss", "brier", "calibrationError", "mae", "rmse", "r2"]
HIGHER_IS_BETTER = ("accuracy", "precision", "recall", "f1", "auc", "r2")


def worst_of(verdicts: AbstractSet[Verdict]) -> Verdict:
    """The worst; `NoData` only where nothing else is there."""
    return min(verdicts - {"NoData"} or verdicts, key=WORST_FIRST.index, default="NoData")


ColumnName = Annotated[str, StringConstraints(min_length=1, max_length=253)]
Share = Annotated[float, Field(ge=0, le=1)]
Level = Annotated[float, Field(ge=0, le=1_000_000)]

CRON = (
    r"^((\*|[0-9]{1,2}(-[0-9]{1,2})?)(/[0-9]{1,2})?)(,(\*|[0-9]{1,2}(-[0-9]{1,2})?)(/[0-9]{1,2})?)*"
    r"( ((\*|[0-9A-Za-z]{1,3}(-[0-9A-Za-z]{1,3})?)(/[0-9]{1,2})?)(,(\*|[0-9A-Za-z]{1,3}(-[0-9A-Za-z]{1,3})?)(/[0-9]{1,2})?)*){4}$"
)


def _ordered(self: Thresholds) -> bool:
    return self.warning is None or self.critical is None or self.warning <= self.critical


_ORDERED = Rule(
    cel="!has(self.warning) || !has(self.critical) || self.warning <= self.critical",
    message="warning must not be greater than critical",
    holds=_ordered,
)


class Thresholds(ApiModel):
    """From which value on a check is no longer healthy."""

    warning: Annotated[Level | None, Field(description="From this value on, `Warning`.")] = None
    critical: Annotated[Level | None, Field(description="From this value on, `Critical`.")] = None
    rules: ClassVar[tuple[Rule, ...]] = (_ORDERED,)


class ServiceHealth(ApiModel):
    """How the calls of the window went."""

    max_error_rate: Annotated[Share | None, Field(description="Critical above this share of calls that failed on the server's side.")] = (
        None
    )
    max_latency_p99_milliseconds: Annotated[
        float | None, Field(ge=0, le=3_600_000, alias="maxLatencyP99Milliseconds", description="Critical above this 99th percentile.")
    ] = None


class Drift(ApiModel):
    """Whether features are distributed as in the baseline."""

    exclude: Annotated[list[ColumnName], *unique_by(), Field(max_length=1000, description="Features that are not looked at.")] = []
    numeric: Annotated[NumericMeasure, Field(description="The measure for numbers (docs/monitors/statistics.md).")] = "PSI"
    categorical: Annotated[CategoricalMeasure, Field(description="The measure for texts and booleans.")] = "PSI"
    warning: Annotated[Level, Field(description="A feature that drifted this much: `Warning`.")] = 0.1
    critical: Annotated[Level, Field(description="A feature that drifted this much: `Critical`.")] = 0.2
    significance: Annotated[
        float, Field(gt=0, le=0.5, description="And only if chance explains it in fewer cases than this, over all columns together.")
    ] = 0.01
    min_rows: Annotated[int, Field(ge=30, le=1_000_000_000, description="With fewer rows in the window: `NoData`.")] = 500
    multivariate: Annotated[
        Thresholds | None,
        Field(description="Also tell window and baseline apart by a classifier; thresholds of its AUC, 0.5 for no difference."),
    ] = None
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="self.warning <= self.critical",
            message="warning must not be greater than critical",
            holds=lambda self: self.warning <= self.critical,
        ),
    )


class PredictionDrift(ApiModel):
    """Whether answers are distributed as in the baseline."""

    numeric: Annotated[NumericMeasure, Field(description="The measure for numbers.")] = "PSI"
    categorical: Annotated[CategoricalMeasure, Field(description="The measure for labels.")] = "PSI"
    warning: Annotated[Level, Field(description="An output that drifted this much: `Warning`.")] = 0.1
    critical: Annotated[Level, Field(description="An output that drifted this much: `Critical`.")] = 0.2
    significance: Annotated[float, Field(gt=0, le=0.5, description="As in `drift`.")] = 0.01
    min_rows: Annotated[int, Field(ge=30, le=1_000_000_000, description="With fewer rows in the window: `NoData`.")] = 500
    rules: ClassVar[tuple[Rule, ...]] = Drift.rules


class DataQuality(ApiModel):
    """Whether the features' values are usable. Each is `Critical` above its share."""

    max_missing: Annotated[Share | None, Field(description="Of values of a feature that are null or NaN.")] = None
    max_out_of_range: Annotated[
        Share | None, Field(description="Of values outside `min` and `max` of the Model's schema, or else outside the baseline's range.")
    ] = None
    max_unseen_categories: Annotated[
        Share | None, Field(description="Of texts that are not among the schema's `categories`, or else not in the baseline.")
    ] = None
    min_rows: Annotated[int, Field(ge=1, le=1_000_000_000, description="With fewer rows in the window: `NoData`.")] = 100


class MetricThresholds(ApiModel):
    """One metric and what it must reach."""

    name: Annotated[
        Metric,
        Field(description="Higher is better for accuracy, precision, recall, f1, auc and r2; lower for the others."),
    ]
    warning: Annotated[float | None, Field(ge=-1_000_000, le=1_000_000_000, description="Worse than this: `Warning`.")] = None
    critical: Annotated[float | None, Field(ge=-1_000_000, le=1_000_000_000, description="Worse than this: `Critical`.")] = None
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="!has(self.warning) || !has(self.critical) || (self.name in "
            "['accuracy', 'precision', 'recall', 'f1', 'auc', 'r2'] ? self.warning >= self.critical : self.warning <= self.critical)",
            message="critical must be worse than warning: lower where higher is better, else higher",
            holds=lambda self: (
                self.warning is None
                or self.critical is None
                or (self.warning >= self.critical if self.name in HIGHER_IS_BETTER else self.warning <= self.critical)
            ),
        ),
    )


class GroundTruth(ApiModel):
    """What is expected of the truth."""

    max_delay_days: Annotated[int, Field(ge=0, le=3650, description="Truth that comes later after its prediction is late.")] = 30
    min_matched: Annotated[int, Field(ge=30, le=1_000_000_000, description="With fewer rows whose truth is known: `NoData`.")] = 300


class Performance(ApiModel):
    """How answers compare with what turned out to be true."""

    ground_truth: Annotated[GroundTruth, Field(description="What is expected of the truth.")] = GroundTruth()
    window_days: Annotated[int, Field(ge=1, le=3650, description="Predictions of so many days are compared with their truth.")] = 30
    output: Annotated[ColumnName, Field(description="The output that is compared.")] = "predict"
    probability: Annotated[
        ColumnName, Field(description="The output with probabilities, for auc, logLoss, brier and calibrationError.")
    ] = "predict_proba"
    positive_class: Annotated[
        str | None,
        Field(max_length=253, description="The label that counts as positive. Left out, the last of two classes, in sorted order."),
    ] = None
    metrics: Annotated[list[MetricThresholds], *unique_by("name"), Field(min_length=1, max_length=11, description="What is measured.")]
    estimate: Annotated[
        Literal["WhenLabelsAreMissing", "Never"],
        Field(description="Estimate the metrics from probabilities while too few truths are known; marked as an estimate, never Critical."),
    ] = "WhenLabelsAreMissing"


class Segment(ApiModel):
    """Compare the groups that a column forms."""

    column: Annotated[ColumnName, Field(description="A feature, such as `plan`.")]
    max_values: Annotated[int, Field(ge=1, le=100, description="The most frequent values; the others are one group.")] = 20
    min_rows: Annotated[int, Field(ge=30, le=1_000_000_000, description="Smaller groups have no verdict.")] = 200


class Staleness(ApiModel):
    """How old the model may be."""

    max_age_days: Annotated[
        int, Field(ge=1, le=36500, description="Warning beyond this age: since `lineage.trainedAt` of the version, or else its creation.")
    ]


class BaselineWindow(ApiModel):
    """A past window of the same deployment, which moves along."""

    days: Annotated[int, Field(ge=1, le=366, description="How long it is.")] = 7
    end_days_ago: Annotated[int, Field(ge=0, le=366, description="How many days before the monitored window it ends.")] = 0


class Baseline(ApiModel):
    """What the window is compared with."""

    type: Annotated[
        Literal["Version", "Window"],
        Field(description="`Version`: the reference rows of the version (`kubectl slipway push --baseline`). `Window`: a past window."),
    ] = "Version"
    window: Annotated[BaselineWindow | None, Field(description="Required for `Window`, and only there.")] = None
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="(self.type == 'Window') == has(self.window)",
            message="window belongs to type Window: write window.days for it, and leave window out for type Version",
            holds=lambda self: (self.type == "Window") == (self.window is not None),
        ),
    )


class Notify(ApiModel):
    """Tell the model's owner, by the notifiers that `Model.spec.owner.notify` names."""

    when: Annotated[list[Occasion], *unique_by(), Field(min_length=1, max_length=9, description="Checks of these kinds.")] = ["Any"]
    at_least: Annotated[Literal["Warning", "Critical"], Field(description="From this verdict on.")] = "Warning"
    do: Annotated[Literal["Notify"], Field(description="What is done.")]
    cooldown_hours: Annotated[
        int, Field(ge=0, le=8760, description="The same verdict is told again after so many hours; a worse one at once.")
    ] = 24


class MonitorResources(ApiModel):
    """What a run asks for and may use."""

    memory: Annotated[str, Field(pattern=r"^[0-9]{1,6}(Mi|Gi)$", max_length=8, description="Request and limit, such as `1Gi`.")] = "1Gi"
    cpu: Annotated[str, Field(pattern=r"^[0-9]{1,5}m?$", max_length=6, description="Request, such as `500m`.")] = "500m"


class ModelMonitorSpec(ApiModel):
    """What to watch."""

    deployment: Annotated[Name, Field(description="The ModelDeployment, in this namespace.")]
    schedule: Annotated[
        str | None,
        Field(
            max_length=100,
            pattern=CRON,
            description="When to run, in cron's notation and UTC. Left out, hourly. That and `*/N` minutes begin at a minute of the "
            "monitor's own, so that monitors spread.",
        ),
    ] = None
    suspend: Annotated[bool, Field(description="Do not run by schedule; the last verdict stays.")] = False
    window_hours: Annotated[int, Field(ge=1, le=8784, description="A run looks at so many hours before it.")] = 24
    baseline: Annotated[Baseline | None, Field(description="What the window is compared with. Left out, the version's reference rows.")] = (
        None
    )
    service_health: Annotated[ServiceHealth | None, Field(description="Errors and latency.")] = None
    drift: Annotated[Drift | None, Field(description="Drift of the features.")] = None
    prediction_drift: Annotated[PredictionDrift | None, Field(description="Drift of the answers.")] = None
    data_quality: Annotated[DataQuality | None, Field(description="Missing, impossible and unknown values.")] = None
    performance: Annotated[Performance | None, Field(description="Accuracy against the truth.")] = None
    segments: Annotated[
        list[Segment], *unique_by("column"), Field(max_length=5, description="Groups whose performance is looked at one by one.")
    ] = []
    staleness: Annotated[Staleness | None, Field(description="The model's age.")] = None
    actions: Annotated[list[Notify], Field(max_length=8, description="What follows from a verdict.")] = []
    resources: Annotated[MonitorResources | None, Field(description="Memory and CPU of a run; left out, the platform's.")] = None
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="has(self.serviceHealth) || has(self.drift) || has(self.predictionDrift) || has(self.dataQuality) || has(self.performance) "
            "|| has(self.staleness)",
            message="nothing to check: write at least one of serviceHealth, drift, predictionDrift, dataQuality, performance, staleness",
            holds=lambda self: any(
                (self.service_health, self.drift, self.prediction_drift, self.data_quality, self.performance, self.staleness)
            ),
        ),
        Rule(
            cel="!has(self.segments) || size(self.segments) == 0 || has(self.performance)",
            message="segments compare performance: write performance, or leave segments out",
            holds=lambda self: not self.segments or self.performance is not None,
        ),
    )


MAX_CHECKS = 50


class CheckStatus(ApiModel):
    """One thing that was checked; the worst come first."""

    check: Annotated[CheckKind, Field(description="What sort of check.")]
    measure: Annotated[str, Field(max_length=64, description="What was measured, such as `psi` or `auc`.")]
    column: Annotated[str, Field(max_length=253, description="Of which column; empty for the whole.")] = ""
    segment: Annotated[str, Field(max_length=320, description="Of which group (`plan=basic`); empty for all rows.")] = ""
    value: Annotated[float | None, Field(description="The value; none where there is no data.")] = None
    lower: Annotated[float | None, Field(description="Lower end of its 95 % confidence interval.")] = None
    upper: Annotated[float | None, Field(description="Upper end.")] = None
    threshold: Annotated[float | None, Field(description="The threshold that it crossed, or else the first that it would.")] = None
    p_value: Annotated[float | None, Field(description="How often chance alone brings it about, corrected for all columns.")] = None
    rows: Annotated[int, Field(ge=0, description="Rows it is made of.")] = 0
    verdict: Annotated[Verdict, Field(description="What that means.")]
    message: Annotated[str, Field(max_length=512, description="One readable line.")] = ""


class Truths(ApiModel):
    """How much of the truth is known, of the predictions of `performance.windowDays`."""

    matched: Annotated[int, Field(ge=0, description="Rows whose truth is known.")] = 0
    waiting: Annotated[int, Field(ge=0, description="Rows without, not older than `maxDelayDays`.")] = 0
    unmatched: Annotated[int, Field(ge=0, description="Rows without, and older.")] = 0
    late: Annotated[int, Field(ge=0, description="Of the matched, those whose truth came late.")] = 0


class Run(ApiModel):
    """What the last run found. Written by the run itself; the operator draws its conclusions beside it."""

    id: Annotated[str, Field(max_length=64, description="Of the run: part of its report's address.")]
    finished_at: Annotated[str, Field(max_length=32, description="When it ended (RFC 3339).", json_schema_extra={"format": "date-time"})]
    seconds: Annotated[float, Field(ge=0, description="How long it took.")] = 0.0
    window_from: Annotated[str, Field(max_length=32, description="Where its window begins.", json_schema_extra={"format": "date-time"})]
    window_to: Annotated[str, Field(max_length=32, description="Where its window ends.", json_schema_extra={"format": "date-time"})]
    generation: Annotated[int, Field(ge=0, description="The generation of the spec it followed.")] = 0
    version: Annotated[str, Field(max_length=32, description="The version with most rows in the window.")] = ""
    rows: Annotated[int, Field(ge=0, description="Rows in the window.")] = 0
    verdict: Annotated[Verdict, Field(description="The worst of all checks.")]
    message: Annotated[str, Field(max_length=1024, description="One readable line.")] = ""
    checks: Annotated[list[CheckStatus], Field(max_length=MAX_CHECKS, description="The worst 50.")] = []
    counts: Annotated[dict[str, int], Field(max_length=5, description="How many checks have which verdict, of all.")] = {}
    truths: Annotated[Truths | None, Field(description="How much of the truth is known.")] = None
    worst_segment: Annotated[str, Field(max_length=320, description="The group with the worst performance.")] = ""
    report: Annotated[str, Field(max_length=1024, description="Where the HTML report is; the JSON is beside it.")] = ""
    notified: Annotated[str, Field(max_length=320, description="What the owner was told last: verdict and time.")] = ""


class Judged(ApiModel):
    """A change of the verdict."""

    verdict: Annotated[Verdict, Field(description="What it is since then.")]
    since: Annotated[str, Field(max_length=32, description="Since when (RFC 3339).", json_schema_extra={"format": "date-time"})]
    number: Annotated[int, Field(ge=1, description="How many changes there were.")]


class ModelMonitorStatus(ApiModel):
    """What the monitor found."""

    observed_generation: Annotated[int, Field(ge=-1, description="The generation this status speaks about; -1 before the first.")] = -1
    verdict: Annotated[
        Verdict | None,
        Field(description="Of the last run, or `Error` where runs fail or are overdue. No data is never healthy, and never a failure."),
    ] = None
    last_run: Annotated[
        str | None, Field(max_length=32, description="When the last run ended (RFC 3339).", json_schema_extra={"format": "date-time"})
    ] = None
    cron_job: Annotated[str, Field(max_length=320, description="The CronJob that runs it, with its namespace.")] = ""
    on_demand: Annotated[
        str, Field(max_length=63, description="The Job of the last run that was asked for (`slipway.dev/run-requested`).")
    ] = ""
    scheduled_since: Annotated[
        str | None,
        Field(
            max_length=32,
            description="Since when it runs by this spec: from then on a run can be overdue. None while suspended.",
            json_schema_extra={"format": "date-time"},
        ),
    ] = None
    judged: Annotated[Judged | None, Field(description="The last change of the verdict, as the ledger tells of it.")] = None
    run: Annotated[Run | None, Field(description="What the last run found.")] = None
    conditions: Conditions = []


class ModelMonitor(ApiModel):
    """Watches one deployment: health, drift, quality, accuracy against the truth, staleness; the same way for every model."""

    KIND: ClassVar[Kind] = Kind(
        name="ModelMonitor",
        plural="modelmonitors",
        short_name="slmm",
        columns=(
            PrinterColumn("Deployment", ".spec.deployment"),
            PrinterColumn("Verdict", ".status.verdict"),
            PrinterColumn("Last run", ".status.lastRun", type="date"),
            PrinterColumn("Rows", ".status.run.rows", type="integer"),
            PrinterColumn("Message", '.status.conditions[?(@.type=="Healthy")].message'),
            PrinterColumn("Schedule", ".spec.schedule", wide=True),
            PrinterColumn("Version", ".status.run.version", wide=True),
            PrinterColumn("Worst segment", ".status.run.worstSegment", wide=True),
            PrinterColumn("Report", ".status.run.report", wide=True),
            PrinterColumn("Age", ".metadata.creationTimestamp", type="date"),
        ),
    )
    rules: ClassVar[tuple[Rule, ...]] = (short_name_rule("ModelMonitor", "the names of its runs"),)

    metadata: ObjectMeta
    spec: Annotated[ModelMonitorSpec, Field(description="What to watch.")]
    status: Annotated[ModelMonitorStatus, Field(description="What the monitor found.")] = ModelMonitorStatus()
