"""One column to the type that its table has for it. What does not fit unchanged stays out, and is told."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

EXACT = 2**53
"""Whole numbers up to here are themselves as float64."""
WHOLE_TEXT = r"^[+-]?[0-9]{1,18}$"
REAL_TEXT = r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?$"
Cast = tuple[pa.Array, pa.Array | None]
"""The column, null where the value does not fit; and a mask of those places, None if there are none."""


def natural(kind: pa.DataType) -> pa.DataType:
    """The type of a column that nobody has declared: int64, float64, bool or string."""
    if pa.types.is_boolean(kind):
        return kind
    if pa.types.is_integer(kind):
        return pa.int64()
    return pa.float64() if pa.types.is_floating(kind) else pa.string()


def declared(datatype: str) -> pa.DataType | None:
    """The type for a datatype of the Open Inference Protocol; None for one that it does not have."""
    if datatype.startswith(("INT", "UINT")):
        return pa.int64()
    if datatype.startswith(("FP", "BF")):
        return pa.float64()
    return {"BOOL": pa.bool_(), "BYTES": pa.string()}.get(datatype)


def cast(column: pa.Array, target: pa.DataType) -> Cast:
    """The column as `target` (one of `layout.FEATURE_TYPES`), value by value."""
    source = column.type
    if source == target:
        return column, None
    if pa.types.is_string(target):
        return column.cast(target), None
    fits = _fits(column, target)
    misfit = pc.and_(pc.invert(pc.fill_null(fits, True)), column.is_valid())
    kept = pc.if_else(pc.fill_null(fits, False), column, pa.scalar(None, source))
    bridged = _number(kept) if pa.types.is_boolean(target) and pa.types.is_string(source) else kept
    return bridged.cast(target, safe=False), misfit if pc.any(misfit).as_py() else None


def _number(column: pa.Array) -> pa.Array:
    return pc.equal(pc.utf8_lower(column), "true")


def _fits(column: pa.Array, target: pa.DataType) -> pa.Array:
    """Whether each value is the same as `target`; null where there is none."""
    source = column.type
    if pa.types.is_string(source) or pa.types.is_large_string(source):
        return _text_fits(column, target)
    if pa.types.is_timestamp(source):
        return pc.invert(column.is_valid())
    if pa.types.is_boolean(target):
        return pc.is_in(column, pa.array([0, 1]).cast(source))
    if pa.types.is_integer(source):
        return _within(column, EXACT if pa.types.is_floating(target) else 2**63 - 1)
    if pa.types.is_floating(source) and pa.types.is_integer(target):
        return pc.and_(_within(column, 2**63 - 1024), pc.equal(pc.floor(column), column))
    return column.is_valid()


def _text_fits(column: pa.Array, target: pa.DataType) -> pa.Array:
    if pa.types.is_boolean(target):
        return pc.is_in(pc.utf8_lower(column), pa.array(["true", "false"]).cast(column.type))
    return pc.match_substring_regex(column, WHOLE_TEXT if pa.types.is_integer(target) else REAL_TEXT)


def _within(column: pa.Array, bound: int) -> pa.Array:
    """NaN is within nothing."""
    if pa.types.is_floating(column.type):
        wide = column.cast(pa.float64())
        return pc.and_(pc.less_equal(wide, float(bound)), pc.greater_equal(wide, -float(bound)))
    if pa.types.is_unsigned_integer(column.type):
        return pc.less_equal(column.cast(pa.uint64()), pa.scalar(bound, pa.uint64()))
    wide = column.cast(pa.int64())
    return pc.and_(pc.less_equal(wide, bound), pc.greater_equal(wide, -bound))


def plain(value: Any) -> Any:
    """A value as JSON has it: numbers that JSON has no word for, and those beyond 64 bits, as text."""
    if isinstance(value, float) and not -float("inf") < value < float("inf"):
        return str(value)
    return value if isinstance(value, (bool, int, float, str)) or value is None else str(value)
