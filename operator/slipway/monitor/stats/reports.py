"""Columns as reports draw them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

from slipway.monitor.result import ColumnReport, Histogram
from slipway.monitor.stats.compare import baseline_bins, baseline_values, values_of, window_bins
from slipway.monitor.stats.convert import Counts
from slipway.monitor.stats.profile import CategoryProfile, NumberProfile, Profile
from slipway.monitor.stats.tally import Numbers, Tally, Texts
from slipway.monitor.stats.window import WindowProfile

OUTPUT_PREFIX = "out_"
ColumnProfile = NumberProfile | CategoryProfile


def column_reports(profile: Profile | None, window: WindowProfile, names: Mapping[str, str] | None = None) -> list[ColumnReport]:
    """A report for each column of the window; `names` are those that users know, by columns of the table, else without their prefix."""
    known, notes = (profile.columns, profile.notes) if profile else ({}, {})
    return [
        _report(name, (names or {}).get(name) or name.partition("_")[2] or name, known.get(name), tally, window, notes.get(name, ""))
        for name, tally in window.columns.items()
    ]


def _report(name: str, shown: str, base: ColumnProfile | None, tally: Tally, window: WindowProfile, note: str) -> ColumnReport:
    role: Literal["Feature", "Output"] = "Output" if name.startswith(OUTPUT_PREFIX) else "Feature"
    fields = _window_side(tally) | _baseline_side(base)
    try:
        fields |= _histograms(base, tally) if name not in window.errors else {}
        note = window.errors.get(name) or note or _note(base, tally)
    except Exception as error:  # one bad column is no reason to know nothing of the others
        note = f"{type(error).__name__}: {error}"
    return ColumnReport(name=shown, role=role, note=note, **fields)


def _window_side(tally: Tally) -> dict[str, Any]:
    if isinstance(tally, Texts):
        return {"type": "Category", "rows": tally.rows, "missing": tally.missing, "unseen": tally.unseen}
    return {
        "type": "Number",
        "rows": tally.rows,
        "missing": tally.missing,
        "out_of_range": tally.outside,
        "minimum": _known(tally.minimum),
        "maximum": _known(tally.maximum),
        "mean": _known(tally.mean),
    }


def _baseline_side(base: ColumnProfile | None) -> dict[str, Any]:
    if base is None:
        return {}
    mean = base.mean if isinstance(base, NumberProfile) else None
    return {"baseline_rows": base.rows, "baseline_missing": base.missing, "baseline_mean": mean}


def _histograms(base: ColumnProfile | None, tally: Tally) -> dict[str, Histogram]:
    if base is None or not baseline_values(base):
        return {}
    b, w = baseline_bins(base), window_bins(base, tally)
    if isinstance(base, NumberProfile) and isinstance(tally, Numbers) and not base.by_value:
        return _numbers(base, tally, b, w)
    return _categories(base, b, w)


def _numbers(base: NumberProfile, tally: Numbers, b: Counts, w: Counts) -> dict[str, Histogram]:
    """The outer edges are the least and greatest value of either side."""
    ends = [end for end in (base.minimum, base.maximum, _known(tally.minimum), _known(tally.maximum)) if end is not None]
    edges = [min(ends), *base.edges, max(ends)]
    return {"baseline": Histogram(edges=edges, counts=b.tolist()), "window": Histogram(edges=edges, counts=w.tolist())}


def _categories(base: ColumnProfile, b: Counts, w: Counts) -> dict[str, Histogram]:
    names = [f"{value:.15g}" for value in base.edges] if isinstance(base, NumberProfile) else list(base.categories)
    has_rest = bool(b[-1] or w[-1])
    names, size = [*names, *(["other"] if has_rest else [])], len(names) + has_rest
    sides = (("baseline", b), ("window", w))
    return {side: Histogram(categories=names, has_rest=has_rest, counts=counts[:size].tolist()) for side, counts in sides}


def _note(base: ColumnProfile | None, tally: Tally) -> str:
    """What is to be known of a column before its drift is read."""
    if tally.rows and tally.absent == tally.rows:
        return "the window has no such column"
    if not values_of(tally):
        return "no values in the window"
    if base is None:
        return "there is no baseline for it"
    if not baseline_values(base):
        return "no values in the baseline"
    constant = base.by_value and len(base.edges) == 1 if isinstance(base, NumberProfile) else len(base.categories) == 1
    return "constant in the baseline" if constant else ""


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
