"""A real operator process against a real apiserver: under its own service account, with a token bound to a pod, as in a cluster."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from typing import Any

import yaml

from tests.wait import free_port, until

RUNTIMES = [
    {"format": "sklearn", "version": "1.9", "image": "registry.example/slipway-runtime-sklearn:test"},
    {"format": "sklearn", "version": "1.8", "image": "registry.example/slipway-runtime-sklearn:old"},
]


def _end_with_the_test() -> None:
    """The kernel kills the operator when the test's process ends, however it ends."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


class OperatorProcess:
    """One operator replica; `metrics` and `logs` read what it says."""

    def __init__(self, kubeconfig: Path, identity: str, **env: str) -> None:
        self.identity = identity
        self.port = free_port()
        self.log_path = Path(tempfile.mkdtemp(prefix="slipway-operator-")) / "log"
        self._env = os.environ | {
            "KUBECONFIG": str(kubeconfig),
            "SLIPWAY_POD_NAME": identity,
            "SLIPWAY_NAMESPACE": "slipway-system",
            "SLIPWAY_RUNTIME_IMAGES": json.dumps(RUNTIMES),
            "SLIPWAY_HTTP_PORT": str(self.port),
            "SLIPWAY_LEASE_SECONDS": "60",  # nobody starts it anew when a loaded machine lets it miss a renewal
        }
        self._env |= env
        self.process: subprocess.Popen[bytes] | None = None

    def spawn(self) -> subprocess.Popen[bytes]:
        """Starts the process without waiting for it."""
        with self.log_path.open("ab") as log:
            command = [sys.executable, "-m", "slipway"]
            self.process = subprocess.Popen(command, env=self._env, stdout=log, stderr=log, preexec_fn=_end_with_the_test)  # noqa: PLW1509
        return self.process

    def start(self) -> OperatorProcess:
        self.spawn()
        until(self._serves, 60, f"the operator to be ready; its log: {self.log_path}")
        return self

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Ends it and returns its exit code."""
        self.signal(how)
        return self.wait()

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def wait(self) -> int:
        """Its exit code, once it ends."""
        assert self.process is not None
        return self.process.wait(60)

    def end(self) -> None:
        """Whatever became of it, it does not outlive this."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(60)

    def metrics(self) -> dict[str, float]:
        """Every sample by `name{labels}`."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=60) as response:
            lines = response.read().decode().splitlines()
        return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in lines if not line.startswith("#")}

    def memory_mib(self) -> float:
        """Resident memory."""
        assert self.process is not None
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    def logs(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log_path.read_text().splitlines() if line.startswith("{")]

    def _serves(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise RuntimeError(f"the operator ended: {self.log_path.read_text()[-3000:]}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=2) as response:
                return bool(response.status == 200)
        except OSError:
            return False


def token_kubeconfig(admin: Path, token: str, target: Path) -> Path:
    """The administrator's kubeconfig with another identity."""
    config = yaml.safe_load(admin.read_text())
    config["users"] = [{"name": config["contexts"][0]["context"]["user"], "user": {"token": token}}]
    target.write_text(yaml.safe_dump(config))
    return target
