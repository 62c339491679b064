"""The bare-machine cluster comes up, runs a pod with a volume, repairs itself, and goes without a trace."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cluster import bare, base, commands
from tests.cluster.choose import choose
from tests.cluster.kubectl import kubectl
from tests.cluster.network import BRIDGE
from tests.cluster.node import NAME
from tests.cluster.processes import Processes
from tests.cluster.state import KUBECONFIG, STATE, Mode, current_mode
from tests.cluster_tests.killing import kill

CLAIM = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "metadata": {"name": "probe"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}},
}


@dataclass(frozen=True)
class Machine:
    """What a cluster could leave on a machine."""

    programs: list[str]
    mounts: list[str]
    links: list[str]
    namespaces: list[str]
    rules: list[str]
    cgroups: list[str]
    settings: dict[str, str]


def machine() -> Machine:
    return Machine(
        programs=sorted(_programs()),
        mounts=sorted(line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()),
        links=sorted(path.name for path in Path("/sys/class/net").iterdir()),
        namespaces=_lines("ip", "netns", "list"),
        rules=[rule for family in ("iptables", "ip6tables") for rule in _lines(f"{family}-save") if _matters(rule)],
        cgroups=sorted(str(path) for path in Path("/sys/fs/cgroup").glob("**/kubepods*")),
        settings={name: Path("/proc/sys", name).read_text() for name in ("net/ipv4/ip_forward", "vm/overcommit_memory")},
    )


def _programs() -> list[str]:
    """The cluster's own name its state folder in their arguments; those of pods are in a pod's cgroup."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            arguments = folder.joinpath("cmdline").read_bytes().decode(errors="replace")
            cgroup = folder.joinpath("cgroup").read_text()
        except OSError:
            continue  # it has ended meanwhile
        if str(STATE) in arguments or "/kubepods" in cgroup:
            found.append(arguments.replace("\0", " "))
    return found


def _matters(rule: str) -> bool:
    """Not a comment, nor an empty chain that every kernel table has."""
    return rule.startswith("-A") or (rule.startswith(":") and " ACCEPT " not in rule)


def _lines(*command: str) -> list[str]:
    """What the program prints; nothing when it is not there yet: the cluster installs what it needs, and it stays."""
    if shutil.which(command[0]) is None:
        return []
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


def _pod() -> dict[str, object]:
    container = {
        "name": "probe",
        "image": base.base_reference(),
        "command": ["python3", "-m", "http.server", "8080", "--directory", "/data"],
        "readinessProbe": {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 1},
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
    }
    volume = {"name": "data", "persistentVolumeClaim": {"claimName": "probe"}}
    spec = {"containers": [container], "volumes": [volume]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "probe"}, "spec": spec}


@pytest.mark.e2e
def test_the_cluster_goes_without_a_trace(tmp_path: Path) -> None:
    if running := current_mode():
        pytest.fail(f"a {running} cluster is up, and a machine has room for one: run `python -m tests.cluster down` first")
    if choose(os.environ) is not Mode.BARE:
        pytest.skip("this cluster would not be made of this machine's own processes")
    before = machine()
    try:
        commands.up()
        during = machine()
        _run_a_pod(tmp_path)
        _repair("coredns")
    finally:
        commands.down()
    assert BRIDGE in during.links, "the comparison must see a running cluster"
    assert len(during.programs) > len(before.programs)
    assert len(during.rules) > len(before.rules)
    assert machine() == before
    assert not STATE.exists()


def _run_a_pod(folder: Path) -> None:
    manifest = folder / "probe.json"
    manifest.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": [CLAIM, _pod()]}))
    kubectl(KUBECONFIG, "apply", f"--filename={manifest}")
    kubectl(KUBECONFIG, "wait", "pod/probe", "--for=condition=Ready", "--timeout=90s")
    lookup = "import socket; print(socket.gethostbyname('kubernetes.default.svc.cluster.local'))"
    assert kubectl(KUBECONFIG, "exec", "probe", "--", "python3", "-c", lookup).strip() == "10.96.0.1"
    assert kubectl(KUBECONFIG, "get", "nodes", "--output=name").strip() == f"node/{NAME}"


def _repair(program: str) -> None:
    processes = Processes(STATE)
    pids = {name: processes.pid(name) for name in processes.names()}
    kill(processes, program)
    bare.up()
    changed = {name for name, pid in pids.items() if processes.pid(name) != pid}
    assert changed == {program}, "only what has died is started again"
