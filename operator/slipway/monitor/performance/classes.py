"""Which classes a table is about, and which column has whose probability."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pyarrow as pa

from slipway.monitor.performance.labels import Encoded, canonical, encode, in_order
from slipway.monitor.performance.numbers import Unusable

PREFIX = "p_"
MAX_CLASSES = 1000
_UNFIT = re.compile(r"[^\w.\-]")
"""What column names of the log have as `_` (docs/collector.md)."""


@dataclass(frozen=True)
class Classes:
    """Of a classification, in order."""

    keys: tuple[str, ...]
    """Canonical."""
    names: tuple[str, ...]
    """As the table writes them."""
    columns: dict[str, str]
    """The column of a key's probability; of two classes perhaps of one only. Empty where there are no probabilities."""
    positive: int | None
    """The place of the positive class; None where there are not two classes."""
    note: str = ""


def find_classes(table: pa.Table, binary: bool, positive_class: str | None) -> Classes:
    """The classes of the probabilities' columns, or else of the labels. Raises Unusable."""
    predicted, truth = _column(table, "prediction"), _column(table, "truth_label")
    labels = list(dict.fromkeys([*predicted.counts(), *truth.counts()]))
    columns, note = _probabilities(table.column_names, labels, bool(predicted.keys))
    keys = set(columns)
    positive = canonical(positive_class)
    if not binary:
        keys = keys or set(labels)
    elif len(keys) < 2:
        wanted = [key for key in [*keys, positive, *labels] if key is not None]
        keys = set(list(dict.fromkeys(wanted))[:2])
    _refuse(keys, binary, positive)
    ordered = tuple(in_order(keys))
    return Classes(ordered, _spelled(ordered, predicted, truth), columns, _positive(ordered, positive) if binary else None, note)


def _column(table: pa.Table, name: str) -> Encoded:
    return encode(table[name] if name in table.column_names else pa.nulls(0))


def _refuse(keys: set[str], binary: bool, positive: str | None) -> None:
    if not keys:
        raise Unusable("no row has a label")
    if binary and len(keys) > 2:
        raise Unusable(f"a binary classification, but there are probabilities of {len(keys)} classes")
    if binary and positive is not None and positive not in keys:
        raise Unusable(f"positiveClass is {positive}, but the classes are {', '.join(in_order(keys))}"[:300])
    if len(keys) > MAX_CLASSES:
        raise Unusable(f"{len(keys)} different labels: at most {MAX_CLASSES} are compared")


def _positive(keys: tuple[str, ...], wanted: str | None) -> int | None:
    if wanted is not None:
        return keys.index(wanted)
    return 1 if len(keys) == 2 else None


def _spelled(keys: tuple[str, ...], predicted: Encoded, truth: Encoded) -> tuple[str, ...]:
    spelling = truth.spelling | predicted.spelling
    return tuple(spelling.get(key, key) for key in keys)


def _probabilities(names: list[str], labels: list[str], known: bool) -> tuple[dict[str, str], str]:
    """Column by key, and why there are none. A column is named after its label, as the log writes it, or after the label's number."""
    columns = {name.removeprefix(PREFIX): name for name in names if name.startswith(PREFIX)}
    written = {_UNFIT.sub("_", label): label for label in reversed(labels)}
    by_label = {written.get(suffix) or canonical(suffix) or suffix: name for suffix, name in columns.items()}
    if not columns or not known or set(by_label) & set(labels):
        return by_label, ""
    numbers = {str(number): label for number, label in enumerate(in_order(set(labels)))}
    if set(by_label) == set(numbers):
        return {numbers[key]: name for key, name in by_label.items()}, ""
    return {}, f"the probabilities are of {', '.join(in_order(set(by_label)))}, which are no labels"[:200]
