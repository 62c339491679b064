"""Nobody writes another stamp than the right one."""

from __future__ import annotations

import pytest

from slipway.api.requested_by import ANNOTATION, Stamp
from tests.integration.people import APPLY, JSON_PATCH
from tests.integration.requested_by.thing import FORGED, Thing, landed, refused


class TestForging:
    @pytest.mark.parametrize("stamp", ["bob", "{}", '{"generation":1,"by":["bob"]}', '{"generation":1,"by":["alice","bob"]}'])
    def test_at_creation(self, thing: Thing, stamp: str) -> None:
        message = refused(thing.create("alice", stamp))
        assert 'leave it out, and the apiserver writes {"generation":1,"by":["alice"]}, not ' + stamp in message
        assert thing.person("reader").send("GET", thing.path).code == 404

    @pytest.mark.parametrize("stamp", FORGED)
    def test_with_a_change(self, thing: Thing, stamp: Stamp) -> None:
        landed(thing.create("alice"))
        assert '{"generation":2,"by":["alice","bob"]}' in refused(thing.change("bob", 2, stamp.text()))
        assert (thing.stamp, thing.read()["spec"]["replicas"]) == (Stamp(1, ("alice",)), 1)

    @pytest.mark.parametrize("stamp", FORGED)
    def test_without_one(self, thing: Thing, stamp: Stamp) -> None:
        landed(thing.create("alice"))
        assert '{"generation":1,"by":["alice"]}' in refused(thing.patch("bob", {"metadata": {"annotations": {ANNOTATION: stamp.text()}}}))
        assert thing.stamp == Stamp(1, ("alice",))

    def test_by_json_patch_and_by_apply(self, thing: Thing) -> None:
        landed(thing.create("alice"))
        path = f"/metadata/annotations/{ANNOTATION.replace('/', '~1')}"
        forged = Stamp(2, ("alice",)).text()
        both = [{"op": "replace", "path": "/spec/replicas", "value": 2}, {"op": "replace", "path": path, "value": forged}]
        refused(thing.patch("bob", both, JSON_PATCH))
        applied = thing.manifest(forged, replicas=2)
        refused(thing.person("bob").send("PATCH", f"{thing.path}?fieldManager=bob&force=true", applied, APPLY))
        assert thing.stamp == Stamp(1, ("alice",))

    def test_an_author_alone(self, thing: Thing) -> None:
        """Whom a trusted tool names is believed: so the name comes with the change, or not at all."""
        landed(thing.create("alice"))
        author = {"metadata": {"annotations": {"slipway.dev/author": "carol"}}}
        for alone in (author, {"metadata": {"annotations": {"slipway.dev/author": "dave"}}}):
            answer = thing.patch("bob", alone)
            assert (answer.code, "change the annotation slipway.dev/author together with the spec" in answer.message) == (403, True)
            landed(thing.patch("bob", author | {"spec": {"replicas": 2}}))
        landed(thing.patch("bob", {"metadata": {"annotations": {"slipway.dev/author": None}}}))

    def test_through_subresources(self, thing: Thing) -> None:
        landed(thing.create("alice"))
        forged = {"metadata": {"annotations": {ANNOTATION: "bob"}}}
        landed(thing.patch("bob", forged | {"status": {"observedGeneration": 1}}, subresource="/status"))
        landed(thing.patch("bob", forged | {"spec": {"replicas": 2}}, subresource="/scale"))
        assert thing.stamp == Stamp(1, ("alice",))

    def test_by_pretending_that_the_operator_had_seen_it(self, thing: Thing) -> None:
        landed(thing.create("alice"))
        landed(thing.patch("bob", {"spec": {"replicas": 2}, "status": {"observedGeneration": 1}}))
        assert thing.stamp == Stamp(2, ("alice", "bob"))

    def test_the_stamp_of_an_object_that_was_exported(self, thing: Thing) -> None:
        landed(thing.create("alice"))
        exported = thing.annotation
        landed(thing.change("bob", 2))
        assert "leave it out" in refused(thing.change("carol", 3, exported))
