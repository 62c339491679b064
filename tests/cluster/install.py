"""Installs the chart with the images of this checkout."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from tests.cluster import images
from tests.cluster.console import step
from tests.cluster.errors import ClusterError
from tests.cluster.state import KUBECONFIG, REPOSITORY, Mode, current_mode, locked
from tests.cluster.tools import binary

RELEASE, NAMESPACE = "slipway", "slipway-system"
DRAIN_SECONDS = 5
"""Shorter than the chart's default: on one node, endpoints change within a second."""


def install() -> None:
    """`helm upgrade --install`, and waits until the platform is ready."""
    values = {} if current_mode() is Mode.GIVEN else local_values(images.ensure())
    with step("installing the chart"), tempfile.TemporaryDirectory() as folder, locked():
        path = Path(folder) / "values.yaml"
        path.write_text(json.dumps(values))
        _clear_interrupted()
        arguments = ["upgrade", "--install", RELEASE, str(REPOSITORY / "charts/slipway"), "--create-namespace"]
        _helm(*arguments, "--values", str(path), "--wait", "--timeout", "2m")


def _clear_interrupted() -> None:
    """An install that was cut off leaves its release pending, which blocks every later one; the lock says that none is under way."""
    for release in json.loads(_helm("list", "--pending", "--output", "json")):
        if release["name"] == RELEASE:
            _helm(*(["uninstall", RELEASE] if release["revision"] == "1" else ["rollback", RELEASE]), "--wait")


def _helm(*arguments: str) -> str:
    command = [str(binary("helm")), *arguments, "--kubeconfig", str(KUBECONFIG), "--namespace", NAMESPACE]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ClusterError(f"helm: {done.stderr.strip()}")
    return done.stdout


def local_values(references: dict[str, str]) -> dict[str, Any]:
    """The chart's values for images that are on the node already."""
    runtime = references["slipway-runtime-sklearn"]
    store = _image(references["slipway-object-store"])
    return {
        "image": _image(references["slipway-operator"]),
        "runtimes": [{"format": "sklearn", "version": "1.9", "image": runtime}],
        "objectStore": {"embedded": {"image": store, "storage": {"size": "2Gi"}}},
        "ledger": {"embedded": {"image": store, "storage": {"size": "1Gi"}}},
        "predictionLog": {
            "image": _image(references["slipway-collector"]),
            "embedded": {"image": store, "storage": {"size": "2Gi"}},
        },
        "monitoring": {"image": _image(references["slipway-monitor"])},
        "drainSeconds": DRAIN_SECONDS,
    }


def _image(reference: str) -> dict[str, str]:
    repository, _, tag = reference.rpartition(":")
    return {"repository": repository, "tag": tag, "pullPolicy": "Never"}
