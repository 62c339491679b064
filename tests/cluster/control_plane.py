"""etcd, kube-apiserver and, when asked, the controllers, as processes of this machine. Needs no root and no node."""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import ssl
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import ip_address
from pathlib import Path

from tests.cluster import pki
from tests.cluster.config import TEMPLATES
from tests.cluster.errors import ClusterError
from tests.cluster.kubectl import succeeds
from tests.cluster.processes import Processes
from tests.cluster.tools import command_line

SERVICE_NETWORK = "10.96.0.0/16"
SERVICE_ADDRESS = "10.96.0.1"
DNS_ADDRESS = "10.96.0.10"
POD_NETWORK = "10.244.0.0/16"
LOOPBACK = "127.0.0.1"


@dataclass
class ControlPlane:
    """One control plane in its own state folder; several can run side by side.

    `secure_port` 0 takes a free one. With a loopback `advertise_address` it serves this machine only and expects no
    node; otherwise pods reach it under that address. Without controllers nothing acts on objects, so pods need no
    service account. `record_bodies` puts what is sent to Slipway's objects and children into the audit log.
    """

    state: Path
    secure_port: int = 0
    with_controllers: bool = True
    advertise_address: str = LOOPBACK
    with_scheduler: bool = False
    record_bodies: bool = False
    processes: Processes = field(init=False)

    def __post_init__(self) -> None:
        self.state = self.state.resolve()  # its programs outlive this one and its working folder
        self.processes = Processes(self.state)

    def __enter__(self) -> ControlPlane:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    @property
    def kubeconfig(self) -> Path:
        """The administrator's."""
        return self.state / "kubeconfig"

    @property
    def audit_log(self) -> Path:
        """One JSON line for each finished request on the kinds of `config/audit-policy.yaml`."""
        return self.state / "audit.log"

    @property
    def pki(self) -> Path:
        return self.state / "pki"

    @property
    def url(self) -> str:
        return f"https://{LOOPBACK}:{self.ports['apiserver']}"

    @cached_property
    def ports(self) -> dict[str, int]:
        """Kept on disk, so that a program started again is found where it was."""
        path = self.state / "ports.json"
        if not path.exists():
            etcd, peer, free = _free_ports(3)
            self.state.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps({"etcd": etcd, "etcd-peer": peer, "apiserver": self.secure_port or free}))
        ports: dict[str, int] = json.loads(path.read_text())
        return ports

    def start(self) -> None:
        """Starts what does not run yet and returns when it answers."""
        self.start_apiserver()
        self.start_controllers()

    def start_apiserver(self) -> None:
        """The part that clients talk to. What is installed before `start_controllers` the controllers know from their start."""
        pki.create(self.pki, [LOOPBACK, SERVICE_ADDRESS, *{self.advertise_address} - {LOOPBACK}])
        self._start_etcd()
        self._start_apiserver()
        pki.write_kubeconfig(self.kubeconfig, self.pki, "admin", self.url)

    def start_controllers(self) -> None:
        """The controllers and the scheduler, as far as this control plane has them."""
        if self.with_controllers:
            self._start_controllers()
        if self.with_scheduler:
            flags = {"kubeconfig": self.client("scheduler"), "leader-elect": "false", "secure-port": 0}
            self.processes.ensure("scheduler", command_line("kube-scheduler", flags))

    def stop(self) -> None:
        """Ends the programs and removes their data; the logs stay."""
        self.processes.stop("scheduler", "controller-manager", "apiserver", "etcd", grace=5)
        shutil.rmtree(self.state / "etcd", ignore_errors=True)

    def client(self, name: str) -> Path:
        """The kubeconfig of one of `pki.CLIENTS`."""
        path = self.state / "clients" / name
        pki.write_kubeconfig(path, self.pki, name, self.url)
        return path

    def _start_etcd(self) -> None:
        url, peer = f"http://{LOOPBACK}:{self.ports['etcd']}", f"http://{LOOPBACK}:{self.ports['etcd-peer']}"
        flags = {
            "data-dir": self.state / "etcd",
            "listen-client-urls": url,
            "advertise-client-urls": url,
            "listen-peer-urls": peer,
            "initial-advertise-peer-urls": peer,
            "initial-cluster": f"default={peer}",
            "unsafe-no-fsync": "true",  # the data need not outlive the machine
        }
        self.processes.ensure("etcd", command_line("etcd", flags))

    def _start_apiserver(self) -> None:
        if not self.processes.alive("apiserver") and _listens(self.ports["apiserver"]):
            raise ClusterError(f"port {self.ports['apiserver']} is taken: is another cluster running?")
        policy = self._audit_policy()
        command = command_line("kube-apiserver", self._apiserver_flags(policy))
        self.processes.ensure("apiserver", command, configuration=[policy])
        self.processes.wait("apiserver", self._ready, 60)

    def _audit_policy(self) -> Path:
        """The template; with bodies, at level Request, in a file of this control plane."""
        template = TEMPLATES / "audit-policy.yaml"
        if not self.record_bodies:
            return template
        path = self.state / template.name
        path.write_text(template.read_text().replace("level: Metadata", "level: Request"))
        return path

    def _apiserver_flags(self, audit_policy: Path) -> dict[str, object]:
        local = ip_address(self.advertise_address).is_loopback
        return {
            "etcd-servers": f"http://{LOOPBACK}:{self.ports['etcd']}",
            "secure-port": self.ports["apiserver"],
            "bind-address": LOOPBACK if local else "0.0.0.0",
            "advertise-address": self.advertise_address,
            "endpoint-reconciler-type": "none" if local else "master-count",
            "service-cluster-ip-range": SERVICE_NETWORK,
            "authorization-mode": "Node,RBAC",
            "enable-admission-plugins": "NodeRestriction",
            "disable-admission-plugins": "" if self.with_controllers else "ServiceAccount",
            "allow-privileged": "true",
            "audit-policy-file": audit_policy,
            "audit-log-path": self.audit_log,
            "audit-log-maxsize": 100_000,  # MiB: tests read all of it, and a rotated log would hold but its end
            "cert-dir": self.pki,
            "client-ca-file": self.pki / "ca.crt",
            "tls-cert-file": self.pki / "apiserver.crt",
            "tls-private-key-file": self.pki / "apiserver.key",
            "service-account-issuer": "https://kubernetes.default.svc",
            "service-account-key-file": self.pki / "service-account.pub",
            "service-account-signing-key-file": self.pki / "service-account.key",
            # logs and exec: the node's name resolves nowhere
            "kubelet-preferred-address-types": "InternalIP",
            "kubelet-client-certificate": self.pki / "apiserver-kubelet.crt",
            "kubelet-client-key": self.pki / "apiserver-kubelet.key",
            # aggregated APIs (metrics-server)
            "enable-aggregator-routing": "true",
            "proxy-client-cert-file": self.pki / "front-proxy.crt",
            "proxy-client-key-file": self.pki / "front-proxy.key",
            "requestheader-client-ca-file": self.pki / "ca.crt",
            "requestheader-allowed-names": "front-proxy",
            "requestheader-username-headers": "X-Remote-User",
            "requestheader-group-headers": "X-Remote-Group",
            "requestheader-extra-headers-prefix": "X-Remote-Extra-",
        }

    def _start_controllers(self) -> None:
        client = self.client("controller-manager")
        flags = {
            "kubeconfig": client,
            "use-service-account-credentials": "true",
            "service-account-private-key-file": self.pki / "service-account.key",
            "root-ca-file": self.pki / "ca.crt",
            "kube-api-qps": 500,
            "kube-api-burst": 1000,
            "cluster-signing-cert-file": self.pki / "ca.crt",
            "cluster-signing-key-file": self.pki / "ca.key",
            "leader-elect": "false",
            "secure-port": 0,  # nobody asks it, and two control planes would meet on its port
        }
        self.processes.ensure("controller-manager", command_line("kube-controller-manager", flags))
        account = ("get", "serviceaccount", "default", "--namespace=default")  # the first thing pods need from it
        self.processes.wait("controller-manager", lambda: succeeds(self.kubeconfig, *account), 60)

    def _ready(self) -> bool:
        context = ssl.create_default_context(cafile=str(self.pki / "ca.crt"))
        connection = http.client.HTTPSConnection(LOOPBACK, self.ports["apiserver"], context=context, timeout=2)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def _free_ports(count: int) -> list[int]:
    """Held all at once while they are chosen, so that they differ."""
    sockets = [socket.create_server((LOOPBACK, 0)) for _ in range(count)]
    try:
        return [int(listener.getsockname()[1]) for listener in sockets]
    finally:
        for listener in sockets:
            listener.close()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((LOOPBACK, port)) == 0
