"""An operator of its own behind a fault proxy of its own, in a namespace of its own: many stand side by side on one control plane."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.control_plane import ControlPlane
from tests.faults.proxy import FaultProxy, StoreProxy
from tests.faults.supervisor import Supervised
from tests.integration.ledger_store import LedgerStore
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
    store: StoreProxy | None = None
    """On the way to the operator's ledger, whose prefix is the namespace; None: it keeps none."""


@contextmanager
def behind_proxy(plane: ControlPlane, ledgers: LedgerStore | None = None, **env: str) -> Iterator[Lab]:
    """Namespace, proxies and an operator that only sees this namespace, with these settings; with a ledger where there is a store."""
    kube = Kube(plane.kubeconfig)
    folder = Path(tempfile.mkdtemp(prefix="slipway-lab-"))
    try:
        with ExitStack() as stack:
            proxy = stack.enter_context(FaultProxy(plane.kubeconfig, folder))
            namespace = stack.enter_context(kube.namespace(f"lab-{next(_numbers)}"))
            store = stack.enter_context(StoreProxy(ledgers.server.port)) if ledgers else None
            env |= ledgers.settings(namespace, store.url) if ledgers and store else {}
            yield Lab(plane, kube, namespace, proxy, Supervised(proxy.kubeconfig, namespace, **env), store)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
