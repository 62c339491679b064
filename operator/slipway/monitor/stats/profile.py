"""What a baseline looks like: made once of its rows, in one pass, and frozen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import pyarrow as pa
from pydantic import TypeAdapter

from slipway.monitor.stats.convert import Kind, flat
from slipway.monitor.stats.gather import Categories, Sample

SAMPLE_ROWS = 1_000_000
"""Beyond so many rows, bins are made of a random sample of between half as many and as many; missing and infinite values, the least and the
greatest are still of all rows, and so are categories."""
SAMPLE_VALUES = 20_000_000
"""Over all columns of numbers: 160 MB. With more than 20 of them the sample is smaller, but never below 10,000 rows."""
SMALLEST_SAMPLE = 10_000


@dataclass(frozen=True)
class NumberProfile:
    """A column of numbers. `below`, `upto` and `sums` as in `tally.Numbers`, of the sample."""

    rows: int
    missing: int
    infinite: int
    sampled: int
    """Finite values that bins and points are made of."""
    minimum: float | None
    maximum: float | None
    mean: float | None
    deviation: float | None
    """Standard deviation, of the whole sample (divided by n)."""
    by_value: bool
    """There are at most ten values, and each is a bin; all others are one more."""
    edges: tuple[float, ...]
    """Of bins: [edges[i-1], edges[i]), the first and last open; `by_value`, the values."""
    points: tuple[float, ...]
    """At which is counted: edges, quantiles, and some at equal distances."""
    below: tuple[int, ...]
    upto: tuple[int, ...]
    sums: tuple[float, ...]
    kind: Literal["Number"] = "Number"


@dataclass(frozen=True)
class CategoryProfile:
    """A column of texts or booleans."""

    rows: int
    missing: int
    categories: tuple[str, ...]
    """The most frequent first, at most 50: each is a bin, all others are one more."""
    counts: tuple[int, ...]
    rest: int
    others: tuple[str, ...] = ()
    """More categories that occurred, at most 1,000."""
    complete: bool = True
    """No category occurred that is not in `categories` or `others`."""
    kind: Literal["Category"] = "Category"


@dataclass(frozen=True)
class Profile:
    """A baseline, by columns of the table."""

    columns: dict[str, NumberProfile | CategoryProfile]
    rows: int
    notes: dict[str, str] = field(default_factory=dict)
    """Why a column has no profile."""
    schema_version: Literal[1] = 1

    def to_json(self) -> str:
        return _ADAPTER.dump_json(self).decode()

    @staticmethod
    def from_json(text: str | bytes) -> Profile:
        """Raises ValueError: it is no profile, or one of a later version."""
        return _ADAPTER.validate_json(text)


_ADAPTER = TypeAdapter(Profile)


def build(batches: Iterable[pa.RecordBatch], columns: Mapping[str, Kind], seed: int = 0) -> Profile:
    """The profile of all rows, by columns of the table. Memory is bounded, see SAMPLE_ROWS. A column that is in no batch, or whose values
    are not of its kind, has a note instead of a profile.
    """
    numbers = sum(kind == "Number" for kind in columns.values())
    limit = max(SMALLEST_SAMPLE, min(SAMPLE_ROWS, SAMPLE_VALUES // max(1, numbers)))
    gathered = {name: Sample(limit, seed) if kind == "Number" else Categories() for name, kind in columns.items()}
    rows, notes = 0, dict[str, str]()
    for batch in batches:
        rows += len(batch)
        for name in gathered.keys() - notes.keys():
            _add(gathered[name], name, batch, notes)
    notes = {name: "the baseline has no such column" for name, one in gathered.items() if one.rows == one.absent} | notes
    return Profile({name: _profile(one) for name, one in gathered.items() if name not in notes}, rows, notes)


def _add(gathered: Sample | Categories, name: str, batch: pa.RecordBatch, notes: dict[str, str]) -> None:
    try:
        place = batch.schema.get_field_index(name)
        if place < 0:
            gathered.add_absent(len(batch))
        else:
            gathered.add(flat(batch.column(place)))
    except Exception as error:  # one bad column is no reason to know nothing of the others
        notes[name] = f"{type(error).__name__}: {error}"[:200]


def _profile(gathered: Sample | Categories) -> NumberProfile | CategoryProfile:
    if isinstance(gathered, Categories):
        return CategoryProfile(**gathered.summary())
    return NumberProfile(**gathered.summary())
