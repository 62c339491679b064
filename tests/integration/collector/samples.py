"""Batches as the capture sidecar sends them."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

DIGEST = "sha256:" + "0" * 64


def uuid7(milliseconds: float | None = None) -> str:
    """A UUID that carries its time (now)."""
    stamp = int(time.time() * 1000 if milliseconds is None else milliseconds)
    random = uuid.uuid4().int & ((1 << 74) - 1)
    number = stamp << 80 | 7 << 76 | (random >> 62) << 64 | 2 << 62 | random & ((1 << 62) - 1)
    return str(uuid.UUID(int=number))


def rows(namespace: str, deployment: str, ids: Sequence[str], at: datetime | None = None, **features: Any) -> pa.Table:
    """Predictions of one row each."""
    count = len(ids)
    when = pa.array([at or datetime.now(UTC)] * count, pa.timestamp("us", "UTC"))
    texts = {"namespace": namespace, "deployment": deployment, "model": "churn", "version": "3", "digest": DIGEST, "role": "Stable"}
    columns = {
        "prediction_id": pa.array(ids, pa.string()),
        "row": pa.array([0] * count, pa.int32()),
        "rows": pa.array([1] * count, pa.int32()),
        "time": when,
        **{name: pa.array([text] * count, pa.string()) for name, text in texts.items()},
        "status": pa.array([200] * count, pa.int32()),
        "error": pa.nulls(count, pa.string()),
        "latency_ms": pa.array([1.5] * count, pa.float64()),
        "protocol": pa.array(["REST"] * count, pa.string()),
        "caller": pa.nulls(count, pa.string()),
        "truncated": pa.array([False] * count, pa.bool_()),
        **features,
        "other": pa.nulls(count, pa.string()),
    }
    metadata = {"slipway.namespace": namespace, "slipway.deployment": deployment, "slipway.model": "churn"}
    return pa.table(columns).replace_schema_metadata(metadata)


def stream(table: pa.Table, compression: str | None = "zstd") -> bytes:
    """The table as an Arrow IPC stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression=compression)) as writer:
        writer.write_table(table)
    body: bytes = sink.getvalue().to_pybytes()
    return body
