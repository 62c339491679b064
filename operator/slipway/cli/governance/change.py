"""What would change: two contents of revisions (docs/revisions.md), field by field. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

ABSENT = "-"


@dataclass(frozen=True)
class Change:
    """One field: as it was approved, and as it is asked for. None: not set."""

    field: str
    approved: str | None
    asked: str | None


def changes(approved: Mapping[str, Any] | None, asked: Mapping[str, Any]) -> list[Change]:
    """Every field that differs, in the order of the contents; all of them when nothing was approved. Without the platform's part."""
    before, after = dict(_fields(approved)) if approved else {}, dict(_fields(asked))
    found = [Change(name, before.get(name), after.get(name)) for name in {**after, **before} if before.get(name) != after.get(name)]
    names = {change.field for change in found}
    return [change for change in found if change.field not in _IMPLIED or names.isdisjoint(_IMPLIED[change.field])]


_IMPLIED = {"Model uid": {"model"}, "ModelVersion uid": {"model", "version"}}
"""Another name is another object; these tell that one of the same name was made anew."""


def _fields(content: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The fields under the names that people write: those of a ModelDeployment's spec, then those of its version and Model."""
    deployment, version, model = content["deployment"], content["version"], content["model"]
    yield from _flat({key: deployment[key] for key in ("model", "version") if key in deployment})
    yield from _flat({"stopped (replicas: 0)": content.get("stopped"), "retire": content.get("retire")})
    yield from _flat({key: value for key, value in version.items() if key not in ("name", "uid", "version")})
    yield from _flat({key: value for key, value in deployment.items() if key not in ("model", "version")})
    yield from _flat({"Model": {key: value for key, value in model.items() if key not in ("name", "uid")}}, between=" ")
    yield from _flat({"ModelVersion uid": version.get("uid"), "Model uid": model.get("uid")})
    known = ("deployment", "version", "model", "stopped", "retire", "platform")
    yield from _flat({key: value for key, value in content.items() if key not in known})


def _flat(value: Any, name: str = "", between: str = ".") -> Iterator[tuple[str, str]]:
    """`{"pod": {"env": [{"name": "A", "value": "b"}]}}` → `("pod.env[A].value", "b")`."""
    if isinstance(value, Mapping):
        for key, child in value.items():
            yield from _flat(child, f"{name}{between}{key}" if name else str(key))
    elif isinstance(value, list) and value and all(isinstance(item, Mapping) and "name" in item for item in value):
        for item in value:
            yield from _flat({key: child for key, child in item.items() if key != "name"}, f"{name}[{item['name']}]")
    elif value is not None:
        yield name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


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
