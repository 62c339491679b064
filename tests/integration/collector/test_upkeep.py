"""Erasure to the last byte, compaction, retention."""

from __future__ import annotations

import os
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable

from slipway.collector.find import Finder
from slipway.collector.log.table import Table
from slipway.collector.maintenance.compact import compact
from slipway.collector.maintenance.retention import expire
from slipway.collector.settings import LogPlace
from slipway.collector.tables import Tables
from tests.integration.collector.lab import BUCKET, Lab
from tests.integration.collector.process import Collector
from tests.integration.collector.samples import rows, stream, uuid7
from tests.integration.samples import deployment
from tests.wait import until

TODAY = datetime.now(UTC).date()


def table_of(lab: Lab, namespace: str) -> Table:
    return Tables(LogPlace(f"s3://{BUCKET}/log", lab.folder / "secret")).get(namespace, "churn", "predictions")


def fill(lab: Lab, collector: Collector, namespace: str, files: int, at: datetime | None = None) -> list[str]:
    """Ids of as many files, of ten rows each; `key_person` is `person-N` of file N."""
    token, writer, all_ids = lab.pod_token(namespace, "churn"), str(uuid.uuid4()), []
    for number in range(files):
        ids = [uuid7() for _ in range(10)]
        body = stream(rows(namespace, "churn", ids, at, key_person=pa.array([f"person-{number}"] * 10), in_a=pa.array(range(10))))
        assert collector.send(token, body, writer, number + 1).body == {"rows": 10, "state": "Stored"}
        all_ids += ids
    return all_ids


def traces(folder: Path, value: str) -> list[str]:
    """Files below the folder that hold the value, in Parquet's pages or as bytes."""
    return [path.name for path in folder.rglob("*") if path.is_file() and _holds(path, value)]


def _holds(path: Path, value: str) -> bool:
    return value.encode() in path.read_bytes() or (path.suffix == ".parquet" and value in str(pq.read_table(path).to_pydict()))


def test_erased_to_the_last_byte(lab: Lab, collector: Collector, reader: str, namespace: str) -> None:
    """Also from files that compaction had replaced, and with ground truth about those predictions."""
    ids = fill(lab, collector, namespace, 20)
    lab.kube.apply(deployment(namespace, "churn"))
    assert compact(table_of(lab, namespace), Finder(2), TODAY) == 20
    asked = {"namespace": namespace, "deployment": "churn"}
    known = [
        {"prediction_id": ids[75], "value": "secret-truth"},
        {"key": {"person": "person-7"}, "value": 1},
        {"prediction_id": ids[0], "value": 1},
    ]
    assert collector.ask("POST", "/v1/actuals", reader, orjson.dumps(asked | {"rows": known})).status == 200
    folder = lab.store.folder / BUCKET / "log" / namespace
    assert traces(folder, "person-7")
    answer = collector.ask("POST", "/v1/erasures", reader, orjson.dumps(asked | {"column": "key_person", "value": "person-7"}))
    assert answer.body == {"predictions": 10, "actuals": 2}
    assert traces(folder, "person-7") == []
    assert traces(folder, "secret-truth") == []
    assert lab.ids(namespace, "churn") == sorted(set(ids) - set(ids[70:80]))
    (event,) = until(lambda: [one for one in lab.kube.list("Event", namespace) if one["reason"] == "RowsErased"], 20, "the Event")
    assert event["message"] == "system:serviceaccount:people:reader erased 12 rows from the prediction log, chosen by column key_person"


def test_what_cannot_be_erased(lab: Lab, collector: Collector, reader: str, namespace: str) -> None:
    fill(lab, collector, namespace, 1)
    asked = {"namespace": namespace, "deployment": "churn", "value": "x"}
    for column, status, message in (
        ("key_nothing", 404, "neither table has a column"),
        ("", 400, "column must be"),
        ("' OR 1=1", 404, "neither"),
    ):
        answer = collector.ask("POST", "/v1/erasures", reader, orjson.dumps(asked | {"column": column}))
        assert (answer.status, message in answer.error) == (status, True), answer


def test_compaction_loses_nothing_while_batches_come(lab: Lab, collector: Collector, reader: str, namespace: str) -> None:
    ids = fill(lab, collector, namespace, 40)
    assert compact(table_of(lab, namespace), Finder(2), TODAY) == 40
    ids += fill(lab, collector, namespace, 3)
    assert lab.ids(namespace, "churn") == sorted(ids)
    table = table_of(lab, namespace)
    snapshot = table.snapshot()
    assert snapshot is not None
    assert len(snapshot.files) == 4
    for wanted in (ids[0], ids[399], ids[-1]):
        found = collector.ask("GET", f"/v1/predictions/{wanted}?namespace={namespace}&deployment=churn", reader).body["predictions"]
        assert [row["prediction_id"] for row in found] == [wanted]


def test_retention_by_whole_days(lab: Lab, collector: Collector, namespace: str) -> None:
    old = [fill(lab, collector, namespace, 1, datetime.now(UTC) - timedelta(days=days)) for days in (40, 31, 30, 1)]
    assert expire(table_of(lab, namespace), TODAY, 30) == 2
    assert lab.ids(namespace, "churn") == sorted(old[2] + old[3])


def test_vacuum_takes_what_no_commit_knows_only_when_it_is_old(lab: Lab, collector: Collector, namespace: str) -> None:
    """What a collector that was killed left; what another one is about to commit stays."""
    fill(lab, collector, namespace, 1)
    folder = lab.store.folder / BUCKET / "log" / namespace / "churn" / "predictions" / f"date={TODAY}"
    fresh, stale = folder / "fresh.parquet", folder / "stale.parquet"
    for path in (fresh, stale):
        path.write_bytes(b"left")
    os.utime(stale, (0, 0))
    table_of(lab, namespace).vacuum(24, unknown=True)
    assert (fresh.exists(), stale.exists()) == (True, False)
    assert len(lab.ids(namespace, "churn")) == 10


def test_the_log_is_summed_up(lab: Lab, collector: Collector, namespace: str) -> None:
    """A checkpoint every 100 versions, so that a table opens quickly; what it says of transactions holds."""
    fill(lab, collector, namespace, 105)
    log = lab.store.folder / BUCKET / "log" / namespace / "churn" / "predictions" / "_delta_log"
    (checkpoint,) = log.glob("*.checkpoint.parquet")
    assert len(pq.read_table(checkpoint)["txn"].drop_null()) == 1
    assert DeltaTable(str(log.parent)).version() == 106
