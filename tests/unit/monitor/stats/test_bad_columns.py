"""Whatever a column holds, on either side: each column has its checks and its report, and the good one beside it is judged."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from slipway.api.v1alpha1.model_monitor import CheckStatus, DataQuality, Drift
from slipway.monitor.stats.convert import Kind
from slipway.monitor.stats.drift import drift_checks
from slipway.monitor.stats.profile import Profile, build
from slipway.monitor.stats.quality import quality_checks
from slipway.monitor.stats.reports import column_reports
from slipway.monitor.stats.scan import Scanner

ROWS = 60
GOOD = pa.array(np.random.default_rng(1).normal(size=ROWS))
SPECIAL = st.sampled_from([math.nan, math.inf, -math.inf, 0.0, -0.0, 5e-324, 1.7e308, -1.7e308, None])


def _array(values: st.SearchStrategy[Any], kind: pa.DataType) -> st.SearchStrategy[pa.Array]:
    return st.lists(values, min_size=ROWS, max_size=ROWS).map(lambda one: pa.array(one, kind))


REALS = _array(st.floats() | SPECIAL, pa.float64())
WHOLES = _array(st.integers(-(2**63), 2**63 - 1) | st.none(), pa.int64())
TEXTS = _array(st.text(max_size=5) | st.none(), pa.string())
BOOLS = _array(st.booleans() | st.none(), pa.bool_())
CONSTANT = (st.floats() | SPECIAL).map(lambda value: pa.array([value] * ROWS, pa.float64()))
NULLS = st.sampled_from([pa.nulls(ROWS), pa.nulls(ROWS, pa.float64()), pa.nulls(ROWS, pa.string())])
ODD = st.sampled_from([pa.array([[1.0]] * ROWS), pa.array([{"a": 1}] * ROWS), pa.array([b"\xff"] * ROWS)])
COLUMN = st.none() | REALS | WHOLES | TEXTS | BOOLS | CONSTANT | NULLS | ODD
KIND: st.SearchStrategy[Kind] = st.sampled_from(["Number", "Category"])
SPECS = st.builds(
    Drift,
    numeric=st.sampled_from(["PSI", "JensenShannon", "KolmogorovSmirnov", "Wasserstein"]),
    categorical=st.sampled_from(["PSI", "JensenShannon", "ChiSquare"]),
    min_rows=st.just(30),
)
QUALITY = DataQuality(max_missing=0.1, max_out_of_range=0.1, max_unseen_categories=0.1, min_rows=1)
NAMES = {"in_bad": "bad", "in_good": "good"}


def _batch(bad: pa.Array | None) -> pa.RecordBatch:
    return pa.record_batch({"in_good": GOOD} | ({} if bad is None else {"in_bad": bad}))


@settings(deadline=None, max_examples=100)
@given(baseline=COLUMN, window=COLUMN, kind=KIND, spec=SPECS)
def test_one_bad_column_never_kills_a_report(baseline: pa.Array | None, window: pa.Array | None, kind: Kind, spec: Drift) -> None:
    columns: dict[str, Kind] = {"in_bad": kind, "in_good": "Number"}
    profile = build([_batch(baseline)], columns)
    assert Profile.from_json(profile.to_json()) == profile
    scanner = Scanner(profile, columns)
    scanner.add(_batch(window))
    counted = scanner.window()
    drift = drift_checks(profile, counted, spec, "Drift", NAMES)
    quality = quality_checks(counted, QUALITY, NAMES)
    reports = column_reports(profile, counted)
    assert [check.column for check in drift] == ["bad", "good"]
    assert {(check.column, check.measure) for check in quality} >= {("bad", "missing"), ("good", "missing"), ("good", "outOfRange")}
    assert (drift[1].verdict, drift[1].value) == ("Healthy", 0)
    assert [report.name for report in reports] == ["bad", "good"]
    assert all(map(_is_json, [*drift, *quality]))
    assert all("NaN" not in report.model_dump_json() and "Infinity" not in report.model_dump_json() for report in reports)


def _is_json(check: CheckStatus) -> bool:
    """The apiserver takes no NaN, and no infinite number."""
    return all(value is None or math.isfinite(value) for value in (check.value, check.p_value, check.threshold))


@settings(deadline=None, max_examples=20)
@given(kind=KIND, spec=SPECS)
def test_an_empty_window_is_no_data(kind: Kind, spec: Drift) -> None:
    values = pa.array(["a"] * ROWS) if kind == "Category" else GOOD
    profile = build([_batch(values)], {"in_bad": kind, "in_good": "Number"})
    counted = Scanner(profile, {"in_bad": kind, "in_good": "Number"}).window()
    checks = [*drift_checks(profile, counted, spec, "Drift", NAMES), *quality_checks(counted, QUALITY, NAMES)]
    assert {check.verdict for check in checks} == {"NoData"}
