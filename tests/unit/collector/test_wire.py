"""Streams are measured before they are decompressed."""

from __future__ import annotations

import contextlib

import pyarrow as pa
import pyarrow.ipc as ipc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.collector.batch.wire import decode, measure
from slipway.collector.errors import Refused
from slipway.collector.settings import Limits

TABLE = pa.table({"a": list(range(1000)), "b": ["text"] * 1000, "c": [None, True] * 500})


def stream(table: pa.Table, compression: str | None) -> bytes:
    sink = pa.BufferOutputStream()
    with ipc.new_stream(sink, table.schema, options=ipc.IpcWriteOptions(compression=compression)) as writer:
        writer.write_table(table, max_chunksize=400)
    body: bytes = sink.getvalue().to_pybytes()
    return body


@pytest.mark.parametrize("compression", [None, "lz4", "zstd"])
def test_a_stream(compression: str | None) -> None:
    body = stream(TABLE, compression)
    assert decode(body, Limits()).equals(TABLE)
    reader = ipc.MessageReader.open_stream(pa.py_buffer(body))
    reader.read_next_message()
    message = reader.read_next_message()
    rows, size = measure(message.metadata.to_pybytes(), memoryview(message.body))
    assert rows == 400
    assert size == pytest.approx(400 * 8 + 401 * 4 + 1600 + 2 * 50, abs=64)


@pytest.mark.parametrize("limits", [Limits(decoded=10_000), Limits(rows=999), Limits(columns=2)])
def test_limits(limits: Limits) -> None:
    with pytest.raises(Refused) as refused:
        decode(stream(TABLE, "zstd"), limits)
    assert refused.value.status == 413


@given(st.binary(max_size=2000))
def test_noise_is_refused(noise: bytes) -> None:
    with pytest.raises(Refused) as refused:
        decode(noise, Limits())
    assert refused.value.status == 400


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=8), st.sampled_from([None, "lz4", "zstd"]))
def test_damage_is_refused_or_harmless(damage: list[tuple[int, int]], compression: str | None) -> None:
    """Whatever bytes are changed: an answer, no crash, and never more memory than a batch may take."""
    body = bytearray(stream(TABLE, compression))
    for at, value in damage:
        body[at % len(body)] = value
    with contextlib.suppress(Refused):
        assert len(decode(bytes(body), Limits(decoded=100_000))) <= 1_000_000
