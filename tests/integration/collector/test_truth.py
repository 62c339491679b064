"""Ground truth: by id and by key, late, twice, about nothing; and found with its prediction."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pyarrow as pa
import pytest

from tests.integration.collector.lab import Lab
from tests.integration.collector.process import Answer, Collector
from tests.integration.collector.samples import rows, stream, uuid7

Row = dict[str, Any]


@pytest.fixture
def ids(lab: Lab, collector: Collector, namespace: str) -> list[str]:
    """Ten predictions of customers 0 to 9; the last five were made 40 days ago."""
    token, old = lab.pod_token(namespace, "churn"), datetime.now(UTC) - timedelta(days=40)
    ids = [uuid7() for _ in range(5)] + [uuid7(1000 * old.timestamp()) for _ in range(5)]
    for part, at, first in ((ids[:5], None, 0), (ids[5:], old, 5)):
        body = stream(rows(namespace, "churn", part, at, key_customer=pa.array(range(first, first + 5))))
        assert collector.send(token, body).status == 200
    return ids


def bring(collector: Collector, token: str, namespace: str, brought: list[Row], **headers: Any) -> Answer:
    return collector.ask(
        "POST", "/v1/actuals", token, orjson.dumps({"namespace": namespace, "deployment": "churn", "rows": brought}), **headers
    )


def test_counts(lab: Lab, collector: Collector, reader: str, namespace: str, ids: list[str]) -> None:
    first = [{"prediction_id": one, "output": "churn", "value": True} for one in [ids[0], ids[1], ids[6], "nothing"]]
    assert bring(collector, reader, namespace, first).body == {"accepted": 4, "state": "Stored", "duplicate": 0, "unmatched": 1, "late": 1}
    again = [{"prediction_id": one, "output": "churn", "value": False} for one in [ids[0], ids[2], ids[2]]]
    assert bring(collector, reader, namespace, again).body == {"accepted": 3, "state": "Stored", "duplicate": 2, "unmatched": 0, "late": 0}
    by_key = [{"key": {"customer": one}, "value": 1.5} for one in (0, 7, 99)]
    assert bring(collector, reader, namespace, by_key).body == {"accepted": 3, "state": "Stored", "duplicate": 0, "unmatched": 1, "late": 1}
    assert len(lab.table(namespace, "churn", "actuals")) == 10


def test_the_last_one_holds(collector: Collector, reader: str, namespace: str, ids: list[str]) -> None:
    for value in (1, 0, 2.5):
        assert bring(collector, reader, namespace, [{"prediction_id": ids[0], "value": value}]).status == 200
    found = collector.ask("GET", f"/v1/predictions/{ids[0]}?namespace={namespace}&deployment=churn", reader).body
    assert [(row["value"], row["label"]) for row in found["actuals"]] == [(2.5, "2.5")]


def test_once(lab: Lab, collector: Collector, reader: str, namespace: str, ids: list[str]) -> None:
    headers = {"x_slipway_writer": str(uuid.uuid4()), "x_slipway_sequence": "1"}
    states = [bring(collector, reader, namespace, [{"prediction_id": ids[0], "value": "yes"}], **headers).body["state"] for _ in range(2)]
    assert states == ["Stored", "Known"]
    assert len(lab.table(namespace, "churn", "actuals")) == 1


def test_arrow(lab: Lab, collector: Collector, reader: str, namespace: str, ids: list[str]) -> None:
    table = pa.table({"prediction_id": ids[:2], "value": [0.5, 1.0]})
    body = stream(table.replace_schema_metadata({"slipway.namespace": namespace, "slipway.deployment": "churn"}))
    answer = collector.ask("POST", "/v1/actuals", reader, body, content_type="application/vnd.apache.arrow.stream")
    assert answer.body == {"accepted": 2, "state": "Stored", "duplicate": 0, "unmatched": 0, "late": 0}
    assert lab.table(namespace, "churn", "actuals")["label"].to_pylist() == ["0.5", "1"]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"value": 1}, "row 0: either prediction_id or key"),
        ({"prediction_id": "a", "key": {"b": 1}, "value": 1}, "row 0: either prediction_id or key"),
        ({"prediction_id": "a"}, "row 0: value must be"),
        ({"prediction_id": "a", "value": 1, "time": "yesterday"}, "row 0: Invalid isoformat"),
        ({"prediction_id": "a", "value": 1, "row": -1}, "row 0: row must be"),
        ({"key": {}, "value": 1}, "row 0: key must be"),
        ({"key": {"a": {}}, "value": 1}, "row 0: key must be"),
    ],
)
def test_refused(collector: Collector, reader: str, namespace: str, row: Row, message: str) -> None:
    answer = bring(collector, reader, namespace, [row])
    assert (answer.status, message in answer.error) == (400, True), answer
