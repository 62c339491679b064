"""Tunnels end with the command, however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.wait import until

COMMAND = """
import time
from slipway.cli.artifact.tunnel import tunnel
with tunnel("slipway-system", "slipway-ledger", 9002, []) as port:
    print(port, flush=True)
    time.sleep(600)
"""
KUBECTL = """#!/bin/sh
echo $$ > "{pid}"
echo "Forwarding from 127.0.0.1:4711 -> 9002"
exec sleep 600
"""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, -signal.SIGINT)])
def test_a_command_that_is_told_to_end_takes_its_tunnel_along(tmp_path: Path, number: int, code: int) -> None:
    kubectl, pid = tmp_path / "kubectl", tmp_path / "pid"
    kubectl.write_text(KUBECTL.format(pid=pid))
    kubectl.chmod(0o755)
    command = subprocess.Popen(
        [sys.executable, "-c", COMMAND], env=os.environ | {"KUBECTL": str(kubectl)}, stdout=subprocess.PIPE, text=True
    )
    assert command.stdout
    assert command.stdout.readline() == "4711\n"
    child = int(pid.read_text())
    command.send_signal(number)
    assert command.wait(60) == code
    until(lambda: not Path(f"/proc/{child}").exists(), 20, "the tunnel to end")
