"""Who takes part: people with the chart's roles, a mighty attacker, and the parts of Kubernetes that make a model's pods."""

from __future__ import annotations

from functools import partial

from tests.cluster.control_plane import ControlPlane
from tests.integration.people import Person
from tests.kube import Kube, Manifest
from tests.unit.chart.helm import PLATFORM
from tests.wait import until

RBAC = "rbac.authorization.k8s.io"
OPERATOR_POD = "slipway-operator-0"
EVERYBODY = ("system:authenticated",)
OURS = ["models", "modelversions", "modeldeployments", "modelapprovals"]
MIGHTY = [
    {
        "apiGroups": ["", "apps", "batch", "autoscaling", "policy", "networking.k8s.io", "discovery.k8s.io"],
        "resources": ["*"],
        "verbs": ["*"],
    },
    {
        "apiGroups": ["slipway.dev"],
        "resources": [*OURS, *(f"{name}/status" for name in OURS), "modeldeployments/scale"],
        "verbs": ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"],
    },
]
"""Everything that makes and changes pods, and all of Slipway's objects; but no verb that Slipway gives a meaning, and no policies."""


def operator(plane: ControlPlane) -> Person:
    return Person(plane, f"system:serviceaccount:{PLATFORM}:slipway-operator", pod=OPERATOR_POD)


def controller(plane: ControlPlane, name: str) -> Person:
    return Person(plane, f"system:serviceaccount:kube-system:{name}")


def person(plane: ControlPlane, name: str, *groups: str) -> Person:
    """Somebody with no rights but those that are granted."""
    return Person(plane, name, (*EVERYBODY, *groups))


def bind(kube: Kube, role: str, user: str, namespace: str | None = None) -> None:
    """A ClusterRole for a user, in one namespace or everywhere."""
    kind = "RoleBinding" if namespace else "ClusterRoleBinding"
    metadata = {"name": f"{role}-{user}".replace(":", "-").replace("@", "-")} | ({"namespace": namespace} if namespace else {})
    kube.apply(
        {
            "apiVersion": f"{RBAC}/v1",
            "kind": kind,
            "metadata": metadata,
            "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": role},
            "subjects": [{"apiGroup": RBAC, "kind": "User", "name": user}],
        }
    )


def cluster_role(kube: Kube, name: str, rules: list[Manifest]) -> None:
    kube.apply({"apiVersion": f"{RBAC}/v1", "kind": "ClusterRole", "metadata": {"name": name}, "rules": rules})


def may_approve(role: str, *verbs: str) -> list[Manifest]:
    return [{"apiGroups": ["slipway.dev"], "resources": ["approvalroles"], "resourceNames": [role], "verbs": list(verbs or ("approve",))}]


def await_right(who: Person, verb: str, resource: str, namespace: str = "", name: str = "", group: str = "slipway.dev") -> None:
    """RBAC reaches the authorizer by a watch."""
    until(partial(may, who, verb, resource, namespace, name, group), 60, f"{who.name} to be allowed to {verb} {resource}/{name}")


def may(who: Person, verb: str, resource: str, namespace: str = "", name: str = "", group: str = "slipway.dev") -> bool:
    """What `kubectl auth can-i` answers."""
    plural, _, subresource = resource.partition("/")
    wanted = {"verb": verb, "group": group, "resource": plural, "subresource": subresource, "namespace": namespace, "name": name}
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": {"resourceAttributes": wanted}}
    answer = who.send("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review)
    assert answer.landed, answer.message
    return bool(answer.body["status"]["allowed"])
