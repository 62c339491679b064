"""How often each measure of drift, at its default thresholds, calls a window drifted: `python -m tests.bench.monitor_power`.

Prints the tables of docs/monitors/statistics.md: for each cell 1,000 windows, ten against each of a hundred baselines, through the code
that a run goes through. `WINDOWS` is their number.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, get_args

import numpy as np
import pyarrow as pa

from slipway.api.v1alpha1.model_monitor import CategoricalMeasure, CheckStatus, Drift, NumericMeasure
from slipway.monitor.stats.convert import Kind, kind_of
from slipway.monitor.stats.drift import drift_checks
from slipway.monitor.stats.profile import Profile, build
from slipway.monitor.stats.scan import Scanner

WINDOWS = int(os.environ.get("WINDOWS", "1000"))
BASELINE_ROWS, WINDOWS_EACH = 10_000, 10
SIZES = (500, 2_000, 10_000)
SHIFTS = (0.0, 0.1, 0.25, 0.5)
MIX = (0.5, 0.3, 0.15, 0.05)
MIXES = {
    "the same mix": MIX,
    "5 of 100 rows from the most to the least frequent of 4": (0.45, 0.3, 0.15, 0.1),
    "10 of 100 rows": (0.4, 0.3, 0.15, 0.15),
    "20 of 100 rows": (0.3, 0.3, 0.15, 0.25),
}
MANY = 20
Draw = Callable[[np.random.Generator, int], Any]
NUMERIC: Sequence[str] = get_args(NumericMeasure)
CATEGORICAL: Sequence[str] = get_args(CategoricalMeasure)


def main() -> None:
    print(_heading("numbers, shifted by so many standard deviations", NUMERIC))
    for shift in SHIFTS:
        _lines(f"{shift:g}", _normal(0), _normal(shift), NUMERIC)
    print("\n" + _heading("texts", CATEGORICAL))
    for name, mix in MIXES.items():
        _lines(name, _mixed(MIX), _mixed(mix), CATEGORICAL)
    print("\n" + _heading(f"any of {MANY} columns of numbers, none shifted", NUMERIC))
    for rows in SIZES:
        print(_line("0", rows, _shares(_normal(0), _normal(0), rows, NUMERIC, MANY), NUMERIC), flush=True)


def _normal(mean: float) -> Draw:
    return lambda rng, rows: rng.normal(mean, size=rows)


def _mixed(shares: Sequence[float]) -> Draw:
    names = np.array(list("abcd"))
    return lambda rng, rows: names[rng.choice(len(shares), rows, p=shares)].astype(object)


def _heading(what: str, measures: Sequence[str]) -> str:
    return "\n".join([f"| {what} | rows | {' | '.join(measures)} |", "|---" * (len(measures) + 2) + "|"])


def _lines(what: str, base: Draw, window: Draw, measures: Sequence[str]) -> None:
    for rows in SIZES:
        print(_line(what, rows, _shares(base, window, rows, measures, 1), measures), flush=True)


def _line(what: str, rows: int, shares: Mapping[str, tuple[float, float]], measures: Sequence[str]) -> str:
    cells = " | ".join(f"{shares[measure][0]:.1%} / {shares[measure][1]:.1%}" for measure in measures)
    return f"| {what} | {rows:,} | {cells} |"


def _shares(base: Draw, window: Draw, rows: int, measures: Sequence[str], columns: int) -> dict[str, tuple[float, float]]:
    """Of windows in which any column is at least `Warning`, and in which one is `Critical`; by measure."""
    rng = np.random.default_rng([columns, rows])
    alarms = {measure: np.zeros(2, np.int64) for measure in measures}
    for number in range(WINDOWS):
        if number % WINDOWS_EACH == 0:
            profile, kinds = _baseline(_batch(rng, base, BASELINE_ROWS, columns))
        checks = _checks(profile, kinds, _batch(rng, window, rows, columns), measures)
        for measure, found in checks.items():
            verdicts = {check.verdict for check in found}
            alarms[measure] += bool(verdicts & {"Warning", "Critical"}), "Critical" in verdicts
    return {measure: (float(counts[0] / WINDOWS), float(counts[1] / WINDOWS)) for measure, counts in alarms.items()}


def _batch(rng: np.random.Generator, draw: Draw, rows: int, columns: int) -> pa.RecordBatch:
    return pa.record_batch({f"in_{index}": pa.array(draw(rng, rows)) for index in range(columns)})


def _baseline(rows: pa.RecordBatch) -> tuple[Profile, dict[str, Kind]]:
    kinds: dict[str, Kind] = {field.name: kind_of(field.type) for field in rows.schema}
    return build([rows], kinds), kinds


def _checks(profile: Profile, kinds: dict[str, Kind], window: pa.RecordBatch, measures: Sequence[str]) -> dict[str, list[CheckStatus]]:
    scanner = Scanner(profile, kinds)
    scanner.add(window)
    names = {name: name for name in kinds}
    return {measure: drift_checks(profile, scanner.window(), _spec(measure), "Drift", names) for measure in measures}


def _spec(measure: str) -> Drift:
    """With default thresholds."""
    return Drift(
        numeric=measure if measure in NUMERIC else "PSI",  # type: ignore[arg-type]
        categorical=measure if measure in CATEGORICAL else "PSI",  # type: ignore[arg-type]
    )


if __name__ == "__main__":
    main()
