"""How far two distributions are apart, and how often chance alone brings that about. `b` is the baseline's side, `w` the window's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from slipway.monitor.stats.convert import Counts, Floats

LEAST_EXPECTED = 5.0
"""Bins where chance would bring fewer on one side are tested together."""


def _both(b: Counts, w: Counts) -> tuple[Floats, Floats]:
    """Without bins that are empty on both sides."""
    filled = (b + w) > 0
    return b[filled].astype(np.float64), w[filled].astype(np.float64)


def psi(b: Counts, w: Counts) -> float:
    """Population stability index of counts by bin; half a value is added to every bin, so that an empty one does not make it infinite."""
    base, window = (side + 0.5 for side in _both(b, w))
    p, q = base / base.sum(), window / window.sum()
    return float(((q - p) * np.log(q / p)).sum())


def jensen_shannon(b: Counts, w: Counts) -> float:
    """Jensen-Shannon distance of counts by bin: 0 for the same shares, 1 for nothing in common."""
    base, window = _both(b, w)
    p, q = base / base.sum(), window / window.sum()
    middle = (p + q) / 2
    divergence = (special.rel_entr(p, middle) + special.rel_entr(q, middle)).sum() / 2
    return float(np.sqrt(max(0.0, divergence) / np.log(2)))


def cramers_v(b: Counts, w: Counts) -> float:
    """Cramér's V of counts by bin, both sides given the same weight: else it would shrink as the baseline grows. 0 to 1."""
    base, window = _both(b, w)
    p, q = base / base.sum(), window / window.sum()
    return float(np.sqrt(((p - q) ** 2 / (p + q)).sum() / 2))


def chi_square_p(b: Counts, w: Counts) -> float:
    """The p-value of the chi-square test that both sides have the same shares; 1 where there is but one bin."""
    base, window = _pooled(*_both(b, w))
    if len(base) < 2:
        return 1.0
    total = base.sum() + window.sum()
    expected = np.outer([base.sum(), window.sum()], (base + window) / total)
    statistic = ((np.array([base, window]) - expected) ** 2 / expected).sum()
    return float(special.chdtrc(len(base) - 1, statistic))


def _pooled(base: Floats, window: Floats) -> tuple[Floats, Floats]:
    """The test holds for expected counts of five and more: rarer bins become one, which joins the rarest other one if still too small."""
    least = min(base.sum(), window.sum()) / (base.sum() + window.sum())
    order = np.argsort(base + window, kind="stable")
    base, window = base[order], window[order]
    rare = int(np.count_nonzero((base + window) * least < LEAST_EXPECTED))
    while 0 < rare < len(base) and (base[:rare] + window[:rare]).sum() * least < LEAST_EXPECTED:
        rare += 1
    if rare < 2:
        return base, window
    return np.append(base[:rare].sum(), base[rare:]), np.append(window[:rare].sum(), window[rare:])


@dataclass(frozen=True)
class Steps:
    """A distribution of numbers as far as it is known at ascending points: see `tally.Numbers`."""

    below: Counts
    upto: Counts
    sums: Floats
    values: int


def kolmogorov_smirnov(b: Steps, w: Steps) -> float:
    """The greatest distance between both distribution functions at the points: less than over all values by at most the baseline's
    greatest share between two of them (0.01), and never more.
    """
    apart = [np.abs(one / b.values - two / w.values) for one, two in ((b.below, w.below), (b.upto, w.upto))]
    return float(np.max(np.concatenate([*apart, [0.0]])))


def kolmogorov_smirnov_p(d: float, b: int, w: int) -> float:
    """The asymptotic two-sample p-value of this distance between so many values on either side."""
    from scipy import stats  # 50 MiB that other measures do not need

    return float(np.clip(stats.kstwo.sf(d, max(1, round(b * w / (b + w)))), 0, 1))


def wasserstein(b: Steps, w: Steps, points: Floats) -> float:
    """The area between both distribution functions, in the values' unit. Exact where they do not cross between two points; where they do,
    less than it is by at most the distance of these points times the greater share between them.
    """
    return float(np.abs(_areas(b, points) - _areas(w, points)).sum()) if len(points) else 0.0


def _areas(side: Steps, points: Floats) -> Floats:
    """The integral of the distribution function F over each interval between points, and before the first; of F - 1 after the last.

    By parts: over [l, r) it is r F(r-) - l F(l-) - (the sum of values there) / n. Values are taken relative to the first point.
    """
    inside = np.diff(np.concatenate([[0], side.below, [side.values]]))
    sums = (side.sums - inside * points[0]) / side.values
    at, share = points - points[0], side.below / side.values
    first, last = -sums[0], -(sums[-1] - at[-1] * inside[-1] / side.values)
    return np.concatenate([[first], np.diff(at * share) - sums[1:-1], [last]])


def adjusted(p_values: list[float]) -> list[float]:
    """Benjamini and Hochberg: of all columns that are then below a level, at most that share is expected to be there by chance."""
    p = np.asarray(p_values, np.float64)
    order = np.argsort(p)
    scaled = p[order] * len(p) / np.arange(1, len(p) + 1)
    found = np.empty_like(p)
    found[order] = np.minimum(1.0, np.minimum.accumulate(scaled[::-1])[::-1])
    return [float(value) for value in found]
