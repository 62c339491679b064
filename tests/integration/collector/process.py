"""A real collector process, and what tests ask it."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.integration.operator import _end_with_the_test
from tests.wait import free_port, until


@dataclass(frozen=True)
class Answer:
    status: int
    body: dict[str, Any]
    retry_after: str | None = None

    @property
    def error(self) -> str:
        return str(self.body.get("error"))


@dataclass
class Collector:
    """One replica."""

    env: dict[str, str]
    log: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> Collector:
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", "slipway.collector"]
            env = os.environ | self.env | {"SLIPWAY_HTTP_PORT": str(self.port)}
            self.process = subprocess.Popen(command, env=env, stdout=log, stderr=log, preexec_fn=_end_with_the_test)  # noqa: PLW1509
        until(self._serves, 60, f"the collector to serve; its log: {self.log}", every=0.05)
        return self

    def revive(self) -> None:
        """After an answer that did not come: starts it anew if it was killed."""
        process = self.process
        assert process is not None
        until(lambda: process.poll() is not None or self._answers(), 60, "the collector to end or to answer", every=0.02)
        if process.poll() is not None:
            self.start()

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        if self.process is None:
            return 0
        self.process.send_signal(how)
        code = self.process.wait(60)
        self.process = None
        return code

    def ask(self, method: str, path: str, token: str = "", body: bytes = b"", timeout: float = 120, **headers: Any) -> Answer:
        """One request. Raises OSError or HTTPException when there is no answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request(method, path, body or None, names | ({"Authorization": f"Bearer {token}"} if token else {}))
            response = connection.getresponse()
            data = response.read()
        finally:
            connection.close()
        return Answer(
            response.status,
            json.loads(data) if data[:1] in b"{[" and data else {"text": data.decode()},
            response.headers.get("Retry-After"),
        )

    def send(self, token: str, body: bytes, writer: str = "", sequence: int = 1, timeout: float = 120) -> Answer:
        """A batch."""
        named = {"x_slipway_writer": writer or str(uuid.uuid4()), "x_slipway_sequence": str(sequence)}
        return self.ask("POST", "/v1/batches", token, body, timeout, **named)

    def metrics(self) -> dict[str, float]:
        lines = str(self.ask("GET", "/metrics").body["text"]).splitlines()
        return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in lines if not line.startswith("#")}

    def _serves(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text()[-3000:]
        return self._answers()

    def _answers(self) -> bool:
        try:
            return self.ask("GET", "/readyz", timeout=5).status == 200
        except (OSError, http.client.HTTPException):
            return False
