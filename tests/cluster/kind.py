"""The cluster in a Docker engine, by kind. It brings its own DNS and default storage."""

from __future__ import annotations

import subprocess
from pathlib import Path
from string import Template

from tests.cluster.config import TEMPLATES
from tests.cluster.console import step
from tests.cluster.state import KUBECONFIG, STATE

NAME = "slipway"
CONFIGURATION = Path(__file__).with_name("kind.yaml")


def configuration() -> str:
    values = {"STATE": str(STATE), "AUDIT_POLICY": str(TEMPLATES / "audit-policy.yaml")}
    return Template(CONFIGURATION.read_text()).substitute(values)


def up() -> None:
    """Writes the kubeconfig beside the state only, never into the user's own."""
    if NAME in _kind("get", "clusters").split():
        _kind("export", "kubeconfig", f"--name={NAME}", f"--kubeconfig={KUBECONFIG}")
        return
    with step("kind create cluster"):
        _kind("create", "cluster", "--config=-", f"--kubeconfig={KUBECONFIG}", "--wait=120s", content=configuration())


def down() -> None:
    _kind("delete", "cluster", f"--name={NAME}", f"--kubeconfig={KUBECONFIG}")


def has(reference: str) -> bool:
    command = ["docker", "exec", f"{NAME}-control-plane", "ctr", "--namespace=k8s.io", "images", "ls", "--quiet"]
    listed = subprocess.run([*command, f"name=={reference}"], check=True, text=True, stdout=subprocess.PIPE)
    return bool(listed.stdout.strip())


def load(archive: Path) -> None:
    _kind("load", "image-archive", str(archive), f"--name={NAME}")


def _kind(*arguments: str, content: str | None = None) -> str:
    return subprocess.run(["kind", *arguments], input=content, check=True, text=True, stdout=subprocess.PIPE).stdout
