"""The bridge, kernel settings and packet filter rules of the bare machine, and their removal."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

BRIDGE = "slipway0"
SUBNET = "10.244.0.0/24"
ADDRESS = "10.244.0.1"  # the bridge's own: where pods find the apiserver and DNS
FIRST_POD_ADDRESS = "10.244.0.10"

# What the cluster needs (a floor), and what kubelet and kube-proxy set by themselves (None): all put back by `down`.
_SETTINGS: dict[str, int | None] = {
    "net/ipv4/ip_forward": 1,
    "net/bridge/bridge-nf-call-iptables": 1,
    "fs/inotify/max_user_instances": 1024,
    "fs/inotify/max_user_watches": 524288,
    "net/ipv4/conf/all/route_localnet": None,
    "kernel/keys/root_maxbytes": None,
    "kernel/keys/root_maxkeys": None,
    "kernel/panic": None,
    "kernel/panic_on_oops": None,
    "vm/overcommit_memory": None,
    "vm/panic_on_oom": None,
}
_SYSCTL = Path("/proc/sys")
_OURS = re.compile(r"^:(KUBE|CNI)-|^-A (KUBE|CNI)-| -[jg] (KUBE|CNI)-")


def create_bridge() -> None:
    """Made before the apiserver, which advertises its address."""
    if Path("/sys/class/net", BRIDGE).exists():
        return
    _run("ip", "link", "add", BRIDGE, "type", "bridge")
    _run("ip", "address", "add", f"{ADDRESS}/{SUBNET.partition('/')[2]}", "dev", BRIDGE)
    _run("ip", "link", "set", BRIDGE, "up")


def delete_bridge() -> None:
    """With the host's ends of the pods' cables."""
    if not Path("/sys/class/net", BRIDGE).exists():
        return
    cables = json.loads(_run("ip", "-json", "link", "show", "master", BRIDGE) or "[]")
    for name in [cable["ifname"] for cable in cables] + [BRIDGE]:
        subprocess.run(["ip", "link", "delete", name], check=False, capture_output=True)


def apply_settings(record: Path) -> None:
    """Raises the kernel settings, after writing down what they were; the first record stays."""
    if shutil.which("modprobe"):
        subprocess.run(["modprobe", "-q", "br_netfilter"], check=False)
    present = {name: _SYSCTL / name for name in _SETTINGS if _SYSCTL.joinpath(name).exists()}
    if not record.exists():
        record.write_text(json.dumps({name: path.read_text().strip() for name, path in present.items()}))
    for name, path in present.items():
        wanted = _SETTINGS[name]
        if wanted is not None and int(path.read_text()) < wanted:
            with suppress(OSError):  # read-only in some containers, where it is then the host's affair
                path.write_text(str(wanted))


def restore_settings(record: Path) -> None:
    if record.exists():
        for name, value in json.loads(record.read_text()).items():
            with suppress(OSError):
                _SYSCTL.joinpath(name).write_text(value)


def bridge_is_filtered() -> bool:
    """Whether packets between two pods on the bridge pass the packet filter, as kube-proxy expects."""
    return _SYSCTL.joinpath("net/bridge/bridge-nf-call-iptables").exists()


def delete_rules() -> None:
    """Removes the chains of kubelet, kube-proxy and the network plugins; every other rule stays as it is now."""
    for family in ("iptables", "ip6tables"):
        rules = _run(f"{family}-save").splitlines()
        kept = [rule for rule in rules if not _OURS.search(rule)]
        if kept != rules:
            _run(f"{family}-restore", content="\n".join(kept) + "\n")


def _run(*command: str, content: str | None = None) -> str:
    return subprocess.run(command, input=content, check=True, text=True, stdout=subprocess.PIPE).stdout
