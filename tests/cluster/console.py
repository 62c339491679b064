"""Progress lines: what is being done and how long it took."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def step(text: str) -> Iterator[None]:
    """Prints `text` when a step begins and its seconds when it ends well."""
    interactive = sys.stderr.isatty()
    print(f"  … {text}", end="" if interactive else "\n", file=sys.stderr, flush=True)
    began = time.monotonic()
    yield
    start = "\r" if interactive else ""
    print(f"{start}  ✓ {text} ({time.monotonic() - began:.1f} s)", file=sys.stderr, flush=True)
