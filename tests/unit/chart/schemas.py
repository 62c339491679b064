"""The folder of JSON schemas that kubeconform checks against: the real apiserver's kinds and our own, built once and cached."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.cluster.cache import cached, content_key
from tests.cluster.control_plane import ControlPlane
from tests.cluster.kubectl import kubectl
from tests.cluster.tools import KUBERNETES_VERSION
from tests.unit.chart import openapi

CRDS = Path(__file__).parents[3] / "crds"
OURS = "apis/slipway.dev/v1alpha1"

LOCATION = "{{.ResourceKind}}-{{.Group}}-{{.ResourceAPIVersion}}.json"
"""kubeconform's template of the names that `openapi.kind_schemas` gives."""


def schema_folder() -> Path:
    sources = [*sorted(CRDS.glob("*.yaml")), Path(__file__), Path(openapi.__file__)]
    return cached("json-schemas", content_key(KUBERNETES_VERSION, *sources), _build)


def _build(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as state, ControlPlane(Path(state), with_controllers=False) as plane:
        kubectl(plane.kubeconfig, "apply", "--server-side", f"--filename={CRDS}")
        kubectl(plane.kubeconfig, "wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")
        for document in _documents(plane.kubeconfig):
            for name, schema in openapi.kind_schemas(document):
                folder.joinpath(name).write_text(json.dumps(schema, separators=(",", ":")))


def _documents(kubeconfig: Path) -> Iterator[openapi.Schema]:
    """The document of each group and version."""
    for path in _published(kubeconfig).values():
        yield json.loads(kubectl(kubeconfig, "get", f"--raw={path['serverRelativeURL']}"))


def _published(kubeconfig: Path) -> dict[str, dict[str, str]]:
    """The index of documents, once it names our group: a CRD's own arrives a moment after the CRD is established."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        paths: dict[str, dict[str, str]] = json.loads(kubectl(kubeconfig, "get", "--raw=/openapi/v3"))["paths"]
        if OURS in paths:
            return paths
        time.sleep(0.2)
    raise TimeoutError(f"the apiserver published no schemas of {OURS}")
