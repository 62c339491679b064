"""Killed servers, full disks: what was answered in Durable arrives, each once; in BestEffort the loss is counted."""

from __future__ import annotations

import signal
import threading
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import pytest

from tests.unit.runtime import models
from tests.unit.runtime.capturing import capture, collecting, metrics, shipping, wait_empty
from tests.unit.runtime.conftest import Start
from tests.unit.runtime.servers import ServerProcess
from tests.unit.runtime.test_serve_rest import COLUMNS, INFER, body
from tests.wait import until

CLIENTS = 6


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return models.save(models.churn_model(), tmp_path_factory.mktemp("model"))


class Client(threading.Thread):
    """Calls without a pause on one connection until it breaks; keeps the ids of whole answers."""

    def __init__(self, port: int, number: int) -> None:
        super().__init__(daemon=True)
        self.port, self.number = port, number
        self.answered: list[str] = []

    def run(self) -> None:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        content = body()
        try:
            while True:
                identifier = f"{self.number}-{len(self.answered)}"
                connection.request("POST", INFER, content, {"X-Request-Id": identifier})
                answer = connection.getresponse()
                answer.read()
                assert answer.status == 200
                self.answered.append(identifier)
        except (OSError, HTTPException):
            return


def killed_under_load(server: ServerProcess, calls: int) -> list[str]:
    """The ids of all answers that clients had read whole when the server was killed."""
    clients = [Client(server.http_port, number) for number in range(CLIENTS)]
    for client in clients:
        client.start()
    until(lambda: sum(len(client.answered) for client in clients) >= calls, 60, "calls under way", every=0.01)
    server.signal(signal.SIGKILL)
    for client in clients:
        client.join(60)
    return [identifier for client in clients for identifier in client.answered]


@pytest.mark.parametrize("delivery", ["Durable", "BestEffort"])
def test_a_killed_server_under_load(delivery: str, model: Path, start: Start, tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    variables = capture(spool, delivery=delivery)
    with collecting(lost_answers=1) as collector, shipping(spool, collector.url, tmp_path):
        answered = killed_under_load(start(model, **variables).wait_ready(), 400)
        again = start(model, **variables).wait_ready()
        assert again.call("POST", INFER, body(), X_Request_Id="again").status == 200
        until(lambda: "again" in collector.ids, 60, "the next server's row", every=0.05)
        received = {(row["prediction_id"], row["row"]) for row in collector.rows}
        counted = metrics(again.metrics_port)
    assert len(received) == len(collector.rows), "a row arrived twice"
    missing = [identifier for identifier in answered if (identifier, 0) not in received]
    calls = len({identifier for identifier, _ in received})
    assert counted["records_total"] - counted["dropped_total:killed"] == calls
    if delivery == "Durable":
        assert missing == []
    assert len(missing) <= counted["dropped_total:killed"] <= len(missing) + CLIENTS


def test_with_nothing_under_way_the_counter_is_exactly_the_loss(model: Path, start: Start, tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    first = start(model, **capture(spool)).wait_ready()
    connection = HTTPConnection("127.0.0.1", first.http_port, timeout=30)
    for number in range(50):
        connection.request("POST", INFER, body(), {"X-Request-Id": str(number)})
        assert connection.getresponse().read()
    first.signal(signal.SIGKILL)  # the last ones had no 20 ms to be written in, unless the machine held us up
    first.exit_code()
    with collecting() as collector, shipping(spool, collector.url, tmp_path):
        again = start(model, **capture(spool)).wait_ready()
        wait_empty(spool)
        received = {row["prediction_id"] for row in collector.rows}
        assert metrics(again.metrics_port)["dropped_total:killed"] == 50 - len(received)


def test_a_full_spool(model: Path, start: Start, tmp_path: Path) -> None:
    """Durable refuses and keeps what it answered, BestEffort answers and counts; with the collector back, both go on."""
    durable, relaxed = (
        start(model, **capture(tmp_path / name, delivery=name, SLIPWAY_CAPTURE_SPOOL_BYTES=40_000)) for name in ("Durable", "BestEffort")
    )
    statuses = [durable.wait_ready().infer(COLUMNS).status]
    while statuses[-1] == 200:
        statuses.append(durable.infer(COLUMNS).status)
    refused = durable.infer(COLUMNS)
    assert (statuses[-1], refused.status) == (503, 503)
    assert refused.json["error"].startswith("the prediction log cannot keep this call now")
    assert refused.headers["x-slipway-prediction-id"]
    relaxed.wait_ready()
    while not metrics(relaxed.metrics_port)["dropped_total:disk"]:
        assert relaxed.infer(COLUMNS).status == 200
    assert metrics(durable.metrics_port)["dropped_total:refused"] == 2
    with collecting() as collector, shipping(tmp_path / "Durable", collector.url, tmp_path):
        until(lambda: durable.infer(COLUMNS).status == 200, 60, "room again")
        wait_empty(tmp_path / "Durable")
        assert len(set(collector.ids)) == len(statuses)  # all that were answered, and the one just now


def test_a_stopped_server_leaves_nothing_behind(model: Path, start: Start, tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    server = start(model, 0.1, **capture(spool)).wait_ready()
    with collecting() as collector, shipping(spool, collector.url, tmp_path) as shipper:
        ids = [server.infer(COLUMNS).headers["x-slipway-prediction-id"] for _ in range(5)]
        server.signal(signal.SIGTERM)
        assert server.exit_code() == 0, server.log
        assert shipper.end() == 0, shipper.log_path.read_text()
        assert sorted({row["prediction_id"] for row in collector.rows}) == sorted(ids)
    assert not [path for path in spool.iterdir() if path.is_dir()]
