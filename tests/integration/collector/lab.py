"""Where collectors run in tests: an apiserver that knows pods and people, a bucket, and tables to look into."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable

from slipway.collector.log.place import ONCE
from tests.integration.collector.process import Collector
from tests.integration.operator import token_kubeconfig
from tests.kube import Kube, Manifest
from tests.s3 import Server

RBAC = "rbac.authorization.k8s.io"
BUCKET = "log"
RULES = [
    {"apiGroups": ["authentication.k8s.io"], "resources": ["tokenreviews"], "verbs": ["create"]},
    {"apiGroups": ["authorization.k8s.io"], "resources": ["subjectaccessreviews"], "verbs": ["create"]},
    {"apiGroups": ["slipway.dev"], "resources": ["models", "modeldeployments"], "verbs": ["get"]},
    {"apiGroups": [""], "resources": ["events"], "verbs": ["create", "get", "patch"]},
]
"""What a collector may do in the cluster: docs/collector.md says the same."""
_numbers = itertools.count()


@dataclass
class Lab:
    """The surroundings of collectors."""

    kube: Kube
    store: Server
    folder: Path
    collectors: list[Collector] = field(default_factory=list)

    def prepare(self) -> Lab:
        self.store.bucket(BUCKET)
        self.account("slipway-system", "slipway-collector")
        self.grant("slipway-collector", "system:serviceaccount:slipway-system:slipway-collector", RULES)
        return self

    def collector(self, **env: str) -> Collector:
        """A replica that has started."""
        number = next(_numbers)
        secret = self.folder / "secret"
        secret.mkdir(exist_ok=True)
        for name, value in self.store.secret.items():
            (secret / name).write_text(value)
        config = self.folder / "collector.kubeconfig"
        if not config.exists():
            token_kubeconfig(self.kube.kubeconfig, self.token("slipway-system", "slipway-collector"), config)
        known = {
            "KUBECONFIG": str(config),
            "SLIPWAY_LOG_URI": f"s3://{BUCKET}/log",
            "SLIPWAY_LOG_SECRET": str(secret),
            "SLIPWAY_LOG_MAINTENANCE_SECONDS": "0",
        }
        made = Collector(known | env, self.folder / f"collector-{number}.log")
        self.collectors.append(made)
        return made.start()

    # ---- who is who

    def account(self, namespace: str, name: str) -> None:
        self.kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
        self.kube.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": namespace}})

    def pod_token(self, namespace: str, deployment: str, audience: str = "slipway") -> str:
        """The token of a new pod of a deployment, as it is mounted there."""
        self.account(namespace, deployment)
        name = f"{deployment}-{next(_numbers)}"
        spec = {"serviceAccountName": deployment, "automountServiceAccountToken": False, "containers": [{"name": "a", "image": "a"}]}
        pod = self.kube.create({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": namespace}, "spec": spec})
        reference = {"apiVersion": "v1", "kind": "Pod", "name": name, "uid": pod["metadata"]["uid"]}
        return self.token(namespace, deployment, audiences=[audience], boundObjectRef=reference)

    def token(self, namespace: str, account: str, **spec: Any) -> str:
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token"
        return str(self.kube.call("POST", path, request)["status"]["token"])

    def person(self, name: str, rules: Sequence[Manifest] = ()) -> str:
        """The token of somebody with these rights, in the apiserver's own audience."""
        self.account("people", name)
        if rules:
            self.grant(name, f"system:serviceaccount:people:{name}", rules)
        return self.token("people", name)

    def grant(self, role: str, user: str, rules: Sequence[Manifest]) -> None:
        api = {"apiVersion": f"{RBAC}/v1"}
        self.kube.apply({**api, "kind": "ClusterRole", "metadata": {"name": role}, "rules": list(rules)})
        reference = {"apiGroup": RBAC, "kind": "ClusterRole", "name": role}
        subject = {"apiGroup": RBAC, "kind": "User", "name": user}
        self.kube.apply({**api, "kind": "ClusterRoleBinding", "metadata": {"name": role}, "roleRef": reference, "subjects": [subject]})

    # ---- what is stored

    def table(self, namespace: str, deployment: str, kind: str = "predictions") -> pa.Table:
        """All rows, as a reader sees them."""
        return DeltaTable(self.uri(namespace, deployment, kind), storage_options=self.options).to_pyarrow_table()

    def uri(self, namespace: str, deployment: str, kind: str = "predictions") -> str:
        return f"s3://{BUCKET}/log/{namespace}/{deployment}/{kind}"

    @property
    def options(self) -> dict[str, str]:
        return ONCE | self.store.secret | {"AWS_ALLOW_HTTP": "true"}

    def ids(self, namespace: str, deployment: str) -> list[str]:
        return sorted(self.table(namespace, deployment)["prediction_id"].to_pylist())


def may(verb: str, resource: str, *names: str) -> Manifest:
    return {"apiGroups": ["slipway.dev"], "resources": [resource], "verbs": [verb], "resourceNames": list(names)}
