"""`docs/monitors/report.schema.json` describes what runs write."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from slipway.api.generate import report_schema
from slipway.monitor.result import Result
from tests.unit.monitor.results import result
from tests.unit.monitor.samples import full

PAGE = Path(__file__).parents[3] / "docs/monitors/report.schema.json"


def test_it_is_up_to_date() -> None:
    assert PAGE.read_text() == report_schema()


@pytest.mark.parametrize("found", [full(), result()])
def test_reports_are_as_it_says(found: Result) -> None:
    schema = json.loads(PAGE.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(found.model_dump_json(by_alias=True, exclude_none=True)), schema)


def test_it_refuses_others() -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"schemaVersion": 2}, json.loads(PAGE.read_text()))
