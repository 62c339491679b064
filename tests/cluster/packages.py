"""The Debian packages that the bare machine needs; installed only where their commands are missing."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tests.cluster.console import step
from tests.cluster.errors import ClusterError

PACKAGES = {  # command -> package
    "containerd": "containerd",
    "runc": "runc",
    "buildah": "buildah",
    "debootstrap": "debootstrap",
    "catatonit": "catatonit",
    "iptables": "iptables",
    "ip": "iproute2",
    "conntrack": "conntrack",
    "socat": "socat",
    "ebtables": "ebtables",
    "ipset": "ipset",
    "ethtool": "ethtool",
    "openssl": "openssl",
}
_CNI_FOLDERS = (Path("/usr/lib/cni"), Path("/opt/cni/bin"))


def require_root() -> None:
    if os.geteuid() != 0:
        raise ClusterError(
            "without Docker the cluster's containers and network are made on this machine itself, which needs root: "
            "run as root, or start a Docker engine and install kind, or name your own cluster in SLIPWAY_KUBECONFIG"
        )


def install() -> None:
    """Installs what is missing."""
    missing = [package for command, package in PACKAGES.items() if not shutil.which(command)]
    if cni_plugins() is None:
        missing.append("containernetworking-plugins")
    if not missing:
        return
    if not shutil.which("apt-get"):
        raise ClusterError(f"install these first (only Debian's apt-get is known here): {' '.join(missing)}")
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    with step(f"installing {' '.join(missing)}"):
        subprocess.run(["apt-get", "update", "-qq"], check=True, env=environment)
        subprocess.run(
            ["apt-get", "install", "-qq", "-y", "--no-install-recommends", *missing],
            check=True,
            env=environment,
            stdout=subprocess.DEVNULL,
        )


def cni_plugins() -> Path | None:
    """The folder of the network plugins, where this machine has them."""
    return next((folder for folder in _CNI_FOLDERS if folder.joinpath("bridge").exists()), None)
