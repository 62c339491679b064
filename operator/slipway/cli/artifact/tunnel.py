"""A way from the laptop to a Service in the cluster: `kubectl port-forward` as a child process."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from slipway.cli.errors import CliError

READY = re.compile(rb"Forwarding from 127\.0\.0\.1:(\d+) ->")
SECONDS = 30.0
ADVICE = "see that its pod runs and that you may port-forward to it, or push to a bucket of your own with --to"


def kubectl() -> str:
    """The program: $KUBECTL, else the one on PATH."""
    found = os.environ.get("KUBECTL") or shutil.which("kubectl")
    if not found:
        raise CliError("kubectl is not on PATH: install it, or name it in KUBECTL")
    return found


@contextmanager
def tunnel(namespace: str, service: str, port: int, flags: list[str], advice: str = ADVICE) -> Iterator[int]:
    """The local port that leads to `service` while the block runs; `advice` says what to do when none does."""
    target = ["-n", namespace, "--address", "127.0.0.1", f"svc/{service}", f":{port}"]
    command = [kubectl(), *flags, "port-forward", *target]
    with tempfile.TemporaryFile("w+") as errors:
        try:
            child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors)
        except OSError as error:
            raise CliError(f"cannot run {command[0]} ({error.strerror}): correct KUBECTL") from error
        try:
            with _ended_in_order():
                yield _local_port(child, f"{namespace}/{service}", errors, advice)
        finally:
            child.terminate()
            try:
                child.wait(5)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


@contextmanager
def _ended_in_order() -> Iterator[None]:
    """Who is told to end (SIGTERM) takes the tunnel along. Signals are the main thread's business."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _local_port(child: subprocess.Popen[bytes], where: str, errors: IO[str], advice: str) -> int:
    """Wait for kubectl to name its port; then go on reading, so that it never blocks on a full pipe."""
    found: list[int] = []
    settled = threading.Event()

    def listen() -> None:
        for line in child.stdout or ():
            if not found and (match := READY.search(line)):
                found.append(int(match[1]))
                settled.set()
        settled.set()

    threading.Thread(target=listen, daemon=True).start()
    settled.wait(SECONDS)
    if found:
        return found[0]
    errors.seek(0)
    said = errors.read().strip().rpartition("\n")[2] or f"nothing for {SECONDS:g} s"
    raise CliError(f"cannot reach {where} through kubectl port-forward ({said}): {advice}")
