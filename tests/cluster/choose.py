"""Which cluster to use: the user's own when named, else kind where Docker answers, else this machine."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Mapping

from tests.cluster.state import Mode

VARIABLE = "SLIPWAY_KUBECONFIG"


def docker_answers() -> bool:
    """A Docker command alone is not enough: only an engine answers `docker info`."""
    if not shutil.which("docker") or not shutil.which("kind"):
        return False
    try:
        return subprocess.run(["docker", "info"], check=False, capture_output=True, timeout=20).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def choose(environment: Mapping[str, str], engine: Callable[[], bool] = docker_answers) -> Mode:
    if environment.get(VARIABLE):
        return Mode.GIVEN
    return Mode.KIND if engine() else Mode.BARE
