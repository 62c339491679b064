"""What would change: two contents of revisions (docs/revisions.md), field by field. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

ABSENT = "-"
ORDER = " (order)"


@dataclass(frozen=True)
class Change:
    """One field: as it was approved, and as it is asked for. None: not set."""

    field: str
    approved: str | None
    asked: str | None


def changes(approved: Mapping[str, Any] | None, asked: Mapping[str, Any]) -> list[Change]:
    """Every field that differs, in the order of the contents; all of them when nothing was approved. Without the platform's part."""
    before, after = dict(_fields(approved)) if approved else {}, dict(_fields(asked))
    differ = [name for name in {**after, **before} if _json(before.get(name)) != _json(after.get(name))]
    return [_change(name, before.get(name), after.get(name)) for name in differ if not _is_implied(name, differ, before, after)]


def _is_implied(name: str, differ: list[str], before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Another name is another object, so its uid says nothing; nor does the order of a list that has other members."""
    if name in _NAMES:
        return any(other in differ for other in _NAMES[name])
    return name.endswith(ORDER) and sorted(before.get(name, ())) != sorted(after.get(name, ()))


_NAMES = {"Model uid": ("model",), "ModelVersion uid": ("model", "version")}


def _change(name: str, approved: Any, asked: Any) -> Change:
    """The number 2 and the string "2" are different, and look so."""
    shown = [_shown(approved), _shown(asked)]
    if shown[0] == shown[1]:
        shown = [_json(approved), _json(asked)]
    return Change(name, *shown)


def _shown(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else _json(value)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _fields(content: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The fields under the names that people write: those of a ModelDeployment's spec, then those of its version and Model."""
    deployment, version, model = content["deployment"], content["version"], content["model"]
    yield from _flat({key: deployment[key] for key in ("model", "version") if key in deployment})
    yield from _flat({"stopped (replicas: 0)": content.get("stopped"), "retire": content.get("retire")})
    yield from _flat({key: value for key, value in version.items() if key not in ("name", "uid", "version")})
    yield from _flat({key: value for key, value in deployment.items() if key not in ("model", "version")})
    yield from _flat({f"Model {key}": value for key, value in model.items() if key != "name"})
    yield from _flat({"ModelVersion uid": version.get("uid")})
    known = ("deployment", "version", "model", "stopped", "retire", "platform")
    yield from _flat({key: value for key, value in content.items() if key not in known})


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """`{"pod": {"env": [{"name": "A", "value": "b"}]}}` → `("pod.env[A].value", "b")` and the order of the list."""
    if isinstance(value, Mapping) and (value or not name):
        for key, child in value.items():
            yield from _flat(child, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list) and value and all(isinstance(item, Mapping) and "name" in item for item in value):
        for item in value:
            yield from _flat({key: child for key, child in item.items() if key != "name"}, f"{name}[{item['name']}]")
        yield name + ORDER, [item["name"] for item in value]
    elif value is not None:
        yield name, value


@dataclass(frozen=True)
class Metric:
    """An offline metric of both versions, as decimal strings."""

    name: str
    approved: str | None
    asked: str | None

    @property
    def difference(self) -> str:
        """Such as `+0.02`; empty when one of them is missing, or not a number."""
        from decimal import Decimal, InvalidOperation

        try:
            return f"{Decimal(self.asked or '') - Decimal(self.approved or ''):+}"
        except (InvalidOperation, ValueError):
            return ""


def metrics(approved: Mapping[str, Any] | None, asked: Mapping[str, Any]) -> list[Metric]:
    """`lineage.metrics` of two ModelVersions' specs, side by side, by name."""
    before, after = _metrics(approved or {}), _metrics(asked)
    return [Metric(name, before.get(name), after.get(name)) for name in sorted({*before, *after})]


def _metrics(spec: Mapping[str, Any]) -> dict[str, str]:
    return {str(name): str(value) for name, value in ((spec.get("lineage") or {}).get("metrics") or {}).items()}
