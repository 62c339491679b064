"""Each row exactly once: killed at every put, answers lost, two at once, the store away."""

from __future__ import annotations

import http.client
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pytest
from deltalake import DeltaTable
from deltalake.transaction import AddAction

from tests.integration.collector.lab import Lab
from tests.integration.collector.process import Answer, Collector
from tests.integration.collector.proxy import StoreProxy, Strike, When
from tests.integration.collector.samples import rows, stream, uuid7

PUTS = 7
"""Of two batches: the table, its columns, a file, its commit; another column, a file, its commit."""


@pytest.fixture(scope="module")
def proxy(lab: Lab) -> Iterator[StoreProxy]:
    with StoreProxy(lab.store.port) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def behind(lab: Lab, proxy: StoreProxy) -> Collector:
    """A collector whose store is behind the proxy; started anew when it was killed."""
    return lab.collector(SLIPWAY_LOG_ENDPOINT=f"http://127.0.0.1:{proxy.port}")


class Sender:
    """A pod's sidecar: two batches, the second with one more column; each is sent again until it is acknowledged."""

    def __init__(self, lab: Lab, namespace: str) -> None:
        self.token, self.writer = lab.pod_token(namespace, "churn"), str(uuid.uuid4())
        self.ids = [[uuid7() for _ in range(20)] for _ in range(2)]
        more = [{"in_a": pa.array([1.0] * 20)}, {"in_a": pa.array([2.0] * 20), "in_b": pa.array(["x"] * 20)}]
        self.bodies = [stream(rows(namespace, "churn", ids, **columns)) for ids, columns in zip(self.ids, more, strict=True)]

    def send(self, to: Collector, number: int) -> Answer:
        return to.send(self.token, self.bodies[number], self.writer, number + 1)

    def send_all(self, to: Collector) -> int:
        """How often it was sent in vain."""
        vain = 0
        for number in range(len(self.bodies)):
            while not self._acknowledged(to, number):
                vain += 1
                assert vain < 500
        return vain

    def _acknowledged(self, to: Collector, number: int) -> bool:
        try:
            answer = self.send(to, number)
        except (OSError, http.client.HTTPException):
            to.revive()
            return False
        assert answer.status in (200, 503), answer
        return answer.status == 200

    def check(self, lab: Lab, namespace: str) -> None:
        assert lab.ids(namespace, "churn") == sorted(self.ids[0] + self.ids[1])


def test_the_puts_of_two_batches(lab: Lab, proxy: StoreProxy, behind: Collector, namespace: str) -> None:
    sender = Sender(lab, namespace)
    proxy.watch()
    assert sender.send_all(behind) == 0
    assert [path.rsplit(".", 1)[1] for path in proxy.puts] == ["json", "json", "parquet", "json", "json", "parquet", "json"], proxy.puts
    assert len(proxy.puts) == PUTS
    sender.check(lab, namespace)


@pytest.mark.parametrize("when", ["before", "after", "lost"])
@pytest.mark.parametrize("at", range(PUTS))
def test_struck_at_every_put(lab: Lab, proxy: StoreProxy, behind: Collector, namespace: str, at: int, when: When) -> None:
    sender = Sender(lab, namespace)
    process = behind.process
    assert process is not None
    proxy.watch(Strike(at, when, process.kill if when != "lost" else lambda: None))
    vain = sender.send_all(behind)
    proxy.watch()
    assert (vain > 0) == (when != "lost"), "killed, the sender has no answer; an answer that was lost is found out"
    sender.check(lab, namespace)


@pytest.mark.full
@pytest.mark.parametrize("when", ["before", "after", "lost"])
@pytest.mark.parametrize("at", range(4))
def test_struck_while_the_log_is_summed_up(lab: Lab, proxy: StoreProxy, behind: Collector, namespace: str, at: int, when: When) -> None:
    """The commit after which a checkpoint is written: a file, the commit, the checkpoint, the pointer to it."""
    sender = Sender(lab, namespace)
    assert sender.send(behind, 0).status == 200
    before = DeltaTable(lab.uri(namespace, "churn"), storage_options=lab.options)
    files = before.get_add_actions(flatten=True)
    path, size, day = (files[name][0].as_py() for name in ("path", "size_bytes", "partition.date"))
    action = AddAction(path, size, {"date": str(day)}, 0, False, '{"numRecords": 20}')
    while before.version() < 98:  # versions that say what is known already
        before.create_write_transaction([action], "append", before.schema(), ["date"])
        before.update_incremental()
    process = behind.process
    assert process is not None
    proxy.watch(Strike(at, when, process.kill if when != "lost" else lambda: None))
    sender.ids[1], sender.bodies[1] = sender.ids[0], sender.bodies[0]
    sender.send_all(behind)
    struck, sums = list(proxy.puts), [path for path in proxy.puts if "checkpoint" in path]
    proxy.watch()
    assert len(struck) > at
    assert sums or at < 2, struck
    assert len(lab.ids(namespace, "churn")) == 40


def test_two_collectors_and_the_same_batch(lab: Lab, collector: Collector, behind: Collector, namespace: str) -> None:
    sender = Sender(lab, namespace)
    for number in range(2):
        with ThreadPoolExecutor(8) as threads:
            answers = list(threads.map(lambda turn, number=number: sender.send((collector, behind)[turn % 2], number), range(8)))
        assert {answer.status for answer in answers} == {200}, answers
    sender.check(lab, namespace)


def test_two_collectors_and_many_writers(lab: Lab, collector: Collector, behind: Collector, namespace: str) -> None:
    """The table does not exist yet, and each writer brings a column of its own."""
    token, sent, lock = lab.pod_token(namespace, "churn"), list[str](), threading.Lock()

    def write(writer: int) -> None:
        name = str(uuid.uuid4())
        for sequence in range(1, 6):
            ids = [uuid7() for _ in range(10)]
            body = stream(rows(namespace, "churn", ids, **{f"in_{writer}": pa.array(range(10))}))
            for to in (collector, behind):  # the second time as if the first answer was lost
                assert to.send(token, body, name, sequence).status == 200
            with lock:
                sent.extend(ids)

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(write, range(6)))
    assert lab.ids(namespace, "churn") == sorted(sent)
    assert {f"in_{writer}" for writer in range(6)} < set(lab.table(namespace, "churn").column_names)


@pytest.mark.parametrize("seconds", [3, pytest.param(120, marks=pytest.mark.full)])
def test_the_store_is_away(lab: Lab, proxy: StoreProxy, behind: Collector, namespace: str, seconds: int) -> None:
    sender = Sender(lab, namespace)
    assert sender.send(behind, 0).status == 200
    proxy.down = True
    threading.Timer(seconds, lambda: setattr(proxy, "down", False)).start()
    assert sender.send_all(behind) >= 0
    assert not proxy.down, "it was acknowledged while the store was away"
    sender.check(lab, namespace)
