"""Starts an operator again whenever it ends, as kubelet would."""

from __future__ import annotations

import signal
import threading
from pathlib import Path

from tests.integration.operator import OperatorProcess


class Supervised:
    """One operator, kept running on one namespace (its Lease is there too, so that many run side by side).

    It is the same pod whenever it starts, and so leads at once; a long Lease is not lost on a slow machine.
    """

    def __init__(self, kubeconfig: Path, namespace: str, **env: str) -> None:
        fixed = {"SLIPWAY_NAMESPACE": namespace, "SLIPWAY_WATCH_NAMESPACES": namespace, "SLIPWAY_LEASE_SECONDS": "60"}
        self.operator = OperatorProcess(kubeconfig, "operator-0", **fixed | env)
        self.starts = 0
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Supervised:
        return self.start()

    def __exit__(self, *error: object) -> None:
        self.stop()

    def start(self) -> Supervised:
        self._thread.start()
        return self

    def kill(self) -> None:
        """As a node's power cut would: nothing is cleaned up."""
        process = self.operator.process
        if process is not None and process.poll() is None:
            process.send_signal(signal.SIGKILL)

    def stop(self) -> None:
        self._ending.set()
        self.kill()
        self._thread.join(30)

    def _run(self) -> None:
        while not self._ending.is_set():
            self.starts += 1
            process = self.operator.spawn()
            while process.poll() is None and not self._ending.wait(0.02):
                pass
        self.kill()
