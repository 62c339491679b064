"""A real Prometheus, a real Alertmanager and somebody whom it tells, for tests."""

from __future__ import annotations

import json
import subprocess
import threading
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml

from tests.cluster.tools import command_line
from tests.wait import free_port, until

Labels = dict[str, str]


@dataclass(frozen=True)
class Target:
    """Something that answers `/metrics`, and the labels that its place gives it, as relabelling would in a cluster."""

    port: int
    labels: Mapping[str, str] = field(default_factory=dict)
    job: str = "slipway"
    path: str = "/metrics"


@dataclass(frozen=True)
class Sample:
    """One series of an answer, and its newest value."""

    labels: Labels
    value: float


class Server:
    """What Prometheus and Alertmanager have in common: an HTTP API on a port of this machine."""

    def __init__(self, port: int) -> None:
        self.port = port

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def get(self, path: str, **parameters: str) -> Any:
        """The JSON answer. Raises OSError, HTTPError."""
        query = f"?{urllib.parse.urlencode(parameters)}" if parameters else ""
        with urllib.request.urlopen(f"http://{self.address}{path}{query}", timeout=30) as response:
            return json.load(response)

    def ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://{self.address}/-/ready", timeout=5) as response:
                return bool(response.status == 200)
        except OSError:
            return False


class Prometheus(Server):
    """Scrapes, keeps, evaluates rules."""

    def query(self, expr: str) -> list[Sample]:
        """The instant vector of `expr` now; a scalar has no labels. Raises HTTPError for what is no PromQL."""
        data = self.get("/api/v1/query", query=expr)["data"]
        if data["resultType"] == "scalar":
            return [Sample({}, float(data["result"][1]))]
        return [Sample(sample["metric"], float(sample["value"][1])) for sample in data["result"]]

    def values(self, label: str, matching: str) -> list[str]:
        """The values of a label among the series that match."""
        found: list[str] = self.get(f"/api/v1/label/{label}/values", **{"match[]": matching})["data"]
        return found

    def rules(self) -> list[dict[str, Any]]:
        """Every rule with its `name`, `health` and `lastError`."""
        return [rule for group in self.get("/api/v1/rules")["data"]["groups"] for rule in group["rules"]]

    def down(self) -> list[str]:
        """Targets that do not answer, and why."""
        return [f"{t['scrapeUrl']}: {t['lastError']}" for t in self.get("/api/v1/targets")["data"]["activeTargets"] if t["health"] != "up"]

    def wait_for(self, expr: str, seconds: float = 60) -> list[Sample]:
        """The answer to `expr`, once there is one."""
        return until(lambda: self.query(expr), seconds, f"data for {expr}; targets down: {self.down()}")

    def wait_for_alert(self, name: str, seconds: float = 120, **labels: str) -> Labels:
        """The labels of the alert of that name, once it fires."""

        def firing() -> Labels | None:
            alerts = self.get("/api/v1/alerts")["data"]["alerts"]
            found = [a["labels"] for a in alerts if a["state"] == "firing" and {"alertname": name, **labels}.items() <= a["labels"].items()]
            return found[0] if found else None

        return until(firing, seconds, f"the alert {name} to fire", every=0.5)


class Alertmanager(Server):
    """Groups, routes, tells."""

    def alerts(self) -> list[Labels]:
        return [alert["labels"] for alert in self.get("/api/v2/alerts")]


class Receiver:
    """Takes what Alertmanager's webhooks say."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        told = self.told

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"

    def wait_for_alert(self, name: str, seconds: float = 120, status: str = "firing") -> dict[str, Any]:
        """The first alert of that name and status that it was told of: labels, annotations, startsAt."""

        def received() -> dict[str, Any] | None:
            alerts = [alert for message in list(self.told) for alert in message["alerts"]]
            return next((a for a in alerts if a["labels"]["alertname"] == name and a["status"] == status), None)

        return until(received, seconds, f"Alertmanager to tell of {name} ({status})", every=0.2)


@contextmanager
def start_receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    thread = threading.Thread(target=receiver._server.serve_forever, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver._server.shutdown()
        thread.join()
        receiver._server.server_close()


@contextmanager
def start_alertmanager(folder: Path, route: Mapping[str, Any], receivers: Mapping[str, str]) -> Iterator[Alertmanager]:
    """Tells the receivers, each a name and a URL, by `route`, as in its configuration."""
    folder.mkdir(parents=True, exist_ok=True)
    config = {
        "route": {"group_wait": "0s", "group_interval": "1s", **route},
        "receivers": [{"name": name, "webhook_configs": [{"url": url}] if url else []} for name, url in receivers.items()],
    }
    (folder / "alertmanager.yaml").write_text(yaml.safe_dump(config))
    server = Alertmanager(free_port())
    flags = {
        "config.file": folder / "alertmanager.yaml",
        "storage.path": folder / "data",
        "web.listen-address": server.address,
        "cluster.listen-address": "",
    }
    with _process("alertmanager", flags, folder, server.ready):
        yield server


@contextmanager
def start_prometheus(
    folder: Path,
    targets: Sequence[Target] = (),
    *,
    rules: Sequence[Path] = (),
    alertmanager: Alertmanager | None = None,
    seconds: int = 1,
    scrape_configs: Sequence[Mapping[str, Any]] = (),
) -> Iterator[Prometheus]:
    """Scrapes the targets (with honor_labels) and evaluates the rules every `seconds`. More scrape configurations may stand beside them."""
    folder.mkdir(parents=True, exist_ok=True)
    config: dict[str, Any] = {
        "global": {"scrape_interval": f"{seconds}s", "scrape_timeout": f"{seconds}s", "evaluation_interval": f"{seconds}s"},
        "rule_files": [str(path.absolute()) for path in rules],
        "scrape_configs": [*_jobs(targets), *scrape_configs],
    }
    if alertmanager:
        config["alerting"] = {"alertmanagers": [{"static_configs": [{"targets": [alertmanager.address]}]}]}
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(config))
    server = Prometheus(free_port())
    flags = {"config.file": folder / "prometheus.yaml", "storage.tsdb.path": folder / "data", "web.listen-address": server.address}
    with _process("prometheus", flags, folder, server.ready):
        yield server


def _jobs(targets: Sequence[Target]) -> list[dict[str, Any]]:
    return [
        {
            "job_name": f"{target.job}-{number}",
            "honor_labels": True,
            "metrics_path": target.path,
            "static_configs": [{"targets": [f"127.0.0.1:{target.port}"], "labels": dict(target.labels)}],
        }
        for number, target in enumerate(targets)
    ]


@contextmanager
def _process(name: str, flags: Mapping[str, object], folder: Path, ready: Callable[[], bool]) -> Iterator[None]:
    """The program, from when it is ready until the context ends."""
    log = folder / f"{name}.log"
    with log.open("ab") as output:
        process = subprocess.Popen(command_line(name, flags), stdout=output, stderr=output)
    try:
        until(lambda: process.poll() is not None or ready(), 60, f"{name} to be ready; its log: {log}")
        assert process.poll() is None, log.read_text()[-3000:]
        yield
    finally:
        process.kill()
        process.wait()
