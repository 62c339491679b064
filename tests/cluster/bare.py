"""The cluster as processes of a bare Linux machine: one node, real containers."""

from __future__ import annotations

import shutil

from tests.cluster import addons, base, network, node, packages
from tests.cluster.console import step
from tests.cluster.control_plane import ControlPlane
from tests.cluster.processes import Processes
from tests.cluster.runtime import Runtime
from tests.cluster.state import STATE

SECURE_PORT = 6443
_SETTINGS = STATE / "kernel-settings.json"


def control_plane() -> ControlPlane:
    return ControlPlane(STATE, SECURE_PORT, advertise_address=network.ADDRESS, with_scheduler=True)


def runtime() -> Runtime:
    return Runtime(STATE, Processes(STATE))


def up() -> None:
    """Starts what does not run; what runs is left alone."""
    packages.require_root()
    packages.install()
    with step("control plane"):
        network.apply_settings(_SETTINGS)
        network.create_bridge()
        plane = control_plane()
        plane.start()
    with step("container runtime"):
        containers = Runtime(STATE, plane.processes)
        containers.start(_network_values(), base.pause_reference())
        load(containers)
    with step("node"):
        node.start(plane, containers)
        node.wait_ready(plane)
    with step("DNS, storage, metrics"):
        addons.start(plane, base.base_reference())
        addons.wait_ready(plane)


def load(containers: Runtime) -> None:
    """The images without which no pod and no volume starts."""
    if not containers.has(base.pause_reference()):
        containers.load(base.pause_archive())
    if not containers.has(base.base_reference()):
        containers.load(base.base_archive())


def down() -> None:
    """Ends what `up` started and takes back what it changed; what others started or changed stays."""
    packages.require_root()
    plane = control_plane()
    with step("ending the node and its containers"):
        plane.processes.stop(*addons.NAMES, "kube-proxy", "kubelet", "scheduler", "controller-manager")
        Runtime(STATE, plane.processes).stop()
        plane.stop()
    with step("removing mounts, network and rules"):
        node.remove_leftovers(STATE)
        network.delete_bridge()
        network.delete_rules()
        network.restore_settings(_SETTINGS)
        shutil.rmtree(STATE)


def _network_values() -> dict[str, str]:
    return {
        "BRIDGE": network.BRIDGE,
        "SUBNET": network.SUBNET,
        "FIRST_POD_ADDRESS": network.FIRST_POD_ADDRESS,
    }
