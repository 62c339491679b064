"""The apiserver's OpenAPI v3 documents as JSON schemas for kubeconform. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]

_PREFIX = "#/components/schemas/"
_LITERAL = frozenset({"default", "enum", "example"})


def kind_schemas(document: Schema) -> Iterator[tuple[str, Schema]]:
    """File name and strict schema of each kind in a group's document, as `{kind}-{group}-{version}.json`.

    The core group has no name: kubeconform then puts the version in its place (`service-v1-v1.json`).
    """
    components = document.get("components", {}).get("schemas", {})
    strict = {name: _strict(schema) for name, schema in components.items()}
    for name, schema in components.items():
        match schema.get("x-kubernetes-group-version-kind"):
            case [{"group": group, "version": version, "kind": kind}]:
                file = f"{kind.lower()}-{group or version}-{version}.json"
                needed = _reachable(name, strict)
                yield file, {"$ref": f"#/definitions/{name}", "definitions": {n: strict[n] for n in sorted(needed)}}


def _strict(node: Any) -> Any:
    """The same schema for JSON Schema draft 7, refusing fields that it does not name."""
    if isinstance(node, list):
        return [_strict(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {key: value for key, value in node.items() if not key.startswith("x-") and key not in ("description", "nullable")}
    result = {key: value if key in _LITERAL else _strict_keyword(key, value) for key, value in kept.items()}
    if "properties" in node and not node.get("x-kubernetes-preserve-unknown-fields"):
        result.setdefault("additionalProperties", False)
    if node.get("nullable") and "type" in node:
        result["type"] = [node["type"], "null"]
    return result


def _strict_keyword(keyword: str, value: Any) -> Any:
    if keyword == "properties":
        return {name: _strict(schema) for name, schema in value.items()}
    if keyword == "$ref":
        return value.replace(_PREFIX, "#/definitions/")
    return _strict(value)


def _reachable(name: str, schemas: dict[str, Schema]) -> set[str]:
    found: set[str] = set()
    waiting = [name]
    while waiting:
        current = waiting.pop()
        if current not in found:
            found.add(current)
            waiting.extend(_references(schemas[current]))
    return found


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(reference := node.get("$ref"), str):
            yield reference.removeprefix("#/definitions/")
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for item in node:
            yield from _references(item)
