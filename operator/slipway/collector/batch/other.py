"""The column `other`: a JSON object for each row, of what fits no column of its own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from slipway.collector.batch.casting import plain

Leftover = tuple[str, pa.Array, pa.Array | None]
"""Original name, values, and a mask of the rows that are meant; None: all that are not null."""


def merged(other: pa.Array, leftovers: Iterable[Leftover]) -> pa.Array:
    """`other` with the leftovers in it, by their names; what a row had there before stays."""
    added: dict[int, dict[str, Any]] = {}
    for name, values, mask in leftovers:
        rows = pc.indices_nonzero(values.is_valid() if mask is None else mask)
        for row, value in zip(rows.to_pylist(), values.take(rows).to_pylist(), strict=True):
            added.setdefault(row, {})[name] = plain(value)
    if not added:
        return other
    texts = other.to_pylist()
    for row, new in added.items():
        texts[row] = orjson.dumps(_object(texts[row]) | new).decode()
    return pa.array(texts, pa.string())


def _object(text: str | None) -> dict[str, Any]:
    if not text:
        return {}
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        found = text
    return found if isinstance(found, dict) else {"other": found}
