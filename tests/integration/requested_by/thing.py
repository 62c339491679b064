"""An object of the API, and what people do to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from slipway.api.requested_by import ANNOTATION, Stamp, parse_stamp
from tests.cluster.control_plane import ControlPlane
from tests.integration.people import APPLY, MERGE, Answer, Person
from tests.integration.samples import deployment
from tests.unit.chart.helm import PLATFORM, Manifest

FILLED, BARE, OUTSIDE = "growth", "bare", "elsewhere"
"""Namespaces where the apiserver fills the stamp in, where clients write it themselves, and of no release."""
PLURALS = {"Model": "models", "ModelVersion": "modelversions", "ModelDeployment": "modeldeployments", "ModelMonitor": "modelmonitors"}


@dataclass(frozen=True)
class Thing:
    """An object of the API, and what people do to it."""

    plane: ControlPlane
    namespace: str
    name: str
    kind: str = "ModelDeployment"

    @property
    def path(self) -> str:
        return f"/apis/slipway.dev/v1alpha1/namespaces/{self.namespace}/{PLURALS[self.kind]}/{self.name}"

    def manifest(self, stamp: str | None = None, **spec: Any) -> Manifest:
        whole = deployment(self.namespace, self.name, **spec)
        return whole if stamp is None else whole | {"metadata": whole["metadata"] | {"annotations": {ANNOTATION: stamp}}}

    def create(self, who: str, stamp: str | None = None, query: str = "", **spec: Any) -> Answer:
        return self.person(who).send("POST", self.path.rpartition("/")[0] + query, self.manifest(stamp, **spec))

    def patch(self, who: str, change: Any, kind: str = MERGE, subresource: str = "") -> Answer:
        return self.person(who).send("PATCH", self.path + subresource, change, kind)

    def change(self, who: str, replicas: int, stamp: str | None = None) -> Answer:
        """A change of the spec; with a stamp of the client's own making, if given."""
        metadata = {} if stamp is None else {"metadata": {"annotations": {ANNOTATION: stamp}}}
        return self.patch(who, {"spec": {"replicas": replicas}} | metadata)

    def apply(self, who: str, **spec: Any) -> Answer:
        """Server-side apply, each person as a field manager of their own, without the annotation."""
        return self.person(who).send("PATCH", f"{self.path}?fieldManager={who}&force=true", self.manifest(**spec), APPLY)

    def scale(self, who: str, replicas: int) -> Answer:
        return self.patch(who, {"spec": {"replicas": replicas}}, subresource="/scale")

    def observe(self, generation: int | None = None) -> None:
        """The operator catches up, as far as this generation."""
        seen = self.read()["metadata"]["generation"] if generation is None else generation
        status = {"apiVersion": "slipway.dev/v1alpha1", "kind": self.kind, "status": {"observedGeneration": seen}}
        operator = self.person(f"system:serviceaccount:{PLATFORM}:slipway-operator")
        landed(operator.send("PATCH", f"{self.path}/status?fieldManager=slipway&force=true", status, APPLY))

    def read(self) -> Manifest:
        return landed(self.person("reader").send("GET", self.path))

    @property
    def annotation(self) -> str | None:
        found: str | None = self.read()["metadata"].get("annotations", {}).get(ANNOTATION)
        return found

    @property
    def stamp(self) -> Stamp:
        found = parse_stamp(self.annotation or "")
        assert found, self.annotation
        return found

    def person(self, who: str) -> Person:
        return Person(self.plane, who)


def landed(answer: Answer) -> Manifest:
    assert answer.landed, answer.message
    return answer.body


def refused(answer: Answer) -> str:
    """The refusal's text: it is the stamp's policy that refuses."""
    assert answer.code == 403, answer
    assert "slipway: the annotation slipway.dev/requested-by must" in answer.message
    return answer.message


FORGED = [
    Stamp(1, ("bob",)),
    Stamp(2, ("bob",)),
    Stamp(2, ("alice",)),
    Stamp(2, ("alice", "bob", "carol")),
    Stamp(2, ("bob", "alice")),
    Stamp(3, ("alice", "bob")),
    Stamp(2, ("alice", "bob"), unseen=True),
]
