"""A namespace behind the gate, and the people who ask and approve there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from tests.integration.identity import chart
from tests.integration.journal.team import SECONDS, Team
from tests.integration.people import Answer, Person
from tests.integration.samples import API, model
from tests.kube import Kube, Manifest
from tests.wait import until

RBAC = "rbac.authorization.k8s.io/v1"
RECORDS = ("slipway-ledger", "slipway-guard")
"""ConfigMaps of the chart that the operator writes to."""


def install_records(kube: Kube) -> None:
    for manifest in chart():
        if manifest["kind"] == "ConfigMap" and manifest["metadata"]["name"] in RECORDS:
            kube.apply(manifest)


def await_guard(kube: Kube) -> None:
    """The operator has seen the admission policies hold; approvals count from a whole second on."""

    def counts() -> bool:
        data = (kube.get("ConfigMap", "slipway-system", "slipway-guard") or {}).get("data") or {}
        return data.get("lost") == "false" and datetime.fromisoformat(data["validFrom"]) < datetime.now(UTC)

    until(counts, SECONDS, "approvals to count")


@cache
def governing_env() -> dict[str, str]:
    """What the chart tells an operator that governs."""
    (operator,) = (m for m in chart() if m["kind"] == "Deployment" and m["metadata"]["name"] == "slipway-operator")
    env = operator["spec"]["template"]["spec"]["containers"][0]["env"]
    return {variable["name"]: variable["value"] for variable in env if variable["name"] in ("SLIPWAY_GOVERNANCE", "SLIPWAY_GUARDS")}


@dataclass(frozen=True)
class Gated(Team):
    """A stage of its own, named like the namespace, so that its policies are nobody else's."""

    def require(self, name: str = "", **spec: Any) -> Manifest:
        """A policy of this stage: one approval, unless the spec says otherwise."""
        spec = {"match": {"stages": [self.namespace]}, "require": {"approvals": 1}} | spec
        return self.kube.apply({"apiVersion": API, "kind": "ApprovalPolicy", "metadata": {"name": name or self.namespace}, "spec": spec})

    def clear(self) -> None:
        for policy in self.kube.list("ApprovalPolicy"):
            if policy["spec"]["match"]["stages"] == [self.namespace]:
                self.kube.delete("ApprovalPolicy", None, policy["metadata"]["name"])

    def say(
        self,
        who: str,
        decision: str = "Approve",
        role: str = "risk",
        revision: str = "",
        groups: tuple[str, ...] = ("system:masters",),
        name: str = "",
        **spec: Any,
    ) -> Answer:
        """A ModelApproval; the apiserver fills in who says it."""
        meta = {"name": name} if name else {"generateName": "churn-"}
        whole = {
            "deployment": "churn",
            "revision": revision or self.status()["revision"],
            "decision": decision,
            "reason": "looked at",
        } | spec
        whole |= {"as": role} if decision != "Override" else {}
        body = {"apiVersion": API, "kind": "ModelApproval", "metadata": meta, "spec": whole}
        path = f"/apis/{API}/namespaces/{self.namespace}/modelapprovals"
        return Person(self.plane, who, groups).send("POST", path, body)

    def approve(self, who: str, role: str = "risk", **more: Any) -> str:
        """An approval that the apiserver takes; its name."""
        answer = self.say(who, role=role, **more)
        assert answer.landed, answer.message
        return str(answer.body["metadata"]["name"])

    def await_answer(self, approval: str, reason: str) -> str:
        """What its author reads, once the operator has answered so."""

        def there() -> Manifest | None:
            found = self.kube.condition(approval, self.namespace, "Ready", "ModelApproval")
            return found if found and found["reason"] == reason else None

        return str(until(there, SECONDS, f"{approval} to be {reason}")["message"])

    def await_waiting(self, past: str = "") -> str:
        """The revision that waits, once it is another one than `past`."""

        def there() -> str | None:
            status = self.status() if self.kube.get("ModelDeployment", self.namespace, "churn") else {}
            waits = (status.get("approval") or {}).get("state") == "Waiting" and status["revision"] != past
            return status["revision"] if waits else None

        return str(until(there, SECONDS, "a revision to wait"))

    def await_serving(self, number: str) -> Manifest:
        """That version serves, and nothing waits; the test acts as kubelet."""
        self.await_reason("Serving")

        def there() -> bool:
            status = self.status()
            return bool(status.get("version") == number and (status.get("approval") or {"state": "Approved"})["state"] == "Approved")

        until(lambda: self.await_reason("Serving") and there(), SECONDS, f"version {number} to serve")
        return self.status()

    def serve_approved(self, by: str = "bob") -> str:
        """Version 3, asked for by alice; its revision."""
        self.register("alice", "3", "4", "5")
        self.deploy("alice")
        revision = self.await_waiting()
        self.approve(by)
        self.await_serving("3")
        return revision

    def children(self) -> list[str]:
        kinds = ("Deployment", "Service", "NetworkPolicy")
        return [f"{kind}/{found['metadata']['name']}" for kind in kinds for found in self.kube.list(kind, self.namespace)]

    def serve_approved_by_two(self) -> None:
        self.register("alice", "3", "4", "5")
        self.deploy("alice")
        self.await_waiting()
        for who in ("bob", "dave"):
            self.approve(who)
        self.await_serving("3")

    def delete(self, who: str) -> None:
        path = f"/apis/{API}/namespaces/{self.namespace}/modeldeployments/churn"
        answer = Person(self.plane, who).send("DELETE", path)
        assert answer.landed, answer.message

    def swap_version(self, number: str) -> None:
        """Deletes and makes anew a version, once it is known that no deployment asks for it."""
        until(lambda: self.get("ModelVersion", f"churn-{number}")["status"].get("deployments") == 0, SECONDS, "the count to be 0")
        path = f"/apis/{API}/namespaces/{self.namespace}/modelversions/churn-{number}"
        answer = Person(self.plane, "alice").send("DELETE", path)
        assert answer.landed, answer.message
        self.register("alice", number)

    def set_importance(self, who: str, importance: str) -> None:
        self.apply(who, model(self.namespace, importance=importance))

    def grant(self, who: str, role: str) -> None:
        """The right to speak in a role, to one person."""
        rules = [
            {"apiGroups": ["slipway.dev"], "resources": ["approvalroles"], "resourceNames": [role], "verbs": ["approve"]},
            {"apiGroups": ["slipway.dev"], "resources": ["modelapprovals"], "verbs": ["create"]},
        ]
        meta = {"name": who, "namespace": self.namespace}
        self.kube.apply({"apiVersion": RBAC, "kind": "Role", "metadata": meta, "rules": rules})
        reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": who}
        subject = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": who}
        self.kube.apply({"apiVersion": RBAC, "kind": "RoleBinding", "metadata": meta, "roleRef": reference, "subjects": [subject]})
        until(lambda: self.say(who, groups=("people",), revision="v1:" + "0" * 64).landed, SECONDS, f"{who} to be allowed to")

    def revoke(self, who: str) -> None:
        self.kube.delete("RoleBinding", self.namespace, who)
        until(lambda: not self.say(who, groups=("people",), revision="v1:" + "0" * 64).landed, SECONDS, f"{who} to be refused")
