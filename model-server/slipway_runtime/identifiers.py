"""Identifiers that sort by their time."""

from __future__ import annotations

import os
import time


def uuid7() -> str:
    """A UUIDv7 (RFC 9562): 48 bits of milliseconds since 1970, then random."""
    value = time.time_ns() // 1_000_000 << 80 | int.from_bytes(os.urandom(10))
    value = value & ~(0xF000 << 64) | 0x7000 << 64
    value = value & ~(0xC000 << 48) | 0x8000 << 48
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
