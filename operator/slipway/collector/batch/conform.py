"""A batch becomes rows of its table: typed by the table, the model's schema, or itself. Nothing of it is lost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from slipway.collector.batch import casting, names, other
from slipway.collector.batch.layout import BASES, FEATURE_PREFIXES, OTHER, PARTITION, TIME, Columns
from slipway.collector.errors import malformed
from slipway.collector.settings import Limits

FIRST, LAST = "2000-01-01", "2200-01-01"
"""Days that rows may be of."""
MAX_ID = 256


@dataclass(frozen=True)
class Conformed:
    """Rows for the table (with `date`, without columns that it has and the batch has not), and the columns it will have then."""

    rows: pa.Table
    columns: Columns


def conform(batch: pa.Table, kind: str, columns: Columns, datatypes: Mapping[str, str], limits: Limits) -> Conformed:
    """Rows of a table of `kind` with `columns`.

    `datatypes`: of the model's schema, by column of the batch (`in_age` → `INT64`). Raises Refused (400) for a batch without what every
    row must have.
    """
    try:
        return _conform(batch.combine_chunks(), kind, columns, datatypes, limits)
    except (pa.ArrowException, ValueError, TypeError, OverflowError) as error:  # sent again, it would fail again
        raise malformed(f"rows that cannot be stored: {error}"[:300]) from error


def _conform(batch: pa.Table, kind: str, columns: Columns, datatypes: Mapping[str, str], limits: Limits) -> Conformed:
    base = _base(batch, kind)
    fitting, features, left = _features(batch, kind, columns, datatypes, limits)
    base[OTHER] = other.merged(base.get(OTHER, pa.nulls(len(batch), pa.string())), left)
    base[PARTITION] = _days(base["time"], limits)
    return Conformed(pa.table({**base, **fitting}), features)


def check_ids(column: pa.Array) -> None:
    """Raises Refused (400) for ids that are null, empty or long."""
    lengths = pc.binary_length(column)
    if column.null_count or (len(column) and not 1 <= pc.min(lengths).as_py() <= pc.max(lengths).as_py() <= MAX_ID):
        raise malformed(f"prediction_id must be text of 1 to {MAX_ID} bytes in every row")


def _base(batch: pa.Table, kind: str) -> dict[str, pa.Array]:
    found: dict[str, pa.Array] = {}
    for name, wanted in BASES[kind].items():
        if name not in batch.column_names:
            if name in ("prediction_id", "row", "time"):
                raise malformed(f"no column {name!r}")
            continue
        column = one(batch.column(name))
        try:
            found[name] = column.cast(wanted)
        except pa.ArrowException as error:
            raise malformed(f"column {name!r} must be {wanted}: {str(error)[:200]}") from error
    if kind == "predictions":
        check_ids(found["prediction_id"])
    return found


def _features(
    batch: pa.Table, kind: str, columns: Columns, datatypes: Mapping[str, str], limits: Limits
) -> tuple[dict[str, pa.Array], Columns, list[other.Leftover]]:
    """The columns that the table has or gets, what it has then, and what goes to `other`."""
    given = [name for name in batch.column_names if name not in BASES[kind]]
    wanted = [name for name in given if name.startswith(FEATURE_PREFIXES)]
    assigned = names.assign(wanted, {**{base: base for base in (*BASES[kind], PARTITION)}, **columns.originals})
    room = limits.table_columns - len(BASES[kind]) - 1 - len(columns.types)
    types, originals, fitting, left = dict[str, pa.DataType](), dict[str, str](), dict[str, pa.Array](), list[other.Leftover]()
    for name in given:
        values, column = one(batch.column(name)), assigned.get(name)
        if column is None or (column not in columns.types and len(types) >= room):
            left.append((name, values, None))
            continue
        target = columns.types.get(column) or casting.declared(datatypes.get(name, "")) or casting.natural(values.type)
        if column not in columns.types:
            types[column], originals[column] = target, name
        fitting[column], misfit = casting.cast(values, target)
        if misfit is not None:
            left.append((name, values, misfit))
    return fitting, columns.with_new(types, originals), left


def _days(time: pa.Array, limits: Limits) -> pa.Array:
    if time.null_count:
        raise malformed("time must not be null")
    if not len(time):
        return pa.nulls(0, pa.date32())
    first, last = (pa.scalar(day).cast(pa.timestamp("us")).cast(TIME) for day in (FIRST, LAST))
    bounds = pc.min_max(time)
    if bounds["min"].value < first.value or bounds["max"].value > last.value:
        raise malformed(f"time must be between {FIRST} and {LAST}")
    days = time.cast(pa.date32())
    if pc.count_distinct(days).as_py() > limits.days:
        raise malformed(f"rows of more than {limits.days} days in one batch")
    return days


def one(column: pa.ChunkedArray) -> pa.Array:
    """A column in one piece."""
    combined = column.combine_chunks()
    return (
        combined
        if isinstance(combined, pa.Array)
        else pa.concat_arrays(combined.chunks)
        if combined.num_chunks
        else pa.nulls(0, column.type)
    )
