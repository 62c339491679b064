"""Who changed a spec is named: the set grows until the operator has caught up."""

from __future__ import annotations

from dataclasses import replace

import pytest

from slipway.api.requested_by import Stamp
from slipway.plan.requesters import requesters
from tests.integration.people import Person
from tests.integration.requested_by.thing import FILLED, OUTSIDE, Thing, landed
from tests.integration.samples import model, monitor, version


class TestWhoIsNamed:
    def test_who_created_it(self, thing: Thing) -> None:
        landed(thing.create("alice"))
        assert thing.annotation == '{"generation":1,"by":["alice"]}'

    def test_everyone_who_changed_the_spec_since_the_operator_had_caught_up(self, thing: Thing) -> None:
        landed(thing.create("alice"))
        landed(thing.change("bob", 2))
        landed(thing.change("alice", 3))
        assert thing.stamp == Stamp(3, ("alice", "bob"))

    def test_after_that_a_change_begins_anew(self, thing: Thing) -> None:
        landed(thing.create("alice"))
        thing.observe()
        assert thing.stamp == Stamp(1, ("alice",)), "who asked for what is there stays named"
        landed(thing.change("bob", 2))
        assert thing.stamp == Stamp(2, ("bob",))

    def test_a_trivial_second_edit_launders_nothing(self, thing: Thing) -> None:
        landed(thing.create("alice"))
        thing.observe()
        landed(thing.change("mallory", 9))
        landed(thing.change("bob", 8))
        thing.observe(1)
        landed(thing.change("bob", 7))
        assert thing.stamp == Stamp(4, ("mallory", "bob"))

    def test_the_operator_saw_a_part(self, thing: Thing) -> None:
        landed(thing.create("alice"))
        landed(thing.change("bob", 2))
        thing.observe(1)
        landed(thing.change("carol", 3))
        assert thing.stamp == Stamp(3, ("alice", "bob", "carol"))

    def test_changes_of_metadata_and_of_nothing_name_nobody(self, thing: Thing) -> None:
        landed(thing.create("alice"))
        landed(thing.patch("bob", {"metadata": {"labels": {"a": "b"}, "annotations": {"c": "d"}}}))
        landed(thing.patch("bob", {"spec": {"replicas": 1}}))
        assert thing.stamp == Stamp(1, ("alice",))

    def test_one_name_within_another(self, thing: Thing) -> None:
        landed(thing.create("alice"))
        landed(thing.change("ali", 2))
        landed(thing.change("lice", 3))
        assert thing.stamp.by == ("alice", "ali", "lice")

    @pytest.mark.parametrize(
        "name",
        [
            "system:serviceaccount:argocd:argocd-application-controller", "oidc:zoë@example.com", "DOMAIN\\user", 'a"b', "a\\", '","',
            'x","alice","y', "],", "]", "a b", "%unnamed", '{"generation":1,"by":["alice"]}', '\\"', "'; --", "${user}",
        ],
    )  # fmt: skip
    def test_odd_names_come_through_whole(self, thing: Thing, name: str) -> None:
        landed(thing.create(name))
        landed(thing.change("bob", 2))
        landed(thing.change(name, 3))
        assert thing.stamp == Stamp(3, (name, "bob"))

    def test_a_name_that_cannot_be_recorded_is_refused(self, thing: Thing) -> None:
        answer = thing.create("tab\tname")
        assert answer.code == 403
        assert "your user name has control characters" in answer.message

    def test_a_user_of_five_hundred_groups(self, thing: Thing) -> None:
        groups = tuple(f"{'g' * 100}-{number}" for number in range(500))
        person = Person(thing.plane, "alice", ("system:masters", *groups))
        landed(person.send("POST", thing.path.rpartition("/")[0], thing.manifest()))
        assert thing.stamp == Stamp(1, ("alice",))

    def test_the_other_kinds(self, thing: Thing) -> None:
        plane, name = thing.plane, thing.name
        for manifest in (model(FILLED, name), version(FILLED, of=name), monitor(FILLED, name)):
            thing = Thing(plane, FILLED, manifest["metadata"]["name"], manifest["kind"])
            landed(thing.person("alice").send("POST", thing.path.rpartition("/")[0], manifest))
            assert thing.stamp == Stamp(1, ("alice",))
        thing = Thing(plane, FILLED, name, "Model")
        landed(thing.patch("bob", {"spec": {"description": "who leaves?"}}))
        assert thing.stamp == Stamp(2, ("alice", "bob"))
        thing.observe()
        landed(thing.patch("bob", {"spec": {"description": "who stays?"}}))
        assert thing.stamp == Stamp(3, ("bob",))

    def test_a_new_object_of_an_old_name(self, thing: Thing) -> None:
        landed(thing.create("alice"))
        landed(thing.change("bob", 2))
        landed(thing.person("bob").send("DELETE", thing.path))
        landed(thing.create("carol"))
        assert thing.stamp == Stamp(1, ("carol",))

    def test_namespaces_of_no_release_are_left_alone(self, thing: Thing) -> None:
        outside = replace(thing, namespace=OUTSIDE)
        landed(outside.create("alice"))
        assert outside.annotation is None


class TestScale:
    """/scale carries no annotation, so a change through it leaves no name; the generation shows that there was one."""

    def test_who_scaled_is_not_laid_to_the_one_before(self, thing: Thing) -> None:
        landed(thing.create("alice"))
        thing.observe()
        landed(thing.scale("carol", 2))
        assert thing.stamp == Stamp(1, ("alice",))
        found = requesters(thing.read())
        assert (found.names, found.unseen) == ((), True)

    def test_it_is_remembered_by_the_next_change(self, thing: Thing) -> None:
        landed(thing.create("alice"))
        thing.observe()
        landed(thing.scale("carol", 2))
        landed(thing.change("bob", 3))
        assert thing.stamp == Stamp(3, ("bob",), unseen=True)
        landed(thing.change("dora", 4))
        assert thing.stamp == Stamp(4, ("bob", "dora"), unseen=True)

    def test_between_two_changes_that_the_operator_has_not_seen(self, thing: Thing) -> None:
        landed(thing.create("alice"))
        landed(thing.scale("carol", 2))
        landed(thing.change("bob", 3))
        assert thing.stamp == Stamp(3, ("alice", "bob"), unseen=True)

    def test_until_the_operator_has_caught_up(self, thing: Thing) -> None:
        landed(thing.create("alice"))
        landed(thing.scale("carol", 2))
        landed(thing.change("bob", 3))
        thing.observe()
        landed(thing.change("bob", 4))
        assert thing.stamp == Stamp(4, ("bob",))
