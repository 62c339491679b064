"""Beside Evidently, on the same rows and in the same bins: see tests/golden_statistics/make.py."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from slipway.monitor.stats.compare import difference
from slipway.monitor.stats.profile import NumberProfile, Profile
from slipway.monitor.stats.tally import Numbers
from tests.golden_statistics.rows import NUMBERS, TEXTS, columns
from tests.unit.monitor.stats.counted import batch, profile_of, window_of

GOLDEN = json.loads((Path(__file__).parents[3] / "golden_statistics/evidently.json").read_text())["columns"]
BASELINE, WINDOW = columns("baseline"), columns("window")
BINNED = [name for name in NUMBERS if "edges" in GOLDEN[name]]
BY_VALUE = [name for name in (*NUMBERS, *TEXTS) if name not in BINNED]


def _in_evidentlys_bins(name: str) -> Profile:
    """The baseline's profile with the inner edges that Evidently made; it counts a value on an edge as we do."""
    column = profile_of({name: BASELINE[name]}).columns[name]
    assert isinstance(column, NumberProfile)
    edges = np.array(GOLDEN[name]["edges"][1:-1])
    points = np.unique(np.concatenate([column.points, edges]))
    counted = Numbers(points)
    counted.add(batch({name: BASELINE[name]}).column(0))
    below, upto, sums = (tuple(getattr(counted, field).tolist()) for field in ("below", "upto", "sums"))
    return Profile(
        {name: replace(column, edges=tuple(edges), points=tuple(points), below=below, upto=upto, sums=sums)}, len(BASELINE[name])
    )


def _found(name: str, profile: Profile, measure: str) -> float:
    return difference(profile.columns[name], window_of({name: WINDOW[name]}, profile).columns[name], measure).value


def _profile(name: str) -> Profile:
    return _in_evidentlys_bins(name) if name in BINNED else profile_of({name: BASELINE[name]})


@pytest.mark.parametrize("name", [*NUMBERS, *TEXTS])
def test_jensen_shannon_is_evidentlys(name: str) -> None:
    """Which takes natural logarithms where we take those of base 2."""
    assert _found(name, _profile(name), "JensenShannon") == pytest.approx(GOLDEN[name]["jensenshannon"] / math.sqrt(math.log(2)), abs=1e-12)


@pytest.mark.parametrize("name", BY_VALUE)
def test_psi_is_evidentlys_by_value(name: str) -> None:
    """But for the half value that we add to each bin."""
    assert _found(name, _profile(name), "PSI") == pytest.approx(GOLDEN[name]["psi"], rel=5e-3, abs=1e-5)


@pytest.mark.parametrize("name", BINNED)
def test_psi_is_evidentlys_in_its_bins(name: str) -> None:
    """Its outermost bins hold a few values, or none where it puts 0.0001 and we half a value."""
    assert _found(name, _profile(name), "PSI") == pytest.approx(GOLDEN[name]["psi"], abs=0.02)


@pytest.mark.parametrize("name", NUMBERS)
def test_wasserstein_is_evidentlys(name: str) -> None:
    found = _found(name, profile_of({name: BASELINE[name]}), "Wasserstein")
    assert found == pytest.approx(GOLDEN[name]["wasserstein"], abs=0.005)


def test_the_rows_are_those_that_evidently_saw() -> None:
    """A generator that had changed would show here first."""
    assert {name: len(set(values)) for name, values in BASELINE.items() if name in BY_VALUE} == {
        "whole": 5,
        "plan": 4,
        "plan_shifted": 4,
        "flag": 2,
    }
    assert sum(map(float, BASELINE["same"])) == pytest.approx(GOLDEN["same"]["sum"])
