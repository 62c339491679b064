"""A column of the window beside the same column of the baseline."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from slipway.monitor.stats import measures
from slipway.monitor.stats.convert import Counts
from slipway.monitor.stats.measures import Steps
from slipway.monitor.stats.profile import CategoryProfile, NumberProfile
from slipway.monitor.stats.tally import Numbers, Tally, Texts

NAMES = {
    "PSI": "psi",
    "JensenShannon": "jensenShannon",
    "ChiSquare": "cramersV",
    "KolmogorovSmirnov": "ks",
    "Wasserstein": "wasserstein",
}
"""A measure in the spec, and in a check."""


@dataclass(frozen=True)
class Difference:
    """How far apart, and how often chance alone brings that about."""

    value: float
    p_value: float


def baseline_bins(profile: NumberProfile | CategoryProfile) -> Counts:
    if isinstance(profile, CategoryProfile):
        return np.array([*profile.counts, profile.rest], np.int64)
    return _number_bins(profile, _baseline_steps(profile))


def window_bins(profile: NumberProfile | CategoryProfile, tally: Tally) -> Counts:
    """In the baseline's bins."""
    if isinstance(profile, CategoryProfile) and isinstance(tally, Texts):
        counts = tally.counts[: len(profile.categories)]
        return np.append(counts, tally.present - counts.sum())
    if isinstance(profile, NumberProfile) and isinstance(tally, Numbers):
        return _number_bins(profile, _window_steps(tally))
    raise TypeError("a column of numbers in the baseline and of texts in the window, or the other way round")


def _number_bins(profile: NumberProfile, steps: Steps) -> Counts:
    places = np.searchsorted(np.array(profile.points), np.array(profile.edges))
    if profile.by_value:
        counts = (steps.upto - steps.below)[places]
        return np.append(counts, steps.values - counts.sum())
    return np.diff(steps.below[places], prepend=0, append=steps.values)


def _baseline_steps(profile: NumberProfile) -> Steps:
    return Steps(np.array(profile.below, np.int64), np.array(profile.upto, np.int64), np.array(profile.sums, np.float64), profile.sampled)


def _window_steps(tally: Numbers) -> Steps:
    return Steps(tally.below, tally.upto, tally.sums, tally.finite)


def values_of(tally: Tally) -> int:
    """That drift looks at: neither missing nor infinite."""
    return tally.finite if isinstance(tally, Numbers) else tally.present


def baseline_values(profile: NumberProfile | CategoryProfile) -> int:
    """That the baseline's bins are made of."""
    return profile.sampled if isinstance(profile, NumberProfile) else profile.rows - profile.missing


def difference(profile: NumberProfile | CategoryProfile, tally: Tally, measure: str) -> Difference:
    """By a measure of the spec. Both must have values. Raises TypeError: they are of different kinds, or the measure is not for theirs."""
    b, w = baseline_bins(profile), window_bins(profile, tally)
    if measure in ("PSI", "JensenShannon", "ChiSquare"):
        by_bins = {"PSI": measures.psi, "JensenShannon": measures.jensen_shannon, "ChiSquare": measures.cramers_v}
        return Difference(by_bins[measure](b, w), measures.chi_square_p(b, w))
    if not isinstance(profile, NumberProfile) or not isinstance(tally, Numbers):
        raise TypeError(f"{measure} is for numbers")
    base, window = _baseline_steps(profile), _window_steps(tally)
    if measure == "KolmogorovSmirnov":
        d = measures.kolmogorov_smirnov(base, window)
        return Difference(d, measures.kolmogorov_smirnov_p(d, base.values, window.values))
    moved = measures.wasserstein(base, window, np.array(profile.points))
    return Difference(moved / _unit(profile), measures.chi_square_p(b, w))


def _unit(profile: NumberProfile) -> float:
    """The baseline's standard deviation; of a constant its size, or 1 for zero."""
    return profile.deviation or abs(profile.mean or 0.0) or 1.0
