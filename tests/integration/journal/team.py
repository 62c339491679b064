"""A namespace whose operator keeps a ledger, and the people who change what is in the namespace."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slipway.ledger.entry import Entry
from tests.cluster.control_plane import ControlPlane
from tests.faults.journey import be_kubelet
from tests.integration.conftest import start_operator
from tests.integration.ledger_store import LedgerStore
from tests.integration.operator import OperatorProcess
from tests.integration.people import APPLY, Person
from tests.integration.samples import await_child, deployment, model, version
from tests.kube import Kube, Manifest
from tests.wait import until

PLURALS = {"Model": "models", "ModelVersion": "modelversions", "ModelDeployment": "modeldeployments", "ModelMonitor": "modelmonitors"}
SECONDS = 60


@dataclass(frozen=True)
class Team:
    """A namespace, the operator's ledger, and the people who change what is there."""

    plane: ControlPlane
    kube: Kube
    store: LedgerStore
    namespace: str
    folder: Path
    prefix: str
    """The ledger's folder in the bucket."""

    @contextmanager
    def operator(self, pod: str = "slipway-operator-0", **env: str) -> Iterator[OperatorProcess]:
        """One that serves this namespace; ends in good order."""
        process = self.start(pod, **env)
        try:
            yield process
            assert process.stop() == 0
        finally:
            process.end()

    def start(self, pod: str, **env: str) -> OperatorProcess:
        """The same, for the test to end."""
        settings = {"SLIPWAY_WATCH_NAMESPACES": self.namespace} | self.store.settings(self.prefix) | env
        return start_operator(self.plane, self.kube, self.folder, pod, **settings)

    def apply(self, who: str, *manifests: Manifest) -> None:
        for manifest in manifests:
            path = f"/apis/slipway.dev/v1alpha1/namespaces/{self.namespace}/{PLURALS[manifest['kind']]}/{manifest['metadata']['name']}"
            answer = Person(self.plane, who).send("PATCH", f"{path}?fieldManager={who}&force=true", manifest, APPLY)
            assert answer.landed, answer.message

    def deploy(self, who: str, name: str = "churn", **spec: Any) -> None:
        self.apply(who, deployment(self.namespace, name, **spec))

    def register(self, who: str, *numbers: str) -> None:
        self.apply(who, model(self.namespace), *(version(self.namespace, number) for number in numbers))

    def await_reason(self, reason: str, name: str = "churn", kind: str = "Ready") -> Manifest:
        """The condition once it is so for the present generation; the test acts as kubelet."""

        def there() -> Manifest | None:
            be_kubelet(self.kube, self.namespace)
            condition = self.kube.condition(name, self.namespace, kind)
            return condition if condition and condition["reason"] == reason else None

        return until(there, SECONDS, f"{name}: {kind} with reason {reason}")

    def serve(self, name: str = "churn") -> None:
        """One more deployment, of version 3."""
        self.register("alice", "3", "4")
        self.deploy("alice", name)
        self.await_reason("Serving", name)

    def status(self, name: str = "churn") -> Manifest:
        found: Manifest = self.get("ModelDeployment", name)["status"]
        return found

    def get(self, kind: str, name: str = "churn") -> Manifest:
        return await_child(self.kube, kind, self.namespace, name)

    def entries(self, kind: str = "ModelDeployment", name: str = "churn") -> list[Entry]:
        found = self.store.entries(self.prefix, self.namespace)
        return [entry for entry in found if (entry.object.kind, entry.object.name) == (kind, name)]

    def await_entry(self, transition: str, kind: str = "ModelDeployment", name: str = "churn") -> Entry:
        def there() -> Entry | None:
            return next((entry for entry in self.entries(kind, name) if entry.transition == transition), None)

        return until(there, SECONDS, f"{transition} of {kind} {name}", every=0.5)


Told = tuple[int, str, str, tuple[str, ...]]
"""Generation, transition, reason and who asked."""


def told(entries: list[Entry]) -> list[Told]:
    return [(entry.object.generation, entry.transition, entry.reason, entry.actors) for entry in entries]
