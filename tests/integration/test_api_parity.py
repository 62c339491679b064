"""A thousand generated objects a kind, sent to the real apiserver: its verdict equals pydantic's."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st

from slipway.api.crdgen import root_schema
from slipway.api.parse import parse
from slipway.api.types import API_VERSION, ApiModel
from slipway.api.v1alpha1 import KINDS
from slipway.errors import Stalled
from tests.integration.schema_strategies import names, objects
from tests.kube import Kube, Refusal


def whole_objects(kind: type[ApiModel]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects that are near to valid: right in most places, wrong in few."""
    schema = root_schema(kind)
    named = {"ModelVersion": _version_name, "ModelMonitor": _monitor_name, "ApprovalPolicy": _any_name, "ModelApproval": _any_name}
    assemble = named.get(kind.KIND.name, _as_it_is)  # type: ignore[attr-defined]
    return st.builds(
        lambda name, spec: {"metadata": {"name": assemble(name, spec)}, "spec": spec},
        names(),
        objects(schema["properties"]["spec"]),
    )


def _as_it_is(other: str, _: Any) -> str:
    return other


def _any_name(other: str, _: Any) -> str:
    """Of a kind that makes no demands of its own, or few: one that Kubernetes takes."""
    return other if other.islower() and not other.endswith("-") else "n" * 70


def _version_name(other: str, spec: Any) -> str:
    """The name that fits, mostly; and mostly the parts that the format needs."""
    if isinstance(spec, dict) and not other.startswith("x"):
        custom = isinstance(spec.get("format"), dict) and spec["format"].get("name") == "custom"
        if other != "a" and not custom:
            spec.pop("container", None)
            spec.setdefault("artifact", {"uri": "s3://b/k/", "digest": "sha256:" + "0" * 64})
        elif other != "a":
            spec.setdefault("container", {"image": "i"})
        return f"{spec.get('model')}-{spec.get('version')}"
    return other


def _monitor_name(other: str, spec: Any) -> str:
    """Mostly with something to check, with what its segments compare, and with a window only where it belongs."""
    if isinstance(spec, dict) and not other.startswith("x"):
        spec.setdefault("serviceHealth", {})
        if "performance" not in spec:
            spec.pop("segments", None)
        if isinstance(baseline := spec.get("baseline"), dict) and baseline.get("type") != "Window":
            baseline.pop("window", None)
    return _as_it_is(other, spec)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.KIND.name)
def test_verdicts_are_equal(kind: type[ApiModel], kube: Kube) -> None:
    plural = kind.KIND.plural  # type: ignore[attr-defined]
    seen = {True: 0, False: 0}

    @settings(
        max_examples=1000,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(whole_objects(kind))
    def compare(draft: dict[str, Any]) -> None:
        ours = verdict_of_pydantic(kind, draft)
        theirs = verdict_of_apiserver(kube, plural, kind.KIND.name, draft)  # type: ignore[attr-defined]
        seen[theirs is None] += 1
        event("accepted" if theirs is None else "refused")
        assert (ours is None) == (theirs is None), f"pydantic: {ours}\napiserver: {theirs}\n{draft}"

    compare()
    assert min(seen.values()) > 150, f"the generator is lopsided: {seen}"


def verdict_of_pydantic(kind: type[ApiModel], draft: dict[str, Any]) -> str | None:
    """What is wrong, or None."""
    try:
        parse(kind, draft)
    except Stalled as error:
        return error.message
    return None


def verdict_of_apiserver(kube: Kube, plural: str, kind: str, draft: dict[str, Any]) -> str | None:
    manifest = {"apiVersion": API_VERSION, "kind": kind, **draft}
    try:
        scope = "" if kind == "ApprovalPolicy" else "namespaces/default/"
        path = f"/apis/{API_VERSION}/{scope}{plural}"
        kube.call("POST", path, manifest, dryRun="All", fieldValidation="Strict")
    except Refusal as error:
        if error.code not in (400, 422):  # anything else is no verdict
            raise
        return str(error)
    return None
