"""containerd of the bare machine, and the removal of every container it ran."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from tests.cluster.config import rendered
from tests.cluster.errors import ClusterError
from tests.cluster.packages import cni_plugins
from tests.cluster.processes import Processes

_SHIM_SOCKETS = Path("/run/containerd/s")
_SOCKET_PATH_LIMIT = 108  # bytes, in Linux's sockaddr_un


class Runtime:
    """All of its files are in the state folder, so that another containerd of this machine is not touched."""

    def __init__(self, state: Path, processes: Processes) -> None:
        self._state = state
        self._processes = processes
        self.socket = state / "run" / "containerd.sock"

    def start(self, network: dict[str, str], pause: str) -> None:
        """`network`: the values of the network plugins' template; `pause`: the image that holds a pod's network."""
        if len(f"{self.socket}.ttrpc") >= _SOCKET_PATH_LIMIT:
            raise ClusterError(f"{self._state} is too long for a socket: set SLIPWAY_CLUSTER_STATE to a shorter one")
        self.socket.parent.mkdir(parents=True, exist_ok=True)
        folder = self._state / "config"
        rendered("cni.conflist", folder / "cni", STATE=self._state, **network)
        configuration = rendered(
            "containerd.toml",
            folder,
            STATE=self._state,
            SOCKET=self.socket,
            PAUSE=pause,
            CNI_PLUGINS=cni_plugins() or "",
        )
        self._processes.ensure("containerd", ["containerd", "--config", configuration], configuration=[configuration])
        self._processes.wait("containerd", lambda: self._ctr("version").returncode == 0, 30)

    def has(self, reference: str) -> bool:
        return bool(self._ctr("images", "ls", "--quiet", f"name=={reference}").stdout.strip())

    def load(self, archive: Path) -> None:
        outcome = self._ctr("images", "import", str(archive))
        if outcome.returncode != 0:
            raise ClusterError(f"containerd refused {archive}: {outcome.stderr.strip()}")

    def stop(self) -> None:
        """Ends every container and its shim, then containerd itself."""
        if self._processes.alive("containerd"):
            tasks = self._ctr("tasks", "ls", "--quiet").stdout.split()
            if tasks:
                self._ctr("tasks", "delete", "--force", *tasks)
        self._processes.stop("containerd")
        for shim, identifier in self._shims():  # those that containerd could not end, or that outlived it
            for pid in [*_descendants(shim), shim]:
                _kill(pid)
            self._shim_socket(identifier).unlink(missing_ok=True)

    def _ctr(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = ["ctr", f"--address={self.socket}", "--namespace=k8s.io", *arguments]
        return subprocess.run(command, check=False, capture_output=True, text=True)

    def _shims(self) -> Iterator[tuple[int, str]]:
        """Process and container ids of the shims that report to this containerd's socket."""
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                arguments = folder.joinpath("cmdline").read_bytes().decode(errors="replace").split("\0")
            except OSError:
                continue  # it has ended meanwhile
            if "containerd-shim" in arguments[0] and str(self.socket) in arguments:
                yield int(folder.name), arguments[arguments.index("-id") + 1]

    def _shim_socket(self, identifier: str) -> Path:
        """containerd names it by a digest, outside of its own state folder."""
        return _SHIM_SOCKETS / hashlib.sha256(f"{self.socket}/k8s.io/{identifier}".encode()).hexdigest()


def _descendants(pid: int) -> list[int]:
    """Children first. A container's processes cannot leave this tree: their shim takes in its orphans."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, task.read_text().split()):
            found += [child, *_descendants(child)]
    return found


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
