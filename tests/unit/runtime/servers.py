"""Runs `slipway-serve` as its users do, a process on its own ports."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from tests.wait import free_port, until

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class ServerProcess:
    """One model server."""

    def __init__(self, model: Path, home: Path, drain_seconds: float = 2, **environment: str) -> None:
        self.http_port, self.grpc_port, self.metrics_port = free_port(), free_port(), free_port()
        self.termination_log = home / "termination-log"
        self._log = home / "server.log"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "slipway_runtime.serve"],
            cwd=home,
            stdout=self._log.open("wb"),
            stderr=subprocess.STDOUT,
            env=os.environ
            | {
                "PYTHONPATH": str(ROOT),
                "SLIPWAY_MODEL_NAME": "churn",
                "SLIPWAY_MODEL_VERSION": "3",
                "SLIPWAY_MODEL_DIGEST": "sha256:" + "0" * 64,
                "SLIPWAY_MODEL_PATH": str(model),
                "SLIPWAY_DRAIN_SECONDS": str(drain_seconds),
                "SLIPWAY_HTTP_PORT": str(self.http_port),
                "SLIPWAY_GRPC_PORT": str(self.grpc_port),
                "SLIPWAY_METRICS_PORT": str(self.metrics_port),
                "SLIPWAY_TERMINATION_LOG": str(self.termination_log),
            }
            | environment,
        )

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
        assert self.process.poll() is None, self.log
        try:
            return self.call("GET", "/v2/models/churn/ready").status == 200
        except requests.ConnectionError:
            return False

    def wait_ready(self) -> ServerProcess:
        """The server, once it is ready."""
        until(self.is_ready, 120, f"a ready model server (see {self._log})", every=0.02)
        return self

    def kill(self) -> None:
        """End it, if it still runs."""
        self.process.kill()
        self.process.wait()
