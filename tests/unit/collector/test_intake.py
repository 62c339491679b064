"""What waits is bounded, and so are the commits under way."""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import Sequence

import pytest

from slipway.collector.errors import Refused
from slipway.collector.ingest import Batch, Outcome
from slipway.collector.intake import Intake, TableName
from slipway.collector.settings import Limits
from slipway.collector.who import Pod


def batch(deployment: str, sequence: int = 1) -> Batch:
    return Batch(Pod("ns", deployment, deployment), str(uuid.uuid4()), sequence, b"")


async def nothing(_: TableName) -> None:
    return None


class Store:
    """Counts the commits that are under way at the same time; each waits for `go`."""

    def __init__(self) -> None:
        self.go, self.lock = threading.Event(), threading.Lock()
        self.now = self.most = 0
        self.groups: list[tuple[TableName, int]] = []

    def __call__(self, table: TableName, batches: Sequence[Batch]) -> list[Outcome]:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
            self.groups.append((table, len(batches)))
        assert self.go.wait(60)
        with self.lock:
            self.now -= 1
        return [Outcome(rows=1)] * len(batches)


async def test_a_thousand_deployments_at_once() -> None:
    store = Store()
    intake = Intake(store, nothing, Limits(), workers=4)
    tasks = [asyncio.create_task(intake.submit(batch(f"d{number}"))) for number in range(1000)]
    while store.now < 4:
        await asyncio.sleep(0)
    threads = [thread.name for thread in threading.enumerate() if thread.name.startswith("commit")]
    store.go.set()
    assert all(outcome.rows == 1 for outcome in await asyncio.gather(*tasks))
    assert (store.most, len(threads), len(store.groups)) == (4, 4, 1000)
    await intake.close()


async def test_what_waits_for_a_table_is_committed_together() -> None:
    store = Store()
    intake = Intake(store, nothing, Limits(), workers=4)
    tasks = [asyncio.create_task(intake.submit(batch("churn", sequence))) for sequence in range(1, 51)]
    while not store.groups:
        await asyncio.sleep(0)
    store.go.set()
    await asyncio.gather(*tasks)
    assert [size for _, size in store.groups] == [50]
    await intake.close()


async def test_too_much_is_refused_until_there_is_room() -> None:
    intake = Intake(Store(), nothing, Limits(pending=100, pending_batches=3), workers=1)
    with intake.room(60):
        with pytest.raises(Refused) as refused, intake.room(41):
            pass
        assert (refused.value.status, refused.value.retry_after) == (429, 1)
        with intake.room(40):
            pass
    with intake.room(1), intake.room(1), intake.room(1), pytest.raises(Refused), intake.room(1):
        pass
    with intake.room(100):
        pass
    await intake.close()


async def test_a_panic_in_one_table_leaves_the_others() -> None:
    class PanicException(BaseException):
        """As pyo3 raises it."""

    def store(table: TableName, batches: Sequence[Batch]) -> list[Outcome]:
        if table[1] == "bad":
            raise PanicException
        return [Outcome(rows=1)] * len(batches)

    intake = Intake(store, nothing, Limits(), workers=1)
    bad, good = await asyncio.gather(intake.submit(batch("bad")), intake.submit(batch("good")))
    assert bad.error is not None
    assert (bad.error.status, good.rows) == (503, 1)
    assert (await intake.submit(batch("bad"))).error is not None
    await intake.close()
