"""Checks whether columns are distributed as in the baseline."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from slipway.api.v1alpha1.model_monitor import CheckStatus, Drift, PredictionDrift, Verdict
from slipway.monitor.stats.compare import NAMES, Difference, baseline_values, difference, values_of
from slipway.monitor.stats.measures import adjusted
from slipway.monitor.stats.profile import CategoryProfile, Profile
from slipway.monitor.stats.tally import Tally, Texts
from slipway.monitor.stats.window import WindowProfile

Spec = Drift | PredictionDrift
LEAST_BASELINE = 30
"""Values that a baseline must have."""


@dataclass(frozen=True)
class _Found:
    """Of one column: a difference, or why there is none."""

    measure: str
    rows: int = 0
    difference: Difference | None = None
    verdict: Verdict = "NoData"
    why: str = ""


def drift_checks(
    profile: Profile | None,
    window: WindowProfile,
    spec: Spec,
    kind: Literal["Drift", "PredictionDrift"],
    columns: Mapping[str, str],
) -> list[CheckStatus]:
    """A check for each of `columns` (of the table, with the names that users know), but those that the spec excludes."""
    excluded = spec.exclude if isinstance(spec, Drift) else ()
    found = {shown: _column(profile, window, spec, name) for name, shown in columns.items() if shown not in excluded}
    tested = {shown: one.difference for shown, one in found.items() if one.difference}
    p_values = dict(zip(tested, adjusted([one.p_value for one in tested.values()]), strict=True))
    return [_check(kind, shown, one, spec, p_values.get(shown)) for shown, one in found.items()]


def _column(profile: Profile | None, window: WindowProfile, spec: Spec, name: str) -> _Found:
    base, tally = profile.columns.get(name) if profile else None, window.columns.get(name)
    texts = isinstance(base, CategoryProfile) or (base is None and isinstance(tally, Texts))
    measure = spec.categorical if texts else spec.numeric
    if name in window.errors:
        return _Found(measure, verdict="Error", why=window.errors[name])
    if profile is None or base is None:
        return _Found(measure, why=(profile.notes.get(name) if profile else None) or "there is no baseline for it")
    if (why := _too_few(baseline_values(base), tally, spec.min_rows)) or tally is None:
        return _Found(measure, values_of(tally) if tally else 0, why=why)
    try:
        return _Found(measure, values_of(tally), _finite(difference(base, tally, measure)))
    except Exception as error:  # one bad column is no reason to know nothing of the others
        return _Found(measure, values_of(tally), verdict="Error", why=f"{type(error).__name__}: {error}")


def _too_few(base: int, tally: Tally | None, needed: int) -> str:
    """Why that cannot be compared; empty: it can."""
    if base < LEAST_BASELINE:
        return f"the baseline has {base} values, {LEAST_BASELINE} are needed"
    if tally is None or (tally.rows and tally.absent == tally.rows):
        return "the window has no such column"
    values = values_of(tally)
    return f"{values} values in the window, {needed} are needed" if values < needed else ""


def _finite(found: Difference) -> Difference:
    if not math.isfinite(found.value) or not math.isfinite(found.p_value):
        raise ArithmeticError("its values are too great to be compared")
    return found


def _check(kind: Literal["Drift", "PredictionDrift"], shown: str, found: _Found, spec: Spec, p_value: float | None) -> CheckStatus:
    if found.difference is None or p_value is None:
        return CheckStatus(
            check=kind, measure=NAMES[found.measure], column=shown, rows=found.rows, verdict=found.verdict, message=found.why[:512]
        )
    verdict, threshold = _judged(found.difference.value, p_value, spec)
    value = found.difference.value
    return CheckStatus(
        check=kind,
        measure=NAMES[found.measure],
        column=shown,
        value=value,
        threshold=threshold,
        p_value=p_value,
        rows=found.rows,
        verdict=verdict,
        message=_told(shown, NAMES[found.measure], value, p_value, verdict, spec),
    )


def _judged(value: float, p_value: float, spec: Spec) -> tuple[Verdict, float]:
    if value < spec.warning or p_value >= spec.significance:
        return "Healthy", spec.warning
    return ("Critical", spec.critical) if value >= spec.critical else ("Warning", spec.warning)


def _told(shown: str, measure: str, value: float, p_value: float, verdict: Verdict, spec: Spec) -> str:
    if verdict != "Healthy":
        return f"{shown} drifted: {measure} {value:.3g} (p {p_value:.2g})"[:512]
    if value >= spec.warning:
        return f"{measure} {value:.3g}, which chance explains (p {p_value:.2g})"
    return f"{measure} {value:.3g}"
