"""Runs `slipway-serve` as its users do, a process on its own ports."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import requests

from slipway_runtime.serve.command import main
from tests.wait import free_port, until


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def environment(model: Path, home: Path, drain_seconds: float, **more: str) -> dict[str, str]:
    """What a server on free ports is told."""
    return {
        "SLIPWAY_MODEL_NAME": "churn",
        "SLIPWAY_MODEL_VERSION": "3",
        "SLIPWAY_MODEL_DIGEST": "sha256:" + "0" * 64,
        "SLIPWAY_MODEL_PATH": str(model),
        "SLIPWAY_DRAIN_SECONDS": str(drain_seconds),
        "SLIPWAY_HTTP_PORT": str(free_port()),
        "SLIPWAY_GRPC_PORT": str(free_port()),
        "SLIPWAY_METRICS_PORT": str(free_port()),
        "SLIPWAY_TERMINATION_LOG": str(home / "termination-log"),
        **more,
    }


def serve(variables: dict[str, str], log: Path) -> None:
    """`slipway-serve` in this process, its output in the log."""
    with log.open("wb") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    os.environ.update(variables)
    main()


class ServerProcess:
    """One model server, a process of its own, forked from one that has Python's slow imports behind it."""

    _forks = get_context("forkserver")
    _forks.set_forkserver_preload(["slipway_runtime.serve.server", "tests.unit.runtime.models", "tests.unit.runtime.servers"])

    def __init__(self, model: Path, home: Path, drain_seconds: float = 2, **more: str) -> None:
        variables = environment(model, home, drain_seconds, **more)
        self.http_port = int(variables["SLIPWAY_HTTP_PORT"])
        self.grpc_port = int(variables["SLIPWAY_GRPC_PORT"])
        self.metrics_port = int(variables["SLIPWAY_METRICS_PORT"])
        self.termination_log = home / "termination-log"
        self._log = home / "server.log"
        self.process = self._forks.Process(target=serve, args=(variables, self._log), daemon=True)
        self.process.start()

    def call(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        """One request on a connection of its own."""
        url = f"http://127.0.0.1:{self.http_port}{path}"
        answer = requests.request(method, url, data=body, headers={k.replace("_", "-"): v for k, v in headers.items()}, timeout=30)
        return Answer(answer.status_code, answer.headers, answer.content)

    def infer(self, inputs: list[dict[str, Any]], **message: Any) -> Answer:
        """A JSON inference call."""
        return self.call("POST", "/v2/models/churn/infer", json.dumps({"inputs": inputs, **message}).encode())

    @property
    def log(self) -> str:
        return self._log.read_text()

    def is_ready(self) -> bool:
        """Whether the readiness probe passes. An ended process fails the test with its log."""
        assert self.process.exitcode is None, self.log
        try:
            return self.call("GET", "/v2/models/churn/ready").status == 200
        except requests.ConnectionError:
            return False

    def wait_ready(self) -> ServerProcess:
        """The server, once it is ready."""
        until(self.is_ready, 120, f"a ready model server (see {self._log})", every=0.02)
        return self

    def signal(self, number: int) -> None:
        """Send it a signal."""
        assert self.process.pid is not None
        os.kill(self.process.pid, number)

    def exit_code(self) -> int:
        """How it ended, once it has."""
        self.process.join(60)
        assert self.process.exitcode is not None, f"the server did not end: {self.log}"
        return self.process.exitcode

    def kill(self) -> None:
        """End it, if it still runs."""
        self.process.kill()
        self.process.join()
