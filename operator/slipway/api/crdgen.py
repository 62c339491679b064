"""CRDs from the pydantic kinds: a pure function from a class to a manifest, structural and bounded.

It knows exactly the JSON Schema keywords that our types use and raises on any other, so that nothing is dropped silently.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from slipway.api.kind import Kind, PrinterColumn
from slipway.api.types import GROUP, VERSION, ApiModel

Schema = dict[str, Any]

_COPIED = ("type", "enum", "pattern", "format", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "maxProperties")
_DROPPED = {
    "title",
    "$defs",
    "required",
    "properties",
    "items",
    "additionalProperties",
    "anyOf",
    "$ref",
    "default",
    "const",
    "description",
    "propertyNames",
    "exclusiveMinimum",
}


def crd(kind: type[ApiModel]) -> Schema:
    """The CustomResourceDefinition of a kind."""
    names: Kind = kind.KIND  # type: ignore[attr-defined]
    version: Schema = {
        "name": VERSION,
        "served": True,
        "storage": True,
        "additionalPrinterColumns": [_column(column) for column in names.columns],
        "schema": {"openAPIV3Schema": root_schema(kind)},
        "subresources": {"status": {}} if names.status else {},
    }
    if names.scale:
        version["subresources"]["scale"] = {
            "specReplicasPath": ".spec.replicas",
            "statusReplicasPath": ".status.replicas",
            "labelSelectorPath": ".status.selector",
        }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{names.plural}.{GROUP}",
            "labels": {"app.kubernetes.io/name": "slipway", "app.kubernetes.io/part-of": "slipway"},
        },
        "spec": {
            "group": GROUP,
            "scope": "Namespaced" if names.namespaced else "Cluster",
            "names": {
                "kind": names.name,
                "listKind": f"{names.name}List",
                "plural": names.plural,
                "singular": names.singular,
                "shortNames": [names.short_name],
                "categories": ["slipway"],
            },
            "versions": [version],
        },
    }


def root_schema(kind: type[ApiModel]) -> Schema:
    """The structural schema of a whole object; `metadata` is Kubernetes' own."""
    raw = kind.model_json_schema(by_alias=True, mode="validation")
    classes = {cls.__name__: cls for cls in _classes(kind)}
    properties: Schema = {
        "apiVersion": {"type": "string", "description": "slipway.dev/v1alpha1"},
        "kind": {"type": "string", "description": raw["title"]},
        "metadata": {"type": "object"},
    }
    for name in ("spec", "status") if kind.KIND.status else ("spec",):  # type: ignore[attr-defined]
        properties[name] = _convert(raw["properties"][name], raw["$defs"], classes, ())
    if "status" in properties:
        properties["status"]["default"] = {"observedGeneration": -1}
    return {
        "type": "object",
        "description": raw["description"],
        "required": ["metadata", "spec"],
        "properties": properties,
        "x-kubernetes-validations": [rule.as_validation() for rule in kind.rules],
    }


def _convert(raw: Schema, defs: Schema, classes: dict[str, type[ApiModel]], path: tuple[str, ...]) -> Schema:
    """One JSON Schema node as a structural node."""
    outer = raw
    if "$ref" in raw:
        name = raw["$ref"].rsplit("/", 1)[-1]
        if name in path:
            raise ValueError(f"recursive type: {' > '.join((*path, name))}")
        raw = defs[name]
        path = (*path, name)
    elif "anyOf" in raw and not raw.get("x-kubernetes-int-or-string"):
        branches = [branch for branch in raw["anyOf"] if branch.get("type") != "null"]
        if len(branches) != 1:
            raise ValueError(f"a union has no structural schema: {raw}")
        return _with_outer(_convert(branches[0], defs, classes, path), outer)
    return _with_outer(_node(raw, defs, classes, path), outer)


def _node(raw: Schema, defs: Schema, classes: dict[str, type[ApiModel]], path: tuple[str, ...]) -> Schema:
    raw = _plain_map(raw)
    known = _DROPPED.union(_COPIED)
    unknown = [key for key in raw if key not in known and not key.startswith("x-kubernetes-")]
    if unknown:
        raise ValueError(f"crdgen does not know the keywords {unknown} of {raw}")
    node: Schema = {key: raw[key] for key in raw if key in _COPIED or key.startswith("x-kubernetes-")}
    if raw.get("x-kubernetes-int-or-string"):
        node["anyOf"] = [{"type": "integer"}, {"type": "string"}]
    if "exclusiveMinimum" in raw:  # a flag beside `minimum` in Kubernetes' schemas, a number in pydantic's
        node |= {"minimum": raw["exclusiveMinimum"], "exclusiveMinimum": True}
    if "const" in raw:
        node["enum"] = [raw["const"]]
    if "properties" in raw:
        node["properties"] = {name: _convert(child, defs, classes, path) for name, child in raw["properties"].items()}
        if raw.get("required"):
            node["required"] = raw["required"]
        rules = classes[raw["title"]].rules
        if rules:
            node["x-kubernetes-validations"] = [rule.as_validation() for rule in rules]
    elif isinstance(raw.get("additionalProperties"), dict):
        node["additionalProperties"] = _convert(raw["additionalProperties"], defs, classes, path)
        if "propertyNames" in raw:
            node["x-kubernetes-validations"] = [_key_rule(raw["propertyNames"])]
    if "items" in raw:
        node["items"] = _convert(raw["items"], defs, classes, path)
    _require_bounds(node, path)
    if "description" in raw:
        node["description"] = raw["description"]
    return node


def _plain_map(raw: Schema) -> Schema:
    """A map whose keys have a pattern (`patternProperties`) as one with `additionalProperties` and `propertyNames`."""
    if "patternProperties" not in raw:
        return raw
    ((pattern, values),) = raw["patternProperties"].items()
    rest = {key: value for key, value in raw.items() if key != "patternProperties"}
    return rest | {"additionalProperties": values, "propertyNames": raw["propertyNames"] | {"pattern": pattern}}


def _key_rule(names: Schema) -> dict[str, str]:
    """A structural schema says nothing about a map's keys: their bounds become CEL."""
    low, high = names.get("minLength", 0), names["maxLength"]
    checks = [f"k.size() >= {low}", f"k.size() <= {high}"]
    message = f"keys must have {low} to {high} characters"
    if "pattern" in names:
        checks.append(f"k.matches('{names['pattern']}')")
        message += f" and match {names['pattern']}"
    return {"rule": f"self.all(k, {' && '.join(checks)})", "message": message}


def _require_bounds(node: Schema, path: tuple[str, ...]) -> None:
    """Every string, list and map has a bound: the apiserver's CEL budget is computed from them."""
    bound = {"string": "maxLength", "array": "maxItems"}.get(node.get("type", ""))
    if node.get("type") == "object" and "additionalProperties" in node:
        bound = "maxProperties"
    if bound and bound not in node and "enum" not in node:
        raise ValueError(f"{'.'.join(path)}: a {node['type']} needs {bound}: {node}")


def _with_outer(node: Schema, outer: Schema) -> Schema:
    """What stands beside a `$ref` or around an optional: the field's own description and default win."""
    result = dict(node)
    if outer.get("description"):
        result["description"] = outer["description"]
    result |= {key: value for key, value in outer.items() if key.startswith("x-kubernetes-")}
    default = _without_empty(outer.get("default"))
    if default not in (None, "", [], {}, 0, False):
        result["default"] = default
    order = ("description", "type", "default")
    return {key: result[key] for key in (*(k for k in order if k in result), *(k for k in result if k not in order))}


def _without_empty(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_empty(child) for key, child in value.items() if child not in (None, "", [], {})}
    return value


def _column(column: PrinterColumn) -> Schema:
    result: Schema = {"name": column.name, "type": column.type, "jsonPath": column.json_path}
    return result | ({"priority": 1} if column.wide else {})


def _classes(kind: type[BaseModel]) -> list[type[ApiModel]]:
    """Every ApiModel there is: names of API classes are unique, which this checks."""
    found: dict[str, type[ApiModel]] = {}
    pending: list[type[ApiModel]] = [ApiModel]
    while pending:
        for cls in pending.pop().__subclasses__():
            if found.setdefault(cls.__name__, cls) is not cls:
                raise ValueError(f"two API classes are called {cls.__name__}")
            pending.append(cls)
    return list(found.values())
