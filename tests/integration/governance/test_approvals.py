"""An approval is given by whom it names, in a role that this user has, and stays."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.governance import cast
from tests.integration.governance.place import Place, approval, landed, patch, refused
from tests.integration.people import MERGE, Person
from tests.kube import Kube
from tests.wait import until


@pytest.fixture(scope="session")
def alice(serving: Place, kube: Kube) -> Person:
    """Who may approve as risk in the namespace of `serving`."""
    cast.cluster_role(kube, "risk-approver", [*cast.may_approve("risk"), *approving()])
    cast.bind(kube, "risk-approver", "alice", serving.namespace)
    who = cast.person(serving.plane, "alice", "risk-team")
    cast.await_right(who, "approve", "approvalroles", serving.namespace, "risk")
    return who


def approving() -> list[dict[str, Any]]:
    return [{"apiGroups": ["slipway.dev"], "resources": ["modelapprovals"], "verbs": ["create", "get", "delete", "patch", "update"]}]


class TestWhose:
    def test_the_apiserver_fills_in_who(self, serving: Place, alice: Person) -> None:
        spec = landed(alice.send("POST", serving.mine("modelapprovals", ""), approval()))["spec"]
        assert (spec["approver"], spec["groups"]) == ("alice", ["system:authenticated", "risk-team"])

    def test_it_may_be_written_by_oneself(self, serving: Place, alice: Person) -> None:
        mine = approval(approver="alice", groups=["system:authenticated", "risk-team"])
        landed(alice.send("POST", serving.mine("modelapprovals", ""), mine))

    @pytest.mark.parametrize("who", ["bob", "Alice", "alice ", "system:serviceaccount:a:b"])
    def test_nobody_approves_as_somebody_else(self, serving: Place, alice: Person, who: str) -> None:
        refused(
            alice.send("POST", serving.mine("modelapprovals", ""), approval(approver=who)), "spec.approver must be you, alice: leave it out"
        )

    @pytest.mark.parametrize("groups", [["platform-team"], ["risk-team", "system:authenticated"], ["system:authenticated"]])
    def test_nor_with_other_groups(self, serving: Place, alice: Person, groups: list[str]) -> None:
        refused(
            alice.send("POST", serving.mine("modelapprovals", ""), approval(groups=groups)), "spec.groups must be your groups: leave it out"
        )

    def test_a_user_of_five_hundred_groups(self, serving: Place, alice: Person) -> None:
        groups = [f"{'g' * 100}-{number}" for number in range(500)]
        many = cast.person(serving.plane, "alice", *groups)
        spec = landed(many.send("POST", serving.mine("modelapprovals", ""), approval()))["spec"]
        assert spec["groups"] == ["system:authenticated", *groups]

    def test_a_user_of_more_groups_than_an_approval_holds(self, serving: Place, alice: Person) -> None:
        many = cast.person(serving.plane, "alice", *(f"group-{number}" for number in range(520)))
        answer = many.send("POST", serving.mine("modelapprovals", ""), approval())
        refused(answer, "alice is in 521 groups, and an approval can hold 512: approve as a user of fewer")

    def test_a_name_that_cannot_be_recorded(self, serving: Place, kube: Kube, alice: Person) -> None:
        cast.bind(kube, "risk-approver", "alice", serving.namespace)
        odd = Person(serving.plane, "tab\tname")
        refused(odd.send("POST", serving.mine("modelapprovals", ""), approval()), "your user name has control characters")


class TestRole:
    def test_without_the_role(self, serving: Place, alice: Person, mallory: Person) -> None:
        for who, role in ((mallory, "risk"), (alice, "platform"), (alice, "ris")):
            answer = who.send("POST", serving.mine("modelapprovals", ""), approval(**{"as": role}))
            refused(
                answer, f"{who.name} may not speak as {role} in {serving.namespace}: that needs the verb approve on approvalroles/{role}"
            )

    def test_a_rejection_needs_it_too(self, serving: Place, alice: Person, mallory: Person) -> None:
        answer = mallory.send("POST", serving.mine("modelapprovals", ""), approval(decision="Reject", reason="no"))
        refused(answer, "mallory may not speak as risk")
        landed(alice.send("POST", serving.mine("modelapprovals", ""), approval(decision="Reject", reason="no")))

    def test_in_another_namespace(self, place: Place, kube: Kube, alice: Person) -> None:
        cast.cluster_role(kube, "approving", approving())
        cast.bind(kube, "approving", "alice", place.namespace)
        cast.await_right(alice, "create", "modelapprovals", place.namespace)
        refused(alice.send("POST", place.mine("modelapprovals", ""), approval()), f"alice may not speak as risk in {place.namespace}")

    def test_all_verbs_on_everything_include_it(self, place: Place, kube: Kube) -> None:
        """Documented in docs/access.md, and `kubectl slipway rbac check` warns of it."""
        cast.cluster_role(kube, "everything", [{"apiGroups": ["slipway.dev"], "resources": ["*"], "verbs": ["*"]}])
        cast.bind(kube, "everything", "eve", place.namespace)
        eve = cast.person(place.plane, "eve")
        cast.await_right(eve, "approve", "approvalroles", place.namespace, "risk")
        landed(eve.send("POST", place.mine("modelapprovals", ""), approval()))


class TestOverride:
    def test_it_needs_its_verb(self, serving: Place, alice: Person) -> None:
        answer = alice.send("POST", serving.mine("modelapprovals", ""), override())
        refused(answer, f"alice may not override in {serving.namespace}: that needs the verb override on modeldeployments/churn")

    def test_with_it(self, serving: Place, kube: Kube) -> None:
        verbs = [{"apiGroups": ["slipway.dev"], "resources": ["modeldeployments"], "resourceNames": ["churn"], "verbs": ["override"]}]
        cast.cluster_role(kube, "breaks-glass", [*verbs, *approving()])
        cast.bind(kube, "breaks-glass", "oscar", serving.namespace)
        oscar = cast.person(serving.plane, "oscar")
        cast.await_right(oscar, "override", "modeldeployments", serving.namespace, "churn")
        landed(oscar.send("POST", serving.mine("modelapprovals", ""), override()))
        refused(
            oscar.send("POST", serving.mine("modelapprovals", ""), override("other")), "needs the verb override on modeldeployments/other"
        )


class TestServiceAccounts:
    NAME = "system:serviceaccount:ci:robot"

    @pytest.fixture(scope="class")
    def robot(self, serving: Place, kube: Kube) -> Person:
        verbs = [{"apiGroups": ["slipway.dev"], "resources": ["modeldeployments"], "verbs": ["override"]}]
        cast.cluster_role(
            kube, "robot", [*cast.may_approve("risk"), *cast.may_approve("gate", "approve", "automate"), *verbs, *approving()]
        )
        cast.bind(kube, "robot", self.NAME, serving.namespace)
        who = cast.person(serving.plane, self.NAME)
        cast.await_right(who, "automate", "approvalroles", serving.namespace, "gate")
        return who

    def test_the_role_is_not_enough(self, serving: Place, robot: Person) -> None:
        answer = robot.send("POST", serving.mine("modelapprovals", ""), approval())
        refused(answer, f"{self.NAME} is a service account: to speak as risk", "it needs the verb automate on approvalroles/risk")

    def test_where_the_role_lets_machines_in(self, serving: Place, robot: Person) -> None:
        landed(robot.send("POST", serving.mine("modelapprovals", ""), approval(**{"as": "gate"})))

    def test_none_overrides(self, serving: Place, robot: Person) -> None:
        refused(robot.send("POST", serving.mine("modelapprovals", ""), override()), "an override is a person's word")


class TestItStays:
    @pytest.fixture(scope="class")
    def given(self, serving: Place, alice: Person) -> str:
        return str(landed(alice.send("POST", serving.mine("modelapprovals", ""), approval()))["metadata"]["name"])

    @pytest.mark.parametrize(
        "change", [{"revision": "v1:" + "0" * 64}, {"decision": "Reject", "reason": "x"}, {"approver": "bob"}, {"as": "platform"}]
    )
    def test_it_cannot_be_changed(self, serving: Place, alice: Person, mallory: Person, given: str, change: Any) -> None:
        for who in (alice, mallory):
            answer = patch(who, serving.mine("modelapprovals", given), {"spec": change}, MERGE)
            assert answer.code == 422
            assert "a ModelApproval is immutable: create another one" in answer.message

    def test_nobody_deletes_one(self, serving: Place, alice: Person, mallory: Person, given: str) -> None:
        for who in (alice, mallory, Person(serving.plane, "admin")):
            refused(who.send("DELETE", serving.mine("modelapprovals", given)), "an approval cannot be deleted: to take it back, create one")
        refused(mallory.send("DELETE", serving.mine("modelapprovals", "")), "an approval cannot be deleted")

    def test_nor_lets_the_garbage_collector_do_it(self, serving: Place, mallory: Person, given: str) -> None:
        owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "gone", "uid": "1"}
        answer = patch(mallory, serving.mine("modelapprovals", given), {"metadata": {"ownerReferences": [owner]}})
        refused(answer, "the metadata.ownerReferences of an approval cannot be changed")

    def test_the_operator_does(self, serving: Place, alice: Person, operator: Person) -> None:
        name = landed(alice.send("POST", serving.mine("modelapprovals", ""), approval()))["metadata"]["name"]
        landed(operator.send("DELETE", serving.mine("modelapprovals", name)))

    def test_a_deposed_operator_does_not(self, serving: Place, operator: Person, given: str) -> None:
        deposed = Person(serving.plane, operator.name, pod="slipway-operator-1")
        refused(deposed.send("DELETE", serving.mine("modelapprovals", given)), "slipway: deposed:")


def test_the_operator_sees_that_the_policies_hold(serving: Place, operator: Person) -> None:
    """Its probe: a forged approval, for show, is refused by our policy and not by the fence."""
    path = serving.mine("modelapprovals", "") + "?dryRun=All"
    refused(operator.send("POST", path, approval(approver="nobody")), f"spec.approver must be you, {operator.name}")
    until(lambda: not operator.send("POST", path, approval(approver="nobody")).landed, 60, "the refusal")


def override(deployment: str = "churn") -> dict[str, Any]:
    manifest = approval(deployment=deployment, decision="Override", reason="the old one answers nonsense")
    del manifest["spec"]["as"]
    return manifest
