"""A batch comes in, is found again, and is stored once."""

from __future__ import annotations

import uuid

import pyarrow as pa

from tests.integration.collector.lab import Lab
from tests.integration.collector.process import Collector
from tests.integration.collector.samples import rows, stream, uuid7


def test_a_batch_is_stored_once_and_found(lab: Lab, collector: Collector, reader: str, namespace: str) -> None:
    token, ids, writer = lab.pod_token(namespace, "churn"), [uuid7() for _ in range(100)], str(uuid.uuid4())
    body = stream(rows(namespace, "churn", ids, in_age=pa.array(range(100)), out_predict=pa.array([0.5] * 100)))
    assert collector.send(token, body, writer).body == {"rows": 100, "state": "Stored"}
    assert collector.send(token, body, writer).body == {"rows": 100, "state": "Known"}
    assert lab.ids(namespace, "churn") == sorted(ids)
    found = collector.ask("GET", f"/v1/predictions/{ids[41]}?namespace={namespace}&deployment=churn", reader).body
    (row,) = found["predictions"]
    assert (row["prediction_id"], row["in_age"], row["out_predict"], row["namespace"]) == (ids[41], 41, 0.5, namespace)
    assert found["actuals"] == []
