"""DNS, default storage and metrics of the bare machine, as processes beside the node."""

from __future__ import annotations

import re
import socket
from pathlib import Path

from tests.cluster.config import rendered, written
from tests.cluster.control_plane import DNS_ADDRESS, ControlPlane
from tests.cluster.kubectl import kubectl, succeeds
from tests.cluster.network import ADDRESS
from tests.cluster.tools import binary, command_line

METRICS_PORT = 4443
STORAGE_NAMESPACE = "local-path-storage"
NAMES = ("coredns", "local-path-provisioner", "metrics-server")


def start(control_plane: ControlPlane, helper_image: str) -> None:
    """`helper_image`: any image with a shell; the storage provisioner makes its folders in it. `wait_ready` follows."""
    objects = rendered(
        "addons.yaml",
        control_plane.state / "config",
        ADDRESS=ADDRESS,
        DNS_ADDRESS=DNS_ADDRESS,
        HELPER_IMAGE=helper_image,
        METRICS_PORT=str(METRICS_PORT),
    )
    kubectl(control_plane.kubeconfig, "apply", "--server-side", "--force-conflicts", f"--filename={objects}")
    _start_dns(control_plane)
    _start_storage(control_plane, helper_image)
    _start_metrics(control_plane)


def wait_ready(control_plane: ControlPlane) -> None:
    """Waits for DNS and for the metrics API; without the latter no namespace could be deleted."""
    available = ("wait", "--for=condition=Available", "apiservice/v1beta1.metrics.k8s.io", "--timeout=1s")
    control_plane.processes.wait("coredns", _dns_listens, 30)
    control_plane.processes.wait("metrics-server", lambda: succeeds(control_plane.kubeconfig, *available), 60)


def _start_dns(control_plane: ControlPlane) -> None:
    resolver = Path("/etc/resolv.conf")
    has_upstream = resolver.exists() and re.search(r"^nameserver", resolver.read_text(), re.MULTILINE)
    configuration = rendered(
        "Corefile",
        control_plane.state / "config",
        ADDRESS=ADDRESS,
        KUBECONFIG=control_plane.kubeconfig,
        FORWARD=f"forward . {resolver}" if has_upstream else "",
    )
    command = [str(binary("coredns")), "-conf", str(configuration)]
    control_plane.processes.ensure("coredns", command, configuration=[configuration])


def _start_storage(control_plane: ControlPlane, helper_image: str) -> None:
    configuration = rendered("local-path.json", control_plane.state / "config", STATE=control_plane.state)
    flags = {
        "kubeconfig": control_plane.kubeconfig,
        "config": configuration,
        "namespace": STORAGE_NAMESPACE,
        "configmap-name": "local-path",
        "service-account-name": "default",
        "helper-image": helper_image,
        "helper-pod-file": _helper_pod(control_plane),
    }
    binary_name, *options = command_line("local-path-provisioner", flags)
    control_plane.processes.ensure(
        "local-path-provisioner",
        [binary_name, "start", *options],
        configuration=[configuration],
        environment={"POD_NAMESPACE": STORAGE_NAMESPACE},
    )


def _helper_pod(control_plane: ControlPlane) -> Path:
    """The provisioner wants the pod of its ConfigMap as a file, too."""
    field = r"--output=jsonpath={.data.helperPod\.yaml}"
    text = kubectl(control_plane.kubeconfig, "get", "configmap", "local-path", f"--namespace={STORAGE_NAMESPACE}", field)
    return written(control_plane.state / "config" / "helper-pod.yaml", text)


def _start_metrics(control_plane: ControlPlane) -> None:
    client = control_plane.kubeconfig
    flags = {
        "kubeconfig": client,
        "authentication-kubeconfig": client,
        "authorization-kubeconfig": client,
        "bind-address": ADDRESS,
        "secure-port": METRICS_PORT,
        "cert-dir": control_plane.state / "metrics-server",
        "kubelet-insecure-tls": "true",
        "kubelet-preferred-address-types": "InternalIP",
        "metric-resolution": "10s",
        "kubelet-request-timeout": "5s",  # has to be shorter
    }
    control_plane.processes.ensure("metrics-server", command_line("metrics-server", flags))


def _dns_listens() -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((ADDRESS, 53)) == 0
