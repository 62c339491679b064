"""What a run finds, whole: the JSON beside the HTML report. Its compact form is `status.run` of the ModelMonitor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from slipway.api.types import ApiModel
from slipway.api.v1alpha1.model_monitor import WORST_FIRST, CheckStatus, Run, Truths, Verdict, worst_of

SCHEMA_VERSION: Literal[1] = 1


class Histogram(ApiModel):
    """How one column is distributed. Of numbers: `counts[i]` in [edges[i], edges[i+1]), first and last bin open; of texts: `counts[i]`
    of `categories[i]`, the last category being all others where `has_rest`.
    """

    edges: list[float] | None = None
    categories: list[str] | None = None
    has_rest: bool = False
    counts: list[int]


class ColumnReport(ApiModel):
    """One column, in the baseline and in the window."""

    name: str
    """As users name it: `age`."""
    role: Literal["Feature", "Output"]
    type: Literal["Number", "Category"]
    rows: int
    missing: int
    out_of_range: int = 0
    unseen: int = 0
    minimum: float | None = None
    maximum: float | None = None
    mean: float | None = None
    baseline_rows: int = 0
    baseline_missing: int = 0
    baseline_mean: float | None = None
    baseline: Histogram | None = None
    window: Histogram | None = None
    note: str = ""
    """Why it has no drift: constant, empty, missing in the window, …"""


class CalibrationBin(ApiModel):
    """Predictions with about the same probability."""

    mean_probability: float
    share_positive: float
    rows: int


class PerformanceReport(ApiModel):
    """How answers compare with the truth, or are expected to."""

    estimated: bool = False
    rows: int
    truths: Truths | None = None
    calibration: list[CalibrationBin] = []
    classes: list[str] = []
    confusion: list[list[int]] = []
    """`confusion[true][predicted]`, in the order of `classes`."""
    residuals: Histogram | None = None
    """Predicted minus true, for regression."""
    note: str = ""


class SegmentReport(ApiModel):
    """One group of rows."""

    segment: str
    """`plan=basic`."""
    rows: int
    checks: list[CheckStatus]


class Point(ApiModel):
    """An earlier run, for drift over time."""

    at: str
    verdict: Verdict
    values: dict[str, float]
    """By `check/measure/column`, of the checks without a segment; at most 100."""


class Monitored(ApiModel):
    """Whom the result is about."""

    namespace: str
    name: str
    uid: str = ""
    deployment: str
    model: str = ""
    version: str = ""
    digest: str = ""
    team: str = ""
    importance: str = ""


class BaselineUsed(ApiModel):
    """What the window was compared with."""

    kind: Literal["Version", "Window", "None"]
    rows: int = 0
    source: str = ""
    """The URI, or the window."""
    note: str = ""


class Result(ApiModel):
    """A run, whole."""

    schema_version: Literal[1] = SCHEMA_VERSION
    monitored: Monitored
    run: Run
    """With the worst 50 checks; all of them are in `checks`."""
    baseline: BaselineUsed
    checks: list[CheckStatus]
    columns: list[ColumnReport] = []
    performance: PerformanceReport | None = None
    estimate: PerformanceReport | None = None
    segments: list[SegmentReport] = []
    history: list[Point] = []
    """Earlier runs, oldest first, this one last."""


def overall(checks: Sequence[CheckStatus]) -> Verdict:
    """The verdict of a run: the worst of its kinds of checks. A kind has no data only where none of its checks has; then neither has the
    run, unless another kind is worse. An estimate stands in for performance.
    """
    kinds: dict[str, set[Verdict]] = {}
    for check in checks:
        kinds.setdefault(check.check.removeprefix("Estimated"), set()).add(check.verdict)
    worst = [worst_of(verdicts) for verdicts in kinds.values()]
    return min(worst, key=WORST_FIRST.index, default="NoData")
