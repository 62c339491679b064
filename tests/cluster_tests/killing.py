from __future__ import annotations

import os
import select
import signal

from tests.cluster.processes import Processes


def kill(processes: Processes, name: str) -> None:
    """As a crash would, and returns when the program is gone."""
    pid = processes.pid(name)
    assert pid is not None, f"{name} does not run"
    handle = os.pidfd_open(pid)
    os.kill(pid, signal.SIGKILL)
    select.select([handle], [], [], 10)
    os.close(handle)
