from __future__ import annotations

from tests.unit.chart.openapi import Schema, kind_schemas

PREFIX = "#/components/schemas/"


def document(**schemas: Schema) -> Schema:
    return {"components": {"schemas": schemas}}


def a_kind(group: str, kind: str, **schema: object) -> Schema:
    return {"type": "object", "x-kubernetes-group-version-kind": [{"group": group, "version": "v1", "kind": kind}], **schema}


def test_files_are_named_as_kubeconform_asks() -> None:
    names = [name for name, _ in kind_schemas(document(A=a_kind("apps", "Deployment"), B=a_kind("", "Service")))]

    assert names == ["deployment-apps-v1.json", "service-v1-v1.json"]


def test_objects_with_named_fields_refuse_others() -> None:
    spec = {"type": "object", "properties": {"free": {"type": "object", "additionalProperties": {"type": "string"}}}}
    ((_, schema),) = kind_schemas(document(A=a_kind("g", "A", properties={"spec": spec})))

    kind = schema["definitions"]["A"]
    assert kind["additionalProperties"] is False
    assert kind["properties"]["spec"]["additionalProperties"] is False
    assert kind["properties"]["spec"]["properties"]["free"]["additionalProperties"] == {"type": "string"}


def test_preserved_unknown_fields_stay_allowed() -> None:
    free = {"type": "object", "properties": {}, "x-kubernetes-preserve-unknown-fields": True}
    ((_, schema),) = kind_schemas(document(A=a_kind("g", "A", properties={"free": free})))

    assert "additionalProperties" not in schema["definitions"]["A"]["properties"]["free"]


def test_only_what_is_reached_is_carried_and_recursion_ends() -> None:
    loop = {"type": "object", "properties": {"next": {"$ref": PREFIX + "Loop"}}}
    kind = a_kind("g", "A", properties={"loop": {"allOf": [{"$ref": PREFIX + "Loop"}]}})
    ((_, schema),) = kind_schemas(document(A=kind, Loop=loop, Other={"type": "object"}))

    assert set(schema["definitions"]) == {"A", "Loop"}
    assert schema["definitions"]["Loop"]["properties"]["next"] == {"$ref": "#/definitions/Loop"}


def test_a_property_may_be_called_like_a_keyword() -> None:
    ((_, schema),) = kind_schemas(document(A=a_kind("g", "A", properties={"description": {"type": "string"}})))

    assert schema["definitions"]["A"]["properties"] == {"description": {"type": "string"}}


def test_nullable_fields_take_null() -> None:
    field = {"type": "string", "nullable": True}
    ((_, schema),) = kind_schemas(document(A=a_kind("g", "A", properties={"field": field})))

    assert schema["definitions"]["A"]["properties"]["field"] == {"type": ["string", "null"]}
