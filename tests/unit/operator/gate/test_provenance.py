"""An approved revision counts when the ledger knows its approval, and its content is what was approved."""

from __future__ import annotations

from slipway.reconcile.journal import Journal
from slipway.reconcile.provenance import Provenance
from tests.unit.operator.gate.world import World


async def test_another_content_does_not_borrow_the_name_of_an_approved_revision() -> None:
    world = World()
    world.reconcile()
    world.approve("bob")
    world.reconcile()
    (approved,) = world.snapshots
    owner = world.deployment["metadata"]["uid"]
    other = approved["data"]["content"] | {"deployment": approved["data"]["content"]["deployment"] | {"version": "5"}}
    forged = approved | {"metadata": approved["metadata"] | {"uid": "forged"}, "data": approved["data"] | {"content": other}}

    assert await Provenance(Journal()).sort(owner, [approved, forged]) == ([approved], 1)
