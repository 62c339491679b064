"""Reading the stamp: as the policies write it, and whatever else may stand there."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slipway.api.requested_by import ANNOTATION, MAX_SIZE, Stamp, parse_stamp
from slipway.plan.requesters import UNNAMED, Requesters, requesters

USERS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1)
SCALARS = st.none() | st.booleans() | st.integers() | st.text()
ALICE = '{"generation":3,"by":["alice"]}'


def manifest(stamp: str | None, generation: int = 3, observed: int | None = None, **more: Any) -> dict[str, Any]:
    annotations = {} if stamp is None else {ANNOTATION: stamp}
    metadata = {"name": "churn", "generation": generation, "annotations": annotations | more.pop("annotations", {}), **more}
    return {"metadata": metadata, "status": {} if observed is None else {"observedGeneration": observed}}


@settings(deadline=None)
@given(st.integers(1, 10**17), st.lists(USERS, min_size=1, unique=True), st.booleans())
def test_what_is_written_is_read_back(generation: int, names: list[str], unseen: bool) -> None:
    stamp = Stamp(generation, tuple(names), unseen)
    assert parse_stamp(stamp.text()) == stamp


@pytest.mark.parametrize(
    ("stamp", "text"),
    [
        (Stamp(1, ("system:serviceaccount:argocd:app",)), '{"generation":1,"by":["system:serviceaccount:argocd:app"]}'),
        (Stamp(7, ("a,b", 'c","d'), True), '{"generation":7,"by":["a,b","c\\",\\"d"],"unseen":true}'),
        (Stamp(2, ("DOMAIN\\zoë]",)), '{"generation":2,"by":["DOMAIN\\\\zoë]"]}'),
    ],
)
def test_the_form(stamp: Stamp, text: str) -> None:
    assert (stamp.text(), parse_stamp(text)) == (text, stamp)


@pytest.mark.parametrize(
    "garbage",
    [
        "", "alice", "[]", "{}", "null", "7", '"alice"', "{", '{"generation":3}', '{"by":["alice"]}',
        '{"generation":3,"by":[]}', '{"generation":3,"by":"alice"}', '{"generation":3,"by":[7]}', '{"generation":3,"by":null}',
        '{"generation":0,"by":["alice"]}', '{"generation":-1,"by":["alice"]}', '{"generation":"3","by":["alice"]}',
        '{"generation":true,"by":["alice"]}', '{"generation":3.0,"by":["alice"]}',
        '{"generation":3, "by":["alice"]}', '{"by":["alice"],"generation":3}', '{"generation":3,"by":["\\u0061lice"]}',
        '{"generation":3,"by":["alice"],"unseen":false}', '{"generation":3,"by":["alice"],"unseen":1}',
        '{"generation":3,"by":["alice"],"more":1}', '{"generation":3,"by":["' + "a" * MAX_SIZE + '"]}', "\ud800",
    ],
)  # fmt: skip
def test_garbage_names_nobody(garbage: str) -> None:
    assert requesters(manifest(garbage)) == Requesters(known=False)


@settings(deadline=None)
@given(st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_nothing_in_the_metadata_makes_it_fail(anything: Any) -> None:
    found = [requesters({"metadata": {"annotations": anything, "labels": anything}}), requesters({"metadata": None, "status": None})]
    assert [one.known for one in found] == [False, False]


def test_without_a_stamp_nobody_is_known() -> None:
    found = requesters(manifest(None))
    assert found == Requesters(known=False)
    assert found.actors == (UNNAMED,)


@pytest.mark.parametrize("observed", [None, 2, 3])
def test_the_present_generation_was_asked_for_by_those_in_the_stamp(observed: int | None) -> None:
    found = requesters(manifest(ALICE, observed=observed))
    assert (found, found.actors) == (Requesters(("alice",)), ("alice",))


def test_a_change_without_a_name_beside_one_that_the_operator_has_not_seen() -> None:
    found = requesters(manifest(ALICE, generation=4, observed=2))
    assert (found.names, found.unseen, found.actors) == (("alice",), True, ("alice", UNNAMED))


def test_a_change_without_a_name_after_one_that_was_dealt_with_is_not_laid_to_the_earlier_person() -> None:
    found = requesters(manifest(ALICE, generation=4, observed=3))
    assert (found.names, found.unseen, found.actors) == ((), True, (UNNAMED,))


def test_the_stamp_itself_tells_of_a_change_without_a_name() -> None:
    found = requesters(manifest('{"generation":3,"by":["alice"],"unseen":true}'))
    assert (found.names, found.unseen, found.known) == (("alice",), True, True)


@pytest.mark.parametrize(
    ("annotations", "commit"),
    [
        ({}, None),
        ({"slipway.dev/commit": "0123abc"}, "0123abc"),
        ({"slipway.dev/commit": ""}, None),
        ({"slipway.dev/commit": "two words"}, None),
        ({"slipway.dev/commit": "x" * 257, "configmanagement.gke.io/token": "0123abc"}, "0123abc"),
        ({"kustomize.toolkit.fluxcd.io/revision": "main@sha1:0123abc"}, "main@sha1:0123abc"),
        ({"slipway.dev/commit": "mine", "kustomize.toolkit.fluxcd.io/revision": "theirs"}, "mine"),
    ],
)
def test_the_commit_where_a_tool_says_it(annotations: dict[str, str], commit: str | None) -> None:
    assert requesters(manifest(ALICE, annotations=annotations)).commit == commit
    assert requesters(manifest(None, annotations=annotations)).commit == commit


@pytest.mark.parametrize(
    ("metadata", "tool"),
    [
        ({}, None),
        ({"annotations": {"argocd.argoproj.io/tracking-id": "shop:slipway.dev/ModelDeployment:growth/churn"}}, "argocd shop"),
        ({"labels": {"kustomize.toolkit.fluxcd.io/name": "shop", "kustomize.toolkit.fluxcd.io/namespace": "apps"}}, "flux apps/shop"),
        ({"labels": {"helm.toolkit.fluxcd.io/name": "shop", "helm.toolkit.fluxcd.io/namespace": "apps"}}, "flux apps/shop"),
    ],
)
def test_the_tool_where_it_left_its_mark(metadata: dict[str, Any], tool: str | None) -> None:
    assert requesters(manifest(ALICE, **metadata)).tool == tool


def test_a_claim_takes_no_room_from_what_is_proved() -> None:
    """An entry that is too large loses its details: whoever edits the object must not bring that about."""
    long = requesters(manifest(ALICE, annotations={"argocd.argoproj.io/tracking-id": "x" * 200_000})).tool
    assert long is not None
    assert len(long) <= 512
