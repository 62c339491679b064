"""kubectl with an explicit kubeconfig: the user's own is never read."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.cluster.state import Mode, current_mode
from tests.cluster.tools import binary


def kubectl(kubeconfig: Path, *arguments: str) -> str:
    """What the command printed; raises subprocess.CalledProcessError when it failed."""
    return subprocess.run(_command(kubeconfig, *arguments), check=True, text=True, stdout=subprocess.PIPE).stdout


def succeeds(kubeconfig: Path, *arguments: str) -> bool:
    return subprocess.run(_command(kubeconfig, *arguments), check=False, capture_output=True).returncode == 0


def _command(kubeconfig: Path, *arguments: str) -> list[str]:
    """The pinned kubectl; beside a cluster of other making the machine's own will do, before Kubernetes is built for it."""
    own = shutil.which("kubectl")
    program = own if own and current_mode() in (Mode.GIVEN, Mode.KIND) else str(binary("kubectl"))
    return [program, f"--kubeconfig={kubeconfig}", *arguments]
