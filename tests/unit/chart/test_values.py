"""The values' schema: what is refused, and that the message leads to it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.unit.chart.helm import CHART, refusal


@pytest.mark.parametrize(
    ("values", "place", "complaint"),
    [
        ({"replcas": 3}, "at '': ", "'replcas' not allowed"),
        ({"image": {"tags": "1"}}, "at '/image'", "'tags' not allowed"),
        ({"objectStore": {"embedded": {"storage": {"siez": "1Gi"}}}}, "at '/objectStore/embedded/storage'", "'siez' not allowed"),
        ({"replicas": "two"}, "at '/replicas'", "got string, want integer"),
        ({"replicas": -1}, "at '/replicas'", "minimum"),
        ({"leaseSeconds": 1}, "at '/leaseSeconds'", "minimum"),
        ({"logLevel": "verbose"}, "at '/logLevel'", "'debug', 'info', 'warning', 'error'"),
        ({"image": {"tag": 1.0}}, "at '/image/tag'", "want string"),
        ({"image": {"digest": "sha256:12"}}, "at '/image/digest'", "does not match pattern"),
        ({"watchNamespaces": "growth"}, "at '/watchNamespaces'", "want array"),
        ({"watchNamespaces": ["Growth"]}, "at '/watchNamespaces/0'", "does not match pattern"),
        ({"runtimes": [{"format": "sklearn", "image": "r:1"}]}, "at '/runtimes/0'", "missing property 'version'"),
        ({"runtimes": [{"format": "sklearn", "version": 1.9, "image": "r:1"}]}, "at '/runtimes/0/version'", "want string"),
        ({"fetch": {"env": {"TIMEOUT": 3}}}, "at '/fetch/env/TIMEOUT'", "want string"),
        ({"crds": {"install": "yes"}}, "at '/crds/install'", "want boolean"),
        ({"objectStore": {"uri": "https://bucket"}}, "at '/objectStore/uri'", "does not match pattern"),
        ({"resources": {"limits": {"memory": "512MB"}}}, "at '/resources/limits/memory'", "does not match pattern"),
    ],
    ids=lambda value: json.dumps(value) if isinstance(value, dict) else "",
)
def test_refused(values: dict[str, Any], place: str, complaint: str) -> None:
    message = refusal(values)
    assert place in message
    assert complaint in message


def undocumented(schema: dict[str, Any], values: dict[str, Any], definitions: dict[str, Any]) -> Iterator[str]:
    """Names that the schema allows and values.yaml does not show."""
    if "$ref" in schema:
        schema = definitions[schema["$ref"].rsplit("/", 1)[-1]]
    for name, child in schema.get("properties", {}).items():
        if name not in values:
            yield name
        elif values[name]:
            yield from undocumented(child, values[name], definitions) if isinstance(values[name], dict) else ()


def test_every_value_is_shown_with_its_default() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    values = yaml.safe_load((CHART / "values.yaml").read_text())

    assert list(undocumented(schema, values, schema["definitions"])) == ["global"]
