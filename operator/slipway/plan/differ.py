"""Whether a live child still is what was applied, read the way server-side apply reads: only our own fields count."""

from __future__ import annotations

from decimal import ROUND_UP, Context, Decimal
from enum import Enum
from typing import Any

from slipway.api.types import quantity_value
from slipway.cluster.resources import Manifest
from slipway.plan.names import HASH_ANNOTATION

_QUANTITIES = ("requests", "limits")
"""Maps of quantities, which are compared by value; everywhere else `1000m` is a text like any other."""

_MERGE_KEYS = ("uid", "containerPort", "mountPath", "name", "port", "topologyKey")
"""What identifies an item of a list that server-side apply merges, most specific first."""


class Difference(Enum):
    """How a live child compares with its manifest."""

    NONE = "as applied"
    OUTDATED = "the manifest has changed"
    EDITED = "somebody changed the child"


def compare(manifest: Manifest, live: Manifest) -> Difference:
    """How `live` compares with `manifest`, which carries its hash."""
    applied = (live["metadata"].get("annotations") or {}).get(HASH_ANNOTATION)
    if applied != manifest["metadata"]["annotations"][HASH_ANNOTATION]:
        return Difference.OUTDATED
    return Difference.NONE if contains(live, manifest) else Difference.EDITED


def contains(live: Any, wanted: Any) -> bool:
    """Whether every field of `wanted` has its value in `live`; what others added beside is theirs."""
    if isinstance(wanted, dict):
        if not wanted:
            return not live or isinstance(live, dict)
        return isinstance(live, dict) and all(_field_contains(key, live.get(key), value) for key, value in wanted.items())
    if isinstance(wanted, list):
        return _list_contains(live or [], wanted)
    if wanted == "" and live is None:  # the apiserver drops an empty `value`
        return True
    return bool(live == wanted)


def _field_contains(key: str, live: Any, wanted: Any) -> bool:
    if key in _QUANTITIES and isinstance(live, dict) and isinstance(wanted, dict):
        return all(_same_quantity(live.get(name), value) for name, value in wanted.items())
    return contains(live, wanted)


def _list_contains(live: list[Any], wanted: list[Any]) -> bool:
    key = _merge_key(wanted)
    if key is None:
        return len(live) == len(wanted) and all(map(contains, live, wanted))
    by_key = {item.get(key): item for item in live if isinstance(item, dict)}
    return all(contains(by_key.get(item[key]), item) for item in wanted)


def _merge_key(items: list[Any]) -> str | None:
    for key in _MERGE_KEYS:
        if items and all(isinstance(item, dict) and key in item for item in items):
            return key
    return None


def _same_quantity(live: Any, wanted: Any) -> bool:
    """The apiserver writes `1000m` as `1`, `0.35` as `350m`, and rounds up what is less than a thousandth."""
    try:
        return _to_milli(live) == _to_milli(wanted)
    except ValueError:
        return False


def _to_milli(quantity: int | str) -> Decimal:
    return quantity_value(quantity).quantize(Decimal("1e-3"), ROUND_UP, Context(prec=100))
