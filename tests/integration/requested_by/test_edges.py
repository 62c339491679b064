"""Limits, objects from before the policies, and apiservers that fill nothing in."""

from __future__ import annotations

import pytest

from slipway.api.requested_by import ANNOTATION, MAX_SIZE, Stamp
from slipway.cli.cluster import Access, connect
from slipway.cli.stamping import checked
from tests.cluster.control_plane import ControlPlane
from tests.integration.requested_by.thing import BARE, FILLED, FORGED, Thing, landed, refused


class TestLimits:
    def test_too_many_people_wait_for_the_operator(self, thing: Thing) -> None:
        names = [f"{number}{'n' * 1200}" for number in range(20)]
        landed(thing.create(names[0]))
        for number, name in enumerate(names[1:], 2):
            last = thing.change(name, number)
            if not last.landed:
                break
        assert last.code == 403
        assert "too many people changed this since the operator last looked at it" in last.message
        assert MAX_SIZE - 1300 < len(thing.annotation or "") <= MAX_SIZE
        landed(thing.patch("bob", {"metadata": {"labels": {"a": "b"}}}))
        thing.observe()
        landed(thing.change("bob", 50))
        assert thing.stamp.by == ("bob",)

    def test_the_largest_spec_beside_the_largest_stamp(self, thing: Thing) -> None:
        names = [f"{number}{'n' * 900}" for number in range(16)]
        env = [{"name": f"{'N' * 120}{number:02}", "value": "v" * 4096} for number in range(64)]
        landed(thing.create(names[0], pod={"env": env}))
        for number, name in enumerate(names[1:], 2):
            landed(thing.change(name, number))
        assert len(thing.stamp.by) == 16


class TestOlderObjects:
    """They have no stamp, or something else in its place, and nobody can say who changed them before."""

    def test_they_may_be_labelled_as_they_are(self, plane: ControlPlane) -> None:
        thing = Thing(plane, FILLED, "untouched")
        landed(thing.patch("bob", {"metadata": {"labels": {"a": "b"}}}))
        assert thing.annotation is None
        refused(thing.patch("bob", {"metadata": {"annotations": {ANNOTATION: Stamp(1, ("alice",)).text()}}}))

    @pytest.mark.parametrize("name", ["unseen", "garbage", "large-garbage"])
    def test_a_change_names_its_author_and_the_gap(self, plane: ControlPlane, name: str) -> None:
        thing = Thing(plane, FILLED, name)
        landed(thing.change("alice", 2))
        assert thing.stamp == Stamp(2, ("alice",), unseen=True)

    def test_there_is_no_gap_where_the_operator_had_caught_up(self, plane: ControlPlane) -> None:
        thing = Thing(plane, FILLED, "seen")
        landed(thing.change("alice", 2))
        assert thing.stamp == Stamp(2, ("alice",))


class TestWithoutMutation:
    """Where the apiserver fills nothing in, clients do, and are told what to write."""

    def test_a_client_that_does_not_is_told(self, bare: Thing) -> None:
        message = refused(bare.create("alice"))
        assert 'must be written by the client here: {"generation":1,"by":["alice"]}, but there is none' in message

    def test_a_client_that_does(self, bare: Thing) -> None:
        landed(bare.create("alice", Stamp(1, ("alice",)).text()))
        landed(bare.change("bob", 2, Stamp(2, ("alice", "bob")).text()))
        bare.observe()
        landed(bare.change("carol", 3, Stamp(3, ("carol",)).text()))
        landed(bare.patch("dora", {"metadata": {"labels": {"a": "b"}}}))
        assert bare.stamp == Stamp(3, ("carol",))

    def test_nobody_changes_a_spec_under_anothers_name(self, bare: Thing) -> None:
        landed(bare.create("alice", Stamp(1, ("alice",)).text()))
        refused(bare.change("bob", 2))
        for stamp in FORGED:
            refused(bare.change("bob", 2, stamp.text()))
        refused(bare.patch("bob", {"metadata": {"annotations": {ANNOTATION: None}}}))
        assert bare.stamp == Stamp(1, ("alice",))

    def test_after_a_scale(self, bare: Thing) -> None:
        landed(bare.create("alice", Stamp(1, ("alice",)).text()))
        landed(bare.scale("carol", 2))
        refused(bare.change("bob", 3, Stamp(3, ("alice", "bob")).text()))
        landed(bare.change("bob", 3, Stamp(3, ("alice", "bob"), unseen=True).text()))

    def test_kubectl_slipway_does(self, bare: Thing) -> None:
        cluster = connect(Access(str(bare.plane.kubeconfig), None, BARE))
        url = bare.path.rpartition("/")[0]
        stamped = checked(cluster, url, bare.manifest())
        cluster.create(url, stamped)
        assert bare.stamp == Stamp(1, ("admin",))

    def test_kubectl_slipway_leaves_it_to_the_apiserver(self, thing: Thing) -> None:
        cluster = connect(Access(str(thing.plane.kubeconfig), None, FILLED))
        assert checked(cluster, thing.path.rpartition("/")[0], thing.manifest()) == thing.manifest()
