"""Labels of two sides made comparable: the truth is text, an answer is a number, a boolean or text."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from slipway.monitor.performance.numbers import IntArray

_NUMBER = re.compile(r"[+-]?(0|[1-9][0-9]*)(\.[0-9]*)?([eE][+-]?[0-9]{1,3})?")
"""`007` is a name, not a number."""
_WORDS = {"true": "1", "false": "0", "": None, "nan": None}
MISSING = -1


def canonical(value: object) -> str | None:
    """The form in which labels are compared; None where there is none (null, NaN, empty text).

    `1`, `1.0`, `true` and `True` are `1`, as text or not; `false` is `0`; other text stays, without blanks around it.
    """
    if value is None:
        return None
    if isinstance(value, bool | int | np.integer | np.bool_):
        return str(int(value))
    if isinstance(value, float | np.floating):
        return _number(float(value))
    text = str(value).strip()
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    return _number(float(text)) if _NUMBER.fullmatch(text) and not text.lstrip("+-").isdigit() else text.removeprefix("+")


def _number(value: float) -> str | None:
    if math.isnan(value):
        return None
    return str(int(value)) if value.is_integer() else repr(value)


@dataclass(frozen=True)
class Encoded:
    """A column of labels. `codes[i]` is the place of row i's label in `keys`, or MISSING."""

    codes: IntArray
    keys: tuple[str, ...]
    """Canonical, each once."""
    spelling: dict[str, str]
    """How a key is written in the column."""

    def counts(self) -> dict[str, int]:
        """Rows by key, most frequent first, then in order of the key."""
        counts = np.bincount(self.codes[self.codes != MISSING], minlength=len(self.keys)).tolist()
        return dict(sorted(zip(self.keys, counts, strict=True), key=lambda item: (-item[1], item[0])))

    def places(self, keys: tuple[str, ...], unknown: int) -> IntArray:
        """Codes in another list of keys; `unknown` for labels that it does not have. Missing ones stay MISSING."""
        place = {key: number for number, key in enumerate(keys)}
        table = np.array([*(place.get(key, unknown) for key in self.keys), MISSING], dtype=np.int64)
        return np.asarray(table[self.codes], dtype=np.int64)


def encode(column: pa.ChunkedArray | pa.Array) -> Encoded:
    """Each distinct value is looked at once."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if pa.types.is_dictionary(array.type):
        array = array.cast(array.type.value_type)
    if pa.types.is_null(array.type):
        array = array.cast(pa.string())
    coded = pc.dictionary_encode(array)
    values = coded.dictionary.to_pylist()
    forms = [canonical(value) for value in values]
    keys = tuple(dict.fromkeys(form for form in forms if form is not None))
    place = {key: number for number, key in enumerate(keys)}
    table = np.array([*(MISSING if form is None else place[form] for form in forms), MISSING], dtype=np.int64)
    codes = np.asarray(table[coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)], dtype=np.int64)
    spelling = {form: str(value).strip() for form, value in reversed(list(zip(forms, values, strict=True))) if form is not None}
    return Encoded(codes, keys, spelling)


def in_order(keys: set[str]) -> list[str]:
    """Numbers by value where all are numbers, else as text: the order of scikit-learn's classes."""
    try:
        return sorted(keys, key=lambda key: (float(key), key))
    except ValueError:
        return sorted(keys)
