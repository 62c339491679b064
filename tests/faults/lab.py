"""An operator of its own behind a fault proxy of its own, in a namespace of its own: many stand side by side on one control plane."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.control_plane import ControlPlane
from tests.faults.proxy import FaultProxy
from tests.faults.supervisor import Supervised
from tests.kube import Kube

_numbers = itertools.count()


@dataclass(frozen=True)
class Lab:
    """`kube` is the user's hand, past the proxy. The operator does not run before `with lab.operator`."""

    plane: ControlPlane
    kube: Kube
    namespace: str
    proxy: FaultProxy
    operator: Supervised


@contextmanager
def behind_proxy(plane: ControlPlane, **env: str) -> Iterator[Lab]:
    """Namespace, proxy and an operator that only sees this namespace, with these settings."""
    kube = Kube(plane.kubeconfig)
    folder = Path(tempfile.mkdtemp(prefix="slipway-lab-"))
    try:
        with FaultProxy(plane.kubeconfig, folder) as proxy, kube.namespace(f"lab-{next(_numbers)}") as namespace:
            yield Lab(plane, kube, namespace, proxy, Supervised(proxy.kubeconfig, namespace, **env))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
