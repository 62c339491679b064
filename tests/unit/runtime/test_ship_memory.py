"""The shipper's memory stays bounded, whatever callers managed to have captured."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from slipway_runtime.capture.record import REST, Record
from slipway_runtime.capture.settings import CaptureSettings, SpoolSettings
from slipway_runtime.capture.writer import Writer
from tests.unit.runtime.capturing import collecting, shipping, wait_empty

MOST_MIB = 256
SIZE = 1_040_000
"""Bytes of a request that is just kept."""


def hostile() -> Iterator[Record]:
    """Requests that hold as much as a record may have, in the shapes that cost most once they are rows."""
    raw = bytes(SIZE)
    for datatype, shape in (
        ("UINT8", [SIZE, 1]),
        ("UINT8", [1, SIZE]),
        ("UINT8", [2, SIZE // 2]),
        ("BOOL", [SIZE // 1000, 1000]),
        ("FP32", [SIZE // 4]),
    ):
        header = asked(datatype, shape, parameters={"binary_data_size": SIZE})
        yield Record("raw", 1, REST, rows=shape[0], request=header + raw, request_header=len(header), answer=answer(shape[0]))
    for datatype, value, count in (("BYTES", "", SIZE // 3), ("FP64", 0, SIZE // 2), ("FP64", None, SIZE // 5)):
        request = asked(datatype, [count], data=[value] * count)
        yield Record("json", 1, REST, rows=count, request=request, answer=answer(count))
    for number in range(60):
        names = [{"name": f"{number}-{column}", "datatype": "FP64", "shape": [1], "data": [0]} for column in range(1000)]
        yield Record(f"names-{number}", 1, REST, request=json.dumps({"inputs": names}).encode(), answer=answer(1))


def asked(datatype: str, shape: list[int], **more: object) -> bytes:
    message = {"inputs": [{"name": "x", "datatype": datatype, "shape": shape, **more}]}
    return json.dumps(message, separators=(",", ":")).encode()


def answer(rows: int) -> bytes:
    """A sum, say: so that the answer is small."""
    return b'{"outputs": [{"name": "predict", "datatype": "UINT8", "shape": [1], "data": [%d]}]}' % (rows % 7)


def test_memory_is_bounded(tmp_path: Path) -> None:
    writer = Writer(CaptureSettings(SpoolSettings(tmp_path / "spool")), lambda: (None, None))
    records = list(hostile())
    for record in records:
        writer.put(record)
    writer.close()
    with collecting(keeps_rows=False) as collector, shipping(tmp_path / "spool", collector.url, tmp_path) as shipper:
        wait_empty(tmp_path / "spool")
        assert collector.count == sum(record.rows for record in records)
        assert shipper.peak_mib() < MOST_MIB
