"""Whether a live child still is what was applied, read the way server-side apply reads: only our own fields count."""

from __future__ import annotations

from enum import Enum
from typing import Any

from slipway.api.types import quantity_value
from slipway.cluster.resources import Manifest
from slipway.plan.names import HASH_ANNOTATION

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
        return isinstance(live, dict) and all(contains(live.get(key), value) for key, value in wanted.items())
    if isinstance(wanted, list):
        return _list_contains(live or [], wanted)
    if wanted == "" and live is None:  # the apiserver drops an empty `value`
        return True
    return bool(live == wanted) or _same_quantity(live, wanted)


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
    """The apiserver writes `1000m` as `1`."""
    if not (isinstance(live, str) and isinstance(wanted, str) and live[:1].isdigit() and wanted[:1].isdigit()):
        return False
    try:
        return quantity_value(live) == quantity_value(wanted)
    except (ValueError, KeyError):
        return False
