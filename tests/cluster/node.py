"""This machine as the cluster's one node: kubelet, kube-proxy, and the removal of what pods leave behind."""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress
from pathlib import Path

from tests.cluster import network
from tests.cluster.config import rendered
from tests.cluster.control_plane import DNS_ADDRESS, POD_NETWORK, ControlPlane
from tests.cluster.errors import ClusterError
from tests.cluster.kubectl import kubectl
from tests.cluster.runtime import Runtime
from tests.cluster.tools import command_line

NAME = "slipway"
_CGROUPS = Path("/sys/fs/cgroup")
_LOG_LINKS = Path("/var/log/containers")
_NETWORK_RESULTS = Path("/var/lib/cni/results")
_DEVICE_SOCKET = Path("/var/lib/kubelet/device-plugins/kubelet.sock")
# made outside of the state folder by kubelet, the network plugins and containerd's shims, whatever they are told
_FOREIGN_FOLDERS = (
    _LOG_LINKS,
    _NETWORK_RESULTS,
    _NETWORK_RESULTS.parent,
    _DEVICE_SOCKET.parent,
    _DEVICE_SOCKET.parent.parent,
    Path("/run/containerd/s"),
    Path("/run/containerd"),
)


def start(control_plane: ControlPlane, runtime: Runtime) -> None:
    """Starts kubelet and kube-proxy on a running containerd and control plane; `wait_ready` follows."""
    _start_kubelet(control_plane, runtime)
    configuration = rendered(
        "kube-proxy.yaml",
        control_plane.state / "config",
        NODE=NAME,
        POD_NETWORK=POD_NETWORK,
        KUBECONFIG=control_plane.client("proxy"),
        MASQUERADE_ALL="false" if network.bridge_is_filtered() else "true",
    )
    command = command_line("kube-proxy", {"config": configuration})
    control_plane.processes.ensure("kube-proxy", command, configuration=[configuration])


def wait_ready(control_plane: ControlPlane) -> None:
    def ready() -> bool:
        path = '{.items[*].status.conditions[?(@.type=="Ready")].status}'
        return kubectl(control_plane.kubeconfig, "get", "nodes", f"--output=jsonpath={path}").strip() == "True"

    control_plane.processes.wait("kubelet", ready, 60)


def _start_kubelet(control_plane: ControlPlane, runtime: Runtime) -> None:
    state = control_plane.state
    configuration = rendered(
        "kubelet.yaml",
        state / "config",
        STATE=state,
        SOCKET=runtime.socket,
        SUBNET=network.SUBNET,
        DNS_ADDRESS=DNS_ADDRESS,
    )
    flags = {
        "config": configuration,
        "kubeconfig": control_plane.client("kubelet"),
        "hostname-override": NAME,
        "node-ip": network.ADDRESS,
        "root-dir": state / "kubelet",
        "cert-dir": state / "kubelet" / "pki",
    }
    control_plane.processes.ensure("kubelet", command_line("kubelet", flags), configuration=[configuration])


def remove_leftovers(state: Path) -> None:
    """Mounts, cgroups, log links and network records of pods that are gone."""
    unmount_below(state)
    for root in [_CGROUPS / "kubepods", *_CGROUPS.glob("*/kubepods")]:
        for cgroup, _, _ in os.walk(root, topdown=False):
            _remove_if_empty(Path(cgroup))
    for link in _LOG_LINKS.glob("*.log"):
        if link.is_symlink() and link.readlink().is_relative_to(state):
            link.unlink()
    for result in _NETWORK_RESULTS.glob("*"):
        if str(state) in result.read_text():  # the pod's network namespace is below the state folder
            result.unlink()
    _DEVICE_SOCKET.unlink(missing_ok=True)
    for folder in _FOREIGN_FOLDERS:
        _remove_if_empty(folder)


def unmount_below(state: Path) -> None:
    """Innermost first."""
    for target in reversed(_mounts_below(state)):
        if subprocess.run(["umount", target], check=False, capture_output=True).returncode != 0:
            subprocess.run(["umount", "--lazy", target], check=False, capture_output=True)
    if left := _mounts_below(state):
        raise ClusterError(f"still mounted: {', '.join(left)}")


def _mounts_below(state: Path) -> list[str]:
    targets = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    unescaped = [target.replace(r"\040", " ") for target in targets]
    return [target for target in unescaped if Path(target).is_relative_to(state)]


def _remove_if_empty(folder: Path) -> None:
    with suppress(OSError):  # absent, or another program's
        folder.rmdir()
