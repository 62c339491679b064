"""What an approver is shown: every difference of two revisions, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from slipway.cli.governance.change import Change, Metric, changes, metrics
from tests.unit.cli.governance.samples import content, deployment, model, version

BEFORE = content(deployment("3"), version("3"))


def test_an_upgrade() -> None:
    assert changes(BEFORE, content(deployment("4"), version("4"))) == [
        Change("version", "3", "4"),
        Change("artifact.uri", "s3://models/churn/3/", "s3://models/churn/4/"),
        Change("artifact.digest", "sha256:" + "3" * 64, "sha256:" + "4" * 64),
    ]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"resources": {"limits": {"memory": "2Gi"}}}, [Change("resources.limits.memory", None, "2Gi")]),
        ({"replicas": 0}, [Change("stopped (replicas: 0)", None, "true")]),
        ({"retire": True}, [Change("retire", None, "true")]),
        ({"pod": {"nodeSelector": {"gpu": "yes"}}}, [Change("pod.nodeSelector.gpu", None, "yes")]),
        ({"pod": {}}, [Change("pod", None, "{}")]),
        (
            {"capture": {"mode": "Full", "delivery": "Durable"}},
            [Change("capture.mode", None, "Full"), Change("capture.delivery", None, "Durable")],
        ),
        ({"replicas": 7}, []),
        ({"autoscaling": {"maxReplicas": 3}}, []),
    ],
)
def test_the_deployments_own_fields(spec: dict[str, Any], expected: list[Change]) -> None:
    assert changes(BEFORE, content(deployment("3", **spec), version("3"))) == expected


def test_environment_by_its_names() -> None:
    def with_env(*variables: dict[str, Any]) -> dict[str, Any]:
        return content(deployment("3", pod={"env": list(variables)}), version("3"))

    one, two = {"name": "A", "value": "1"}, {"name": "B", "secretKey": {"name": "s", "key": "k"}}
    assert changes(with_env(one), with_env(one, two)) == [
        Change("pod.env[B].secretKey.name", None, "s"),
        Change("pod.env[B].secretKey.key", None, "k"),
    ]
    assert changes(with_env(one, two), with_env(two, one)) == [Change("pod.env (order)", '["A", "B"]', '["B", "A"]')]


def test_a_version_or_model_made_anew_under_its_name() -> None:
    assert changes(BEFORE, content(deployment("3"), version("3", uid="other"))) == [Change("ModelVersion uid", "v3", "other")]
    assert changes(BEFORE, content(deployment("3"), version("3"), model() | {"metadata": {"name": "churn", "uid": "other"}})) == [
        Change("Model uid", "m", "other")
    ]
    assert changes(BEFORE, content(deployment("3"), version("3"), model(importance="Low"))) == [Change("Model importance", None, "Low")]


def test_a_number_and_its_digits_differ() -> None:
    two = [content(deployment("3", resources={"limits": {"cpu": cpu}}), version("3")) for cpu in (2, "2")]
    assert changes(*two) == [Change("resources.limits.cpu", "2", '"2"')]


def test_a_newer_operators_fields_are_shown_and_the_platform_is_not() -> None:
    assert changes(BEFORE, BEFORE | {"platform": {}}) == []
    assert changes(BEFORE, BEFORE | {"access": {"public": True}}) == [Change("access.public", None, "true")]


def test_without_an_approved_revision_everything_is_new() -> None:
    found = changes(None, BEFORE)
    assert {change.approved for change in found} == {None}
    assert [change.field for change in found] == ["model", "version", "format.name", "artifact.uri", "artifact.digest"]


_leaf = some.none() | some.booleans() | some.integers(0, 2) | some.sampled_from(["", "1", "true", "a"])
_named = some.lists(
    some.fixed_dictionaries({"name": some.sampled_from("ab")}, optional={"value": _leaf}), max_size=2, unique_by=lambda i: i["name"]
)
_tree = some.recursive(
    _leaf | _named,
    lambda inner: some.lists(inner, max_size=2) | some.dictionaries(some.sampled_from("xy"), inner, max_size=2),
    max_leaves=5,
)


def _without_none(value: Any) -> Any:
    """Contents hold no nulls."""
    if isinstance(value, dict):
        return {key: _without_none(child) for key, child in value.items() if child is not None}
    return [_without_none(item) for item in value if item is not None] if isinstance(value, list) else value


@given(_tree, _tree)
def test_two_contents_that_differ_never_look_the_same(one: Any, other: Any) -> None:
    one, other = ({**BEFORE, "deployment": _without_none({"model": "churn", "pod": tree})} for tree in (one, other))
    assert bool(changes(one, other)) == (json.dumps(one, sort_keys=True) != json.dumps(other, sort_keys=True))


def test_metrics_side_by_side() -> None:
    before = {"lineage": {"metrics": {"auc": "0.91", "rows": "1e5", "odd": "0.1"}}}
    found = metrics(before, {"lineage": {"metrics": {"auc": "0.93", "rows": "9e4", "new": "1"}}})
    assert found == [Metric("auc", "0.91", "0.93"), Metric("new", None, "1"), Metric("odd", "0.1", None), Metric("rows", "1e5", "9e4")]
    assert [metric.difference for metric in found] == ["+0.02", "", "", "-1E+4"]
    assert metrics(None, {}) == []
