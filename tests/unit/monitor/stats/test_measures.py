"""Each statistic beside scipy's, on the same rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial import distance

from slipway.monitor.stats import measures
from slipway.monitor.stats.compare import baseline_bins, difference, window_bins
from slipway.monitor.stats.profile import NumberProfile
from slipway.monitor.stats.tally import Numbers
from tests.unit.monitor.stats.counted import normal, profile_of, window_of

RNG = np.random.default_rng(7)
PAIRS = {
    "same": (normal(1, 20_000), normal(2, 5_000)),
    "shifted": (normal(3, 20_000), normal(4, 5_000, 0.3)),
    "wider": (normal(5, 20_000, 1e6), normal(6, 5_000, 1e6, 2)),
    "skewed": (RNG.exponential(size=9_000), RNG.exponential(1.2, size=700)),
    "heavy tails": (RNG.standard_cauchy(9_000), RNG.standard_cauchy(9_000) + 0.5),
    "many zeros": (np.maximum(normal(7, 9_000), 0), np.maximum(normal(8, 9_000, 0.2), 0)),
    "whole numbers": (RNG.poisson(8, 9_000).astype(float), RNG.poisson(9, 4_000).astype(float)),
    "few values": (RNG.choice([0.0, 1.0, 5.0], 9_000), RNG.choice([0.0, 1.0, 2.0, 5.0], 900)),
    "apart": (normal(9, 5_000), normal(10, 5_000, 50)),
}
Pair = tuple[Any, Any]


@pytest.fixture(params=PAIRS, ids=str)
def pair(request: pytest.FixtureRequest) -> Pair:
    return PAIRS[request.param]


def _counted(pair: Pair) -> tuple[NumberProfile, Numbers]:
    profile = profile_of({"in_x": pair[0]})
    column, tally = profile.columns["in_x"], window_of({"in_x": pair[1]}, profile).columns["in_x"]
    assert isinstance(column, NumberProfile)
    assert isinstance(tally, Numbers)
    return column, tally


def _bins(column: NumberProfile, values: Any) -> Any:
    """The same bins, counted by numpy from the rows."""
    if column.by_value:
        counts = [np.count_nonzero(values == point) for point in column.edges]
        return np.array([*counts, len(values) - sum(counts)])
    return np.bincount(np.searchsorted(column.edges, values, "right"), minlength=len(column.edges) + 1)


def test_bins_are_exact(pair: Pair) -> None:
    column, tally = _counted(pair)
    assert baseline_bins(column).tolist() == _bins(column, pair[0]).tolist()
    assert window_bins(column, tally).tolist() == _bins(column, pair[1]).tolist()


def test_jensen_shannon_is_scipys(pair: Pair) -> None:
    column, tally = _counted(pair)
    expected = distance.jensenshannon(_bins(column, pair[0]), _bins(column, pair[1]), base=2)
    assert difference(column, tally, "JensenShannon").value == pytest.approx(expected, abs=1e-12)


def test_psi_is_the_symmetric_divergence_of_scipy(pair: Pair) -> None:
    column, tally = _counted(pair)
    base, window = _bins(column, pair[0]), _bins(column, pair[1])
    p, q = ((side[base + window > 0] + 0.5) for side in (base, window))
    assert difference(column, tally, "PSI").value == pytest.approx(stats.entropy(p, q) + stats.entropy(q, p), abs=1e-12)


def test_ks_is_scipys_less_at_most_a_hundredth(pair: Pair) -> None:
    column, tally = _counted(pair)
    found, expected = difference(column, tally, "KolmogorovSmirnov"), stats.ks_2samp(*pair, method="asymp")
    assert expected.statistic - 0.0101 <= found.value <= expected.statistic + 1e-12


def test_ks_of_few_values_is_exact() -> None:
    column, tally = _counted(PAIRS["few values"])
    expected = stats.ks_2samp(*PAIRS["few values"], method="asymp")
    found = difference(column, tally, "KolmogorovSmirnov")
    assert (found.value, found.p_value) == pytest.approx((expected.statistic, expected.pvalue))


@pytest.mark.parametrize("d", [0.001, 0.01, 0.05, 0.3, 1.0])
def test_ks_p_value_is_scipys(d: float) -> None:
    rng = np.random.default_rng(int(d * 1000))
    base, window = rng.random(3000), rng.random(800) * (1 - d) + d
    expected = stats.ks_2samp(base, window, method="asymp")
    assert measures.kolmogorov_smirnov_p(expected.statistic, 3000, 800) == pytest.approx(expected.pvalue)


def test_wasserstein_is_scipys(pair: Pair) -> None:
    """Less only where the functions cross between two points: by no more than 0.5 % of a deviation in all of these."""
    column, tally = _counted(pair)
    expected = stats.wasserstein_distance(*pair) / pair[0].std()
    found = difference(column, tally, "Wasserstein").value
    assert expected - 0.005 - 1e-9 <= found <= expected + 1e-9


def test_wasserstein_of_a_plain_shift_is_exact() -> None:
    column, tally = _counted(PAIRS["apart"])
    expected = stats.wasserstein_distance(*PAIRS["apart"]) / PAIRS["apart"][0].std()
    assert difference(column, tally, "Wasserstein").value == pytest.approx(expected, rel=1e-9)


def test_chi_square_is_scipys_where_every_bin_is_filled() -> None:
    for name in ("same", "shifted", "skewed"):
        column, tally = _counted(PAIRS[name])
        table = np.array([_bins(column, side) for side in PAIRS[name]])
        assert difference(column, tally, "PSI").p_value == pytest.approx(stats.chi2_contingency(table).pvalue, rel=1e-9)


def test_cramers_v_is_scipys_of_equally_many_rows() -> None:
    for name in ("heavy tails", "many zeros", "apart"):
        base, window = PAIRS[name]
        column, tally = _counted((base, window))
        table = np.array([_bins(column, base), _bins(column, window)])
        table = table[:, table.sum(axis=0) > 0]
        assert difference(column, tally, "ChiSquare").value == pytest.approx(stats.contingency.association(table), abs=1e-12)


def test_cramers_v_does_not_shrink_as_the_baseline_grows() -> None:
    small = measures.cramers_v(np.array([500, 500]), np.array([350, 150]))
    assert measures.cramers_v(np.array([500_000, 500_000]), np.array([350, 150])) == pytest.approx(small)


def test_rare_bins_are_tested_together() -> None:
    base, window = np.array([5000, 4000, 3, 2, 1]), np.array([500, 400, 0, 1, 0])
    expected = stats.chi2_contingency(np.array([[5000, 4006], [500, 401]]), correction=False).pvalue
    assert measures.chi_square_p(base, window) == pytest.approx(expected)


def test_one_bin_tells_nothing() -> None:
    assert measures.chi_square_p(np.array([100, 0]), np.array([50, 0])) == 1.0


def test_adjusted_is_benjamini_and_hochberg() -> None:
    assert measures.adjusted([0.01, 0.02, 0.03, 0.5]) == pytest.approx([0.04, 0.04, 0.04, 0.5])
    assert measures.adjusted([]) == []


@given(st.lists(st.floats(0, 1), max_size=40))
def test_p_values_are_adjusted_as_scipy_does(p_values: list[float]) -> None:
    expected = stats.false_discovery_control(p_values).tolist() if p_values else []
    assert measures.adjusted(p_values) == pytest.approx(expected, rel=1e-12)
