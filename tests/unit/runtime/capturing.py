"""What the tests of capture share: a small real collector, the shipper as its users run it, and readers of what arrived."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pyarrow as pa
import requests
from prometheus_client.parser import text_string_to_metric_families

from tests.wait import until

IDENTITY = {
    "SLIPWAY_NAMESPACE": "growth-prod",
    "SLIPWAY_MODEL_NAME": "churn",
    "SLIPWAY_MODEL": "churn-model",
    "SLIPWAY_MODEL_VERSION": "3",
    "SLIPWAY_MODEL_DIGEST": "sha256:" + "0" * 64,
}


@dataclass
class Collector:
    """Keeps each (writer, sequence) once, as the real one does; answers what `refusals` says first."""

    url: str = ""
    refusals: list[int] = field(default_factory=list)
    """Statuses for the next batches, before any is taken."""
    lost_answers: int = 0
    """So many batches are stored and not acknowledged."""
    batches: dict[tuple[str, int], list[dict[str, Any]]] = field(default_factory=dict)
    tables: list[pa.Table] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    repeated: int = 0
    keeps_rows: bool = True
    count: int = 0
    """Rows that arrived."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def rows(self) -> list[dict[str, Any]]:
        with self.lock:
            return [row for rows in self.batches.values() for row in rows]

    @property
    def ids(self) -> list[str]:
        return [row["prediction_id"] for row in self.rows]

    def take(self, writer: str, sequence: int, body: bytes, token: str) -> int:
        """The status of one batch."""
        with self.lock:
            self.tokens.append(token)
            if self.refusals:
                return self.refusals.pop(0)
            table = pa.ipc.open_stream(body).read_all()
            self.count += table.num_rows
            if not self.keeps_rows:
                return 200
            rows = table.to_pylist()
            known = self.batches.get((writer, sequence))
            assert known is None or repr(known) == repr(rows), "a batch was sent again with other rows"
            if known is None:
                assert all(number < sequence for other, number in self.batches if other == writer), "a sequence fell"
                self.batches[writer, sequence] = rows
                self.tables.append(table)
            self.repeated += known is not None
            if self.lost_answers:
                self.lost_answers -= 1
                return 0
            return 200


@contextmanager
def collecting(**settings: Any) -> Iterator[Collector]:
    """A collector on a port of its own."""
    collector = Collector(**settings)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            assert self.path == "/v1/batches"
            assert self.headers["content-type"] == "application/vnd.apache.arrow.stream"
            status = collector.take(
                self.headers["x-slipway-writer"], int(self.headers["x-slipway-sequence"]), body, self.headers["authorization"]
            )
            if status == 0:
                self.close_connection = True
                return
            answer = json.dumps({"state": "Stored"} if status == 200 else {"error": "because"}).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(answer)))
            if status == 429:
                self.send_header("retry-after", "1")
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    collector.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        server.server_close()


class ShipperProcess:
    """`slipway-ship`, a process of its own."""

    def __init__(self, spool: Path, url: str, home: Path, **more: str) -> None:
        self.log_path = home / "ship.log"
        self.token = home / "token"
        self.token.write_text("first\n")
        variables = {
            **IDENTITY,
            "SLIPWAY_CAPTURE_SPOOL": str(spool),
            "SLIPWAY_COLLECTOR_URL": url,
            "SLIPWAY_TOKEN_PATH": str(self.token),
            **more,
        }
        with self.log_path.open("ab") as log:
            command = [sys.executable, "-m", "slipway_runtime.ship"]
            self.process = subprocess.Popen(command, env=os.environ | variables, stdout=log, stderr=log)

    def end(self) -> int:
        """SIGTERM, and how it ended."""
        self.process.terminate()
        return self.process.wait(90)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def peak_mib(self) -> float:
        """The most memory it had so far."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024


@contextmanager
def shipping(spool: Path, url: str, home: Path, **more: str) -> Iterator[ShipperProcess]:
    """A shipper that is gone afterwards."""
    shipper = ShipperProcess(spool, url, home, **more)
    try:
        yield shipper
    finally:
        shipper.kill()


def capture(spool: Path, **settings: Any) -> dict[str, str]:
    """A server's environment."""
    more = {name: str(settings.pop(name)) for name in list(settings) if name.startswith("SLIPWAY_")}
    return {"SLIPWAY_CAPTURE": json.dumps(settings), "SLIPWAY_CAPTURE_SPOOL": str(spool), **more}


def metrics(port: int) -> dict[str, float]:
    """The capture metrics, by name and the value of their only label."""
    text = requests.get(f"http://127.0.0.1:{port}/metrics", timeout=30).text
    return {
        sample.name.removeprefix("slipway_capture_") + "".join(f":{value}" for value in sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name.startswith("slipway_capture_") and not sample.name.endswith("_created")
    }


def is_empty(spool: Path) -> bool:
    """Whether no segment is left."""
    return not list(spool.glob("*/*.open")) and not list(spool.glob("*/*.segment"))


def wait_empty(spool: Path) -> None:
    until(lambda: is_empty(spool), 30, "an empty spool", every=0.05)
