"""What a CRD must have, whatever its kind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar

import pytest
from pydantic import Field

from slipway.api import conditions
from slipway.api.crdgen import crd, root_schema
from slipway.api.generate import member_docs
from slipway.api.types import ApiModel
from slipway.api.v1alpha1 import KINDS

Schema = dict[str, Any]


def fields(schema: Schema, path: str = "") -> Iterator[tuple[str, Schema]]:
    for name, child in schema.get("properties", {}).items():
        yield f"{path}.{name}", child
        yield from fields(child.get("items", child.get("additionalProperties", child)), f"{path}.{name}")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.KIND.name)
def test_every_field_has_text_and_every_node_a_bound(kind: type[ApiModel]) -> None:
    for path, schema in fields(root_schema(kind)):
        if path == ".metadata":
            continue
        assert schema.get("description"), f"{path} has no text for kubectl explain"
        if schema.get("type") == "string" and path not in (".apiVersion", ".kind"):
            assert "maxLength" in schema or "enum" in schema, path
        if schema.get("type") == "array":
            assert "maxItems" in schema, path


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.KIND.name)
def test_every_rule_says_what_to_write(kind: type[ApiModel]) -> None:
    for path, schema in [("", root_schema(kind)), *fields(root_schema(kind))]:
        for rule in schema.get("x-kubernetes-validations", []):
            assert len(rule["message"]) > 15, path


def test_status_starts_at_minus_one_and_scale_is_served() -> None:
    manifest = crd(KINDS[2])["spec"]["versions"][0]
    status = manifest["schema"]["openAPIV3Schema"]["properties"]["status"]
    assert status["default"] == {"observedGeneration": -1}
    assert manifest["subresources"]["scale"]["labelSelectorPath"] == ".status.selector"


def test_names() -> None:
    names = [crd(kind)["spec"]["names"] for kind in KINDS]
    assert [n["shortNames"] for n in names] == [["slm"], ["slmv"], ["slmd"], ["slmm"], ["slap"], ["slma"]]
    assert all(n["categories"] == ["slipway"] for n in names)


def test_every_condition_reason_and_event_is_documented() -> None:
    for enum in (conditions.ConditionType, conditions.Reason, conditions.EventReason):
        assert set(member_docs(enum)) == {member.value for member in enum}


def test_an_unbounded_string_is_an_error() -> None:
    class Loose(ApiModel):
        KIND: ClassVar = KINDS[0].KIND
        metadata: Annotated[str, Field(max_length=1)]
        spec: LooseSpec
        status: LooseSpec

    class LooseSpec(ApiModel):
        text: str

    Loose.model_rebuild(_types_namespace={"LooseSpec": LooseSpec})
    with pytest.raises(ValueError, match="needs maxLength"):
        root_schema(Loose)
