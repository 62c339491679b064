"""Specs of ModelDeployments drawn from the CRD's schema, for deployments that may ask for what is there, or for what is not."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from slipway.api.crdgen import root_schema
from slipway.api.parse import parse
from slipway.api.v1alpha1 import ModelDeployment
from slipway.errors import Stalled
from tests.integration.samples import model, version
from tests.integration.schema_strategies import objects
from tests.kube import Manifest

Spec = dict[str, Any]

THERE = ("3", "4", "custom")
"""Versions of Model churn that can be served."""
ABSENT = ("missing", "framework")
"""One that does not exist, and one whose framework no runtime has."""


def world(namespace: str) -> list[Manifest]:
    """What the drawn deployments may refer to."""
    custom: dict[str, Any] = {"format": {"name": "custom"}, "container": {"image": "registry.example/own:1", "port": 8080}}
    return [
        model(namespace),
        version(namespace, "3"),
        version(namespace, "4", format={"name": "sklearn", "version": "1.8"}),
        version(namespace, "custom", **custom),
        version(namespace, "framework", format={"name": "sklearn", "version": "0.1"}),
    ]


def transitions(count: int) -> list[tuple[Spec, Spec]]:
    """That many pairs, the same ones every time: a spec that can be served, and another that maybe cannot."""
    drawn: dict[str, Spec] = {}

    @settings(
        max_examples=12 * count,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(_specs(), st.sampled_from((*THERE, *ABSENT)))
    def draw(spec: Spec, asked: str) -> None:
        spec = spec | {"model": "churn", "version": asked}
        if _valid(spec) and spec == json.loads(json.dumps(spec), parse_float=str):  # 3.0 is an integer to JSON Schema, and to CEL none
            drawn[json.dumps(spec, sort_keys=True)] = spec

    draw()
    specs = list(drawn.values())[-count:]  # the first ones drawn are the smallest
    assert len(specs) == count, f"only {len(drawn)} drawn"
    servable = [spec | {"version": THERE[number % len(THERE)]} for number, spec in enumerate(specs)]
    return list(zip(servable, [*specs[1:], specs[0]], strict=True))


def _specs() -> st.SearchStrategy[Spec]:
    schema = root_schema(ModelDeployment)["properties"]["spec"]
    return objects(schema).filter(lambda spec: isinstance(spec, dict))


def _valid(spec: Spec) -> bool:
    """What the apiserver would accept: that both agree, test_api_parity proves."""
    try:
        parse(ModelDeployment, {"metadata": {"name": "d"}, "spec": spec})
    except Stalled:
        return False
    return True
