"""What the shipper sends is what the table has: runtime and platform may not import each other, so a test holds the two together."""

from __future__ import annotations

from slipway.collector.batch.layout import FEATURE_PREFIXES, PREDICTIONS
from slipway_runtime.capture.record import Header, Record
from slipway_runtime.ship.batches import Piece, build
from slipway_runtime.ship.decode import decode
from slipway_runtime.ship.settings import Identity

IDENTITY = Identity(namespace="growth", deployment="churn", model="churn", version="3", digest="sha256:0", role="Stable")
REQUEST = b'{"inputs": [{"name": "age", "datatype": "INT64", "shape": [1], "data": [20]}]}'
ANSWER = b'{"model_name": "churn", "outputs": [{"name": "predict", "datatype": "INT64", "shape": [1], "data": [1]}]}'


def test_columns_and_types_of_a_row() -> None:
    record = Record("id", 1, 0, request=REQUEST, answer=ANSWER)
    call = decode(record, Header("writer", 1, 1))
    schema = build([Piece(call, 0, call.rows)], IDENTITY).schema
    sent = {field.name: field.type for field in schema if not field.name.startswith(FEATURE_PREFIXES)}
    assert sent == dict(PREDICTIONS)
    assert {field.name for field in schema} - sent.keys() == {"in_age", "out_predict"}
