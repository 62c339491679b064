"""The chart's admission policies and the operator's rights, against a real apiserver and with tokens bound to pods, as in a cluster."""

from __future__ import annotations

import json
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.control_plane import ControlPlane
from tests.cluster.kubectl import kubectl
from tests.integration.people import Answer
from tests.unit.chart.helm import PLATFORM, Manifest, render

pytestmark = pytest.mark.integration

TEAM = "growth"
LEASE = f"/apis/coordination.k8s.io/v1/namespaces/{PLATFORM}/leases/slipway-operator"
DEPLOYMENTS = f"/apis/slipway.dev/v1alpha1/namespaces/{TEAM}/modeldeployments"
SERVICES = f"/api/v1/namespaces/{TEAM}/services"
BUDGETS = f"/apis/policy/v1/namespaces/{TEAM}/poddisruptionbudgets"
OURS = {"app.kubernetes.io/managed-by": "slipway"}


@dataclass(frozen=True)
class User:
    """Somebody who talks to the apiserver with a token."""

    url: str
    authority: Path
    token: str

    def send(self, method: str, path: str, body: Manifest | None = None, kind: str = "application/json") -> Answer:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": kind}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        context = ssl.create_default_context(cafile=str(self.authority))
        try:
            with urllib.request.urlopen(request, timeout=60, context=context) as response:
                return Answer(response.status, json.load(response))
        except urllib.error.HTTPError as error:
            return Answer(error.code, json.load(error))

    def apply(self, path: str, body: Manifest) -> Answer:
        """Server-side apply, as the operator writes."""
        return self.send("PATCH", f"{path}?fieldManager=slipway&force=true", body, "application/apply-patch+yaml")

    def apply_service(self, name: str, **metadata: Any) -> Answer:
        return self.apply(f"{SERVICES}/{name}", service(name, **({"labels": OURS} | metadata)))


@dataclass(frozen=True)
class World:
    """A cluster with the chart's objects in it, and two pods of the operator."""

    plane: ControlPlane
    admin: User
    first: User
    second: User

    def lead(self, holder: str | None) -> None:
        """Gives the Lease to a pod; None: the leader gave it up."""
        lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "spec": {"holderIdentity": holder}}
        answer = self.admin.send("PATCH", LEASE, lease, "application/merge-patch+json")
        if answer.code == 404:
            metadata = {"name": "slipway-operator", "namespace": PLATFORM}
            answer = self.admin.send("POST", LEASE.rsplit("/", 1)[0], lease | {"metadata": metadata})
        assert answer.landed, answer.message


def bound_token(admin: User, account: str, pod: str | None = None, namespace: str = PLATFORM) -> User:
    """A service account with the token that the kubelet would mount into this pod; without one, a token of no pod."""
    bound = {"boundObjectRef": {"apiVersion": "v1", "kind": "Pod", "name": pod}} if pod else {}
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token"
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"audiences": [], **bound}}
    answer = admin.send("POST", path, request)
    assert answer.landed, answer.message
    return User(admin.url, admin.authority, answer.body["status"]["token"])


def service(name: str, **metadata: Any) -> Manifest:
    ports = [{"name": "http", "port": 80, "targetPort": 8080}]
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, **metadata}, "spec": {"ports": ports}}


def budget(name: str, **metadata: Any) -> Manifest:
    """Of a kind that the operator may delete."""
    spec = {"maxUnavailable": 1, "selector": {"matchLabels": {"a": "b"}}}
    return {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": name, **metadata}, "spec": spec}


def pod(name: str) -> Manifest:
    spec = {"serviceAccountName": "slipway-operator", "containers": [{"name": "operator", "image": "none"}]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": PLATFORM}, "spec": spec}


def until(attempt: Callable[[], Answer], *, landed: bool, seconds: float = 20) -> Answer:
    """Tries until the answer is of that sort: policies and their parameters reach admission by a watch."""
    deadline = time.monotonic() + seconds
    while (answer := attempt()).landed is not landed:
        assert time.monotonic() < deadline, answer
        time.sleep(0.02)
    return answer


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    state = tmp_path_factory.mktemp("admission")
    with ControlPlane(state, with_controllers=False) as plane:
        manifests = sorted(render(), key=lambda manifest: manifest["kind"] != "CustomResourceDefinition")
        for namespace in (PLATFORM, TEAM):
            kubectl(plane.kubeconfig, "create", "namespace", namespace)
        (state / "chart.json").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests}))
        kubectl(plane.kubeconfig, "apply", "--server-side", f"--filename={state / 'chart.json'}")
        kubectl(plane.kubeconfig, "wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")
        yield settled(populated(plane))


def populated(plane: ControlPlane) -> World:
    """With an administrator's account, two operator pods and a ModelDeployment."""
    kubectl(plane.kubeconfig, "create", "serviceaccount", "admin", "--namespace=default")
    kubectl(plane.kubeconfig, "create", "clusterrolebinding", "admin", "--clusterrole=cluster-admin", "--serviceaccount=default:admin")
    token = kubectl(plane.kubeconfig, "create", "token", "admin", "--namespace=default").strip()
    admin = User(plane.url, plane.pki / "ca.crt", token)
    for name in ("pod-a", "pod-b"):
        until(partial(admin.send, "POST", f"/api/v1/namespaces/{PLATFORM}/pods", pod(name)), landed=True)
    spec = {"model": "churn", "version": "1"}
    deployment = {"apiVersion": "slipway.dev/v1alpha1", "kind": "ModelDeployment", "metadata": {"name": "churn"}, "spec": spec}
    until(lambda: admin.send("POST", DEPLOYMENTS, deployment), landed=True)
    first, second = (bound_token(admin, "slipway-operator", name) for name in ("pod-a", "pod-b"))
    return World(plane, admin, first, second)


def settled(world: World) -> World:
    """Once both policies have taken effect."""
    world.lead("pod-a")
    until(lambda: world.second.apply_service("probe"), landed=False)
    world.admin.send("POST", SERVICES, service("foreign-probe"))
    until(lambda: world.first.apply_service("foreign-probe"), landed=False)
    return world


def status(world: World, user: User, phase: str) -> Answer:
    """As the operator writes it."""
    whole = world.admin.send("GET", f"{DEPLOYMENTS}/churn").body
    return user.send("PUT", f"{DEPLOYMENTS}/churn/status", whole | {"status": whole.get("status", {}) | {"phase": phase}})


class TestLeaderFence:
    def test_the_leader_writes(self, world: World) -> None:
        world.lead("pod-a")
        until(lambda: world.first.apply_service("led"), landed=True)

        assert world.first.apply_service("led", annotations={"changed": "yes"}).landed
        assert status(world, world.first, "Serving").landed
        assert world.first.apply(f"{BUDGETS}/led", budget("led", labels=OURS)).landed
        assert world.first.send("DELETE", f"{BUDGETS}/led").landed

    def test_another_pod_of_the_operator_does_not(self, world: World) -> None:
        world.lead("pod-a")
        until(lambda: world.first.apply_service("led"), landed=True)
        assert world.first.apply(f"{BUDGETS}/kept", budget("kept", labels=OURS)).landed

        refused = [
            world.second.apply_service("other"),
            world.second.apply_service("led", annotations={"changed": "yes"}),
            status(world, world.second, "Failed"),
            world.second.send("DELETE", f"{BUDGETS}/kept"),
        ]
        assert [answer.code for answer in refused] == [403] * 4
        for answer in refused:
            assert "the leader is pod-a, this request comes from pod-b" in answer.message

    def test_a_deposed_leader_is_stopped_when_the_lease_changes_hands(self, world: World) -> None:
        for leader, deposed, name in [(world.first, world.second, "pod-a"), (world.second, world.first, "pod-b")] * 5:
            world.lead(name)
            until(partial(deposed.apply_service, "handed-over"), landed=False)
            assert leader.apply_service("handed-over", annotations={"by": name}).landed

    def test_when_the_leader_gave_up_nobody_writes(self, world: World) -> None:
        world.lead("pod-a")
        until(lambda: world.first.apply_service("led"), landed=True)
        for given_up in (None, ""):
            world.lead(given_up)
            answer = until(lambda: world.first.apply_service("led"), landed=False)
            assert "the leader is nobody" in answer.message
            world.lead("pod-a")
            until(lambda: world.first.apply_service("led"), landed=True)

    def test_a_token_of_no_pod_is_not_enough(self, world: World) -> None:
        world.lead("pod-a")
        answer = bound_token(world.admin, "slipway-operator").apply_service("stolen")

        assert answer.code == 403
        assert "this request comes from no pod" in answer.message

    def test_events_and_the_lease_are_not_fenced(self, world: World) -> None:
        world.lead("pod-a")
        event = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": "churn.1", "namespace": TEAM},
            "involvedObject": {"kind": "ModelDeployment", "name": "churn", "namespace": TEAM},
        }
        lease = world.admin.send("GET", LEASE).body
        lease["spec"]["holderIdentity"] = "pod-b"

        assert world.second.send("POST", f"/api/v1/namespaces/{TEAM}/events", event).landed
        assert world.second.send("PUT", LEASE, lease).landed

    def test_without_a_lease_the_rest_of_the_cluster_works_on(self, world: World) -> None:
        """The apiserver resolves the parameter before it asks who writes: `Deny` would stop everybody."""
        assert world.admin.send("DELETE", LEASE).landed
        for number in range(20):
            answer = world.admin.send("POST", SERVICES, service(f"somebody-elses-{number}"))
            assert answer.landed, answer.message
        world.lead("pod-a")
        until(lambda: world.second.apply_service("probe"), landed=False)


class TestNoAdoption:
    @pytest.fixture(autouse=True)
    def led(self, world: World) -> None:
        world.lead("pod-a")
        until(lambda: world.first.apply_service("led"), landed=True)

    def test_a_foreign_object_is_neither_taken_over_nor_deleted(self, world: World) -> None:
        theirs = {"app.kubernetes.io/managed-by": "Helm"}
        assert world.admin.send("POST", SERVICES, service("foreign", labels=theirs)).landed
        assert world.admin.send("POST", BUDGETS, budget("foreign", labels=theirs)).landed

        applied, deleted = world.first.apply_service("foreign"), world.first.send("DELETE", f"{BUDGETS}/foreign")
        for kind, answer in (("Service", applied), ("PodDisruptionBudget", deleted)):
            assert answer.code == 422
            assert f"{kind} foreign exists and is not Slipway's: delete or rename it" in answer.message
        assert world.admin.send("GET", f"{SERVICES}/foreign").body["metadata"]["labels"] == {"app.kubernetes.io/managed-by": "Helm"}

    def test_a_child_that_lost_its_label_is_repaired(self, world: World) -> None:
        deployment = world.admin.send("GET", f"{DEPLOYMENTS}/churn").body["metadata"]
        owner = {"apiVersion": "slipway.dev/v1alpha1", "kind": "ModelDeployment", "name": "churn", "uid": deployment["uid"]}
        assert world.first.apply_service("churn", ownerReferences=[owner]).landed
        unlabel = {"metadata": {"labels": None}}
        assert world.admin.send("PATCH", f"{SERVICES}/churn", unlabel, "application/merge-patch+json").landed

        repaired = world.first.apply_service("churn", ownerReferences=[owner])
        assert repaired.landed, repaired.message
        assert repaired.body["metadata"]["labels"] == OURS


class TestOthers:
    def test_people_are_untouched(self, world: World) -> None:
        world.lead("pod-b")
        assert world.admin.send("POST", SERVICES, service("by-hand")).landed
        assert world.admin.apply_service("by-hand").landed
        assert world.admin.send("DELETE", f"{SERVICES}/by-hand").landed
        assert "it is the operator's" in status(world, world.admin, "Pending").body["message"]

    def test_another_account_called_like_the_operator_is_untouched(self, world: World) -> None:
        kubectl(world.plane.kubeconfig, "create", "serviceaccount", "slipway-operator", f"--namespace={TEAM}")
        binding = ("rolebinding", "namesake", "--clusterrole=cluster-admin", f"--serviceaccount={TEAM}:slipway-operator")
        kubectl(world.plane.kubeconfig, "create", *binding, f"--namespace={TEAM}")
        namesake = bound_token(world.admin, "slipway-operator", namespace=TEAM)

        until(lambda: namesake.send("POST", SERVICES, service("namesake")), landed=True)


class TestRights:
    """RBAC alone: what the leader may not do."""

    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("PATCH", f"{DEPLOYMENTS}/churn", {"spec": {"version": "2"}}),
            ("DELETE", f"{DEPLOYMENTS}/churn", None),
            ("GET", f"/api/v1/namespaces/{TEAM}/secrets", None),
            ("GET", f"/api/v1/namespaces/{PLATFORM}/secrets/slipway-object-store", None),
            ("POST", f"/apis/rbac.authorization.k8s.io/v1/namespaces/{TEAM}/rolebindings", {"metadata": {"name": "x"}}),
            ("POST", f"/api/v1/namespaces/{TEAM}/pods", {"metadata": {"name": "x"}}),
            ("DELETE", LEASE, None),
            ("GET", "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases", None),
        ],
    )
    def test_forbidden(self, world: World, method: str, path: str, body: Manifest | None) -> None:
        world.lead("pod-a")
        answer = world.first.send(method, path, body, "application/merge-patch+json" if method == "PATCH" else "application/json")

        assert answer.code == 403
        assert "cannot" in answer.message

    def test_every_user_learns_where_artifacts_go_and_no_more(self, world: World) -> None:
        kubectl(world.plane.kubeconfig, "create", "serviceaccount", "nobody", f"--namespace={TEAM}")
        nobody = bound_token(world.admin, "nobody", namespace=TEAM)

        found = nobody.send("GET", f"/api/v1/namespaces/{PLATFORM}/configmaps/slipway-artifact-store")
        assert found.body["data"]["uri"] == "s3://slipway-models"
        assert nobody.send("GET", f"/api/v1/namespaces/{PLATFORM}/secrets/slipway-object-store").code == 403
