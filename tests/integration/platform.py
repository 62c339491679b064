"""A control plane that knows Slipway: CRDs, the platform's namespace, and where asked the chart's admission policies."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from tests.cluster.control_plane import ControlPlane
from tests.integration.identity import RBAC_KINDS, install, install_policies
from tests.kube import Kube, Refusal, load_yaml
from tests.wait import until

ROOT = Path(__file__).parents[2]


@contextmanager
def platform(name: str, *, controllers: bool = True, policies: bool = False, record_bodies: bool = False) -> Iterator[ControlPlane]:
    """Runs until the block ends; `name` is seen in the folder of its logs.

    The kinds are there before the controllers start: the garbage collector asks for new kinds every half minute only, and until then
    an owner's deletion leaves its children.
    """
    state = Path(tempfile.mkdtemp(prefix=f"slipway-{name}-"))
    plane = ControlPlane(state, with_controllers=controllers, record_bodies=record_bodies)
    try:
        plane.start_apiserver()
        kube = Kube(plane.kubeconfig)
        install_crds(kube)
        plane.start_controllers()
        if policies:
            install(kube, RBAC_KINDS)
            install_policies(kube)
        yield plane
    finally:
        plane.stop()
        shutil.rmtree(state, ignore_errors=True)


def install_crds(kube: Kube) -> None:
    """Applies crds/ and waits until the apiserver serves them."""
    for path in sorted((ROOT / "crds").glob("*.yaml")):
        for manifest in load_yaml(path):
            kube.apply(manifest)
    for plural in ("models", "modelversions", "modeldeployments", "modelmonitors", "modelapprovals", "approvalpolicies"):
        until(partial(_served, kube, plural), 60, f"{plural} to be served")
    kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "slipway-system"}})


def _served(kube: Kube, plural: str) -> bool:
    try:
        kube.call("GET", f"/apis/slipway.dev/v1alpha1/{plural}")
    except Refusal:
        return False
    return True
