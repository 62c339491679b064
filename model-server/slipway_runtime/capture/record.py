"""One call as bytes in a segment. A segment is a file of frames: length, CRC-32, payload; the first frame is the segment's header in
JSON, each other one a record. Whatever follows the last whole frame is a torn tail.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import IO

FORMAT = 1
FRAME = struct.Struct("<II")
HEAD = struct.Struct("<BBHIqdiiHHHI")
LARGEST = 1 << 28
"""No frame is longer: a length above is garbage."""
REST, GRPC = 0, 1
TRUNCATED, BODIES = 1, 2
NO_HEADER = -1
MAX_CALLER, MAX_ERROR = 256, 1024
"""Bytes of UTF-8 that are kept of them."""
Buffers = list[bytes]


@dataclass(slots=True)
class Record:
    """One call. Bodies are as they were on the wire (decompressed), and only there where it succeeded and mode and size let them."""

    id: str
    time_us: int
    """When it arrived, microseconds since 1970."""
    protocol: int
    caller: str = ""
    status: int = 200
    error: str = ""
    latency_ms: float = 0.0
    rows: int = 1
    """Rows that were answered; 1 for a call that failed."""
    truncated: bool = False
    request: bytes | None = None
    request_header: int = NO_HEADER
    """REST's binary extension: the length of the JSON part."""
    answer: bytes | None = None
    answer_header: int = NO_HEADER

    @property
    def size(self) -> int:
        """About how many bytes it holds."""
        return 256 + len(self.request or b"") + len(self.answer or b"")


@dataclass(frozen=True, slots=True)
class Header:
    """What a segment says of itself."""

    writer: str
    number: int
    """Of the segment: 1, 2, 3 … for each writer."""
    first: int
    """The number of its first record among all that this writer has written, from 1."""
    features: Sequence[str] | None = None
    """The model's names for the columns of an [n, k] input."""
    classes: Sequence[str] | None = None
    """The model's names for the columns of `predict_proba`."""

    def pack(self) -> bytes:
        return frame([json.dumps({"format": FORMAT, **asdict(self)}).encode()])[0]


def pack(record: Record) -> Buffers:
    """The record's frame, as buffers for one vectored write."""
    texts = [record.id.encode(), _cut(record.caller, MAX_CALLER), _cut(record.error, MAX_ERROR)]
    has_bodies = record.request is not None and record.answer is not None
    request, answer = (record.request or b"", record.answer or b"") if has_bodies else (b"", b"")
    head = HEAD.pack(
        record.protocol,
        TRUNCATED * record.truncated | BODIES * has_bodies,
        record.status,
        record.rows,
        record.time_us,
        record.latency_ms,
        record.request_header,
        record.answer_header,
        *map(len, texts),
        len(request),
    )
    return frame([head + b"".join(texts), request, answer])


def unpack(payload: bytes) -> Record:
    """The record in a frame's payload. Raises ValueError for anything else."""
    try:
        protocol, flags, status, rows, time_us, latency, asked_header, answered_header, *lengths = HEAD.unpack_from(payload)
    except struct.error:
        raise ValueError("a record is shorter than its head") from None
    parts, offset = [], HEAD.size
    for length in lengths:
        parts.append(payload[offset : offset + length])
        offset += length
    if offset > len(payload):
        raise ValueError("a record is shorter than its head says")
    identifier, caller, error = (part.decode() for part in parts[:3])
    bodies = (parts[3], payload[offset:]) if flags & BODIES else (None, None)
    truncated = bool(flags & TRUNCATED)
    return Record(
        identifier, time_us, protocol, caller, status, error, latency, rows, truncated, bodies[0], asked_header, bodies[1], answered_header
    )


def frame(parts: Sequence[bytes]) -> Buffers:
    """The parts with their length and checksum in front."""
    checksum, size = 0, 0
    for part in parts:
        checksum, size = zlib.crc32(part, checksum), size + len(part)
    return [FRAME.pack(size, checksum) + parts[0], *(part for part in parts[1:] if part)]


def frames(file: IO[bytes]) -> Iterator[bytes]:
    """The payloads of all whole frames from the file's position on; the position stays behind the last one."""
    while True:
        begin = file.tell()
        prefix = file.read(FRAME.size)
        length, checksum = FRAME.unpack(prefix) if len(prefix) == FRAME.size else (LARGEST + 1, 0)
        payload = file.read(length) if length <= LARGEST else b""
        if len(payload) != length or zlib.crc32(payload) != checksum:
            file.seek(begin)
            return
        yield payload


def read_header(file: IO[bytes]) -> Header:
    """The header of the segment that begins here. Raises ValueError where there is none."""
    payload = next(frames(file), b"")
    try:
        message = json.loads(payload)
        if message.pop("format") != FORMAT:
            raise ValueError("a segment of another format")
        return Header(**message)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"no segment's header: {error}") from None


def _cut(text: str, limit: int) -> bytes:
    content = text.encode("utf-8", "replace")
    return content if len(content) <= limit else content[:limit].decode("utf-8", "ignore").encode()
