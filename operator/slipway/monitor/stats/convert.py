"""Arrow columns as what is counted: float64 arrays, or texts."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Kind = Literal["Number", "Category"]
Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]


def kind_of(column: pa.DataType) -> Kind:
    """How a column of this type is looked at: whole and real numbers as numbers, all else by its categories."""
    if pa.types.is_dictionary(column):
        return kind_of(column.value_type)
    return "Number" if pa.types.is_integer(column) or pa.types.is_floating(column) or pa.types.is_decimal(column) else "Category"


def as_floats(column: pa.Array) -> Floats:
    """The values that are not null, as float64: whole numbers beyond 2^53 are rounded, booleans are 0 and 1. May share the column's memory.
    Raises pa.ArrowInvalid or pa.ArrowNotImplementedError: they are no numbers.
    """
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.uint8())
    if not pa.types.is_float64(column.type):
        column = column.cast(pa.float64(), safe=pa.types.is_string(column.type))
    values: Floats = view(column.drop_null() if column.null_count else column, np.float64)
    return values


def view(column: pa.Array, dtype: type[Any]) -> Any:
    """The memory of a column of fixed width without nulls. Unlike `to_numpy`, this does not import pandas (100 MB, a second)."""
    buffer = column.buffers()[1]
    if buffer is None or not len(column):
        return np.zeros(0, dtype)
    return np.frombuffer(buffer, dtype, len(column), column.offset * np.dtype(dtype).itemsize)


def as_whole(column: pa.Array) -> Counts:
    """Whole numbers, 0 for null."""
    column = column.cast(pa.int64())
    if column.null_count:
        filled: Counts = np.nan_to_num(column.to_numpy(zero_copy_only=False)).astype(np.int64)
        return filled
    whole: Counts = view(column, np.int64)
    return whole


def as_mask(chosen: npt.NDArray[np.bool_]) -> pa.Array:
    """For `filter`. Unlike `pa.array`, and like `view`, this does not import pandas."""
    bits = pa.py_buffer(np.packbits(chosen, bitorder="little").tobytes())
    return pa.Array.from_buffers(pa.bool_(), len(chosen), [None, bits])


def as_texts(column: pa.Array) -> pa.Array:
    """The values as texts, nulls kept: booleans are `true` and `false`, numbers their shortest notation; NaN is null.
    Raises pa.ArrowInvalid or pa.ArrowNotImplementedError: they have no notation (lists, structs).
    """
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
    return column if pa.types.is_string(column.type) else column.cast(pa.string())


def known_values(names: list[str]) -> pa.Array:
    """As pyarrow looks them up."""
    return pa.array(names, pa.string())


def flat(column: Any) -> pa.Array:
    """A chunked column as one array."""
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
